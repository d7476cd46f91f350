// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {TestToken} from "./TestToken.sol";
import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC3009} from "@openzeppelin/contracts/token/ERC20/extensions/draft-ERC3009.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";

/// @title  A `TestToken` that grants no allowance when asked as others are, and says so
contract GrudgingToken is TestToken {
    constructor() TestToken("Grudging", "NO", 6) {}

    function allow(address spender, uint256 amount) external {
        _approve(msg.sender, spender, amount);
    }

    function approve(address, uint256) public pure override returns (bool) {
        return false;
    }
}

/// @title  A `TestToken` that gives a base unit to whoever's money is taken by allowance, as rebates do
contract RebatingToken is TestToken {
    bool public stuck; // whether nobody may pass on anything

    constructor() TestToken("Rebating", "RB", 6) {}

    function setStuck(bool stuck_) external {
        stuck = stuck_;
    }

    function transfer(address to, uint256 amount) public override returns (bool) {
        return !stuck && super.transfer(to, amount);
    }

    function transferFrom(address from, address to, uint256 amount) public override returns (bool) {
        _mint(from, 1);
        return super.transferFrom(from, to, amount);
    }
}

/// @title  A `TestToken` with a second address that moves the same balances, as some upgraded tokens have
contract TwoFacedToken is TestToken {
    SecondFace public immutable other;

    error NotTheOther(address account);

    constructor() TestToken("Two-faced", "TF", 6) {
        other = new SecondFace(this);
    }

    function move(address from, address to, uint256 amount) external {
        if (msg.sender != address(other)) revert NotTheOther(msg.sender);
        _transfer(from, to, amount);
    }
}

/// @title  The second address of a `TwoFacedToken`
contract SecondFace {
    TwoFacedToken public immutable token;

    constructor(TwoFacedToken token_) {
        token = token_;
    }

    function transfer(address to, uint256 amount) external returns (bool) {
        token.move(msg.sender, to, amount);
        return true;
    }

    function balanceOf(address account) external view returns (uint256) {
        return token.balanceOf(account);
    }
}

/// @title  An ERC-20 with EIP-3009 in the one form that the standard words: v, r and s, no bytes. Anyone may mint
contract PartsToken is ERC20, ERC3009 {
    constructor(string memory name) ERC20(name, "PARTS") EIP712(name, "1") {}

    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }
}
