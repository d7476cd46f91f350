// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {TestToken} from "./TestToken.sol";

/// @title  A `TestToken` that calls somebody in the middle of every transfer, as ERC-777 tokens can
contract ReenteringToken is TestToken {
    address public target;
    bytes public input;
    bool public called;
    bool public succeeded;
    bytes public answer;

    constructor() TestToken("Reentering", "RE", 6) {}

    /// @notice What to call from now on; `target_` zero: nobody.
    function aim(address target_, bytes calldata input_) external {
        (target, input, called, succeeded) = (target_, input_, false, false);
        delete answer;
    }

    function _update(address from, address to, uint256 value) internal override {
        super._update(from, to, value);
        if (target == address(0)) return;
        called = true;
        (succeeded, answer) = target.call(input);
    }
}
