// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {TestToken} from "./TestToken.sol";

/// @title  A `TestToken` that changes an allowance only from or to zero, as USDT does on Ethereum
contract ZeroFirstToken is TestToken {
    error NotFromZero(uint256 current);

    constructor() TestToken("Zero First", "ZERO", 6) {}

    function approve(address spender, uint256 value) public override returns (bool) {
        uint256 current = allowance(msg.sender, spender);
        if (value != 0 && current != 0) revert NotFromZero(current);
        return super.approve(spender, value);
    }
}
