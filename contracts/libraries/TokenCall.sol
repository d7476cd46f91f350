// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

/**
 * @dev The three calls that the escrow makes to a token, encoded where memory is free and not kept. Each answers as
 *      `CappedCall` does: whether the call returned, how many bytes, and the first 32 of them (zero where fewer).
 */
library TokenCall {
    /// @dev Plain reference: CappedCall.staticCall(token, gasCap, abi.encodeCall(IERC20.balanceOf, (account))).
    function balanceOf(address token, address account, uint256 gasCap)
        internal
        view
        returns (bool success, uint256 size, uint256 word)
    {
        bytes4 selector = IERC20.balanceOf.selector;
        assembly ("memory-safe") {
            let input := mload(0x40)
            mstore(input, selector)
            mstore(add(input, 0x04), account)
            success := staticcall(gasCap, token, input, 0x24, 0, 0x20)
            size := returndatasize()
            if gt(size, 0x1f) { word := mload(0) }
        }
    }

    /// @dev Plain reference: CappedCall.call(token, 0, gasCap, abi.encodeCall(IERC20.transfer, (to, amount))).
    function transfer(address token, address to, uint256 amount, uint256 gasCap)
        internal
        returns (bool success, uint256 size, uint256 word)
    {
        bytes4 selector = IERC20.transfer.selector;
        assembly ("memory-safe") {
            let input := mload(0x40)
            mstore(input, selector)
            mstore(add(input, 0x04), to)
            mstore(add(input, 0x24), amount)
            success := call(gasCap, token, 0, input, 0x44, 0, 0x20)
            size := returndatasize()
            if gt(size, 0x1f) { word := mload(0) }
        }
    }

    /// @dev Plain reference:
    ///      CappedCall.call(token, 0, gasleft(), abi.encodeCall(IERC20.transferFrom, (from, to, amount))).
    function transferFrom(address token, address from, address to, uint256 amount)
        internal
        returns (bool success, uint256 size, uint256 word)
    {
        bytes4 selector = IERC20.transferFrom.selector;
        assembly ("memory-safe") {
            let input := mload(0x40)
            mstore(input, selector)
            mstore(add(input, 0x04), from)
            mstore(add(input, 0x24), to)
            mstore(add(input, 0x44), amount)
            success := call(gas(), token, 0, input, 0x64, 0, 0x20)
            size := returndatasize()
            if gt(size, 0x1f) { word := mload(0) }
        }
    }
}
