// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @dev Calls that neither a receiver's appetite for gas nor a flood of return data can turn against the caller.
library CappedCall {
    /**
     * @dev Calls with at most `gasCap` gas and keeps at most the first word of the answer.
     *      Plain reference: `(success, data) = target.call{gas: gasCap, value: value}(input)`, less the copy of `data`.
     * @return success whether the call returned
     * @return size    how many bytes it answered
     * @return word    the first 32 of them; zero where it answered fewer
     */
    function call(address target, uint256 value, uint256 gasCap, bytes memory input)
        internal
        returns (bool success, uint256 size, uint256 word)
    {
        assembly ("memory-safe") {
            success := call(gasCap, target, value, add(input, 0x20), mload(input), 0, 0x20)
            size := returndatasize()
            if gt(size, 0x1f) { word := mload(0) }
        }
    }

    /// @dev As `call`, without value and without effects.
    function staticCall(address target, uint256 gasCap, bytes memory input)
        internal
        view
        returns (bool success, uint256 size, uint256 word)
    {
        assembly ("memory-safe") {
            success := staticcall(gasCap, target, add(input, 0x20), mload(input), 0, 0x20)
            size := returndatasize()
            if gt(size, 0x1f) { word := mload(0) }
        }
    }
}
