// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {TestToken} from "./TestToken.sol";

/// @title  A `TestToken` whose issuer can block accounts, as issuers of real stablecoins can
contract BlockingToken is TestToken {
    address public immutable issuer;
    mapping(address account => bool) public isBlocked;

    error AccountBlocked(address account);
    error NotIssuer(address account);

    constructor(string memory name, string memory symbol, uint8 decimals_) TestToken(name, symbol, decimals_) {
        issuer = msg.sender;
    }

    function setBlocked(address account, bool blocked) external {
        if (msg.sender != issuer) revert NotIssuer(msg.sender);
        isBlocked[account] = blocked;
    }

    function _update(address from, address to, uint256 value) internal override {
        if (isBlocked[from]) revert AccountBlocked(from);
        if (isBlocked[to]) revert AccountBlocked(to);
        super._update(from, to, value);
    }
}
