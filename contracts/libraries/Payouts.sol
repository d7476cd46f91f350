// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/**
 * @dev A list of payouts in memory, where neighbours with the same token and receiver are one. Three words each: token,
 *      receiver, amount; before them a word that says where the latest lies, and an entry of zeros, which no payout has
 *      for its receiver.
 *      Plain reference: an array of structs whose last grows, or that gets one more.
 */
type Payouts is uint256; // where it lies

using PayoutsLib for Payouts global;

library PayoutsLib {
    uint256 private constant ENTRY = 0x60; // bytes

    /// @param capacity how many payouts it takes at most. Whoever adds keeps to it.
    function create(uint256 capacity) internal pure returns (Payouts list) {
        assembly ("memory-safe") {
            list := mload(0x40)
            let zeros := add(list, 0x20)
            mstore(list, zeros)
            calldatacopy(zeros, calldatasize(), ENTRY)
            mstore(0x40, add(add(zeros, ENTRY), mul(capacity, ENTRY)))
        }
    }

    function add(Payouts list, address token, address to, uint256 amount) internal pure {
        assembly ("memory-safe") {
            let last := mload(list)
            switch and(eq(mload(last), token), eq(mload(add(last, 0x20)), to))
            case 1 { mstore(add(last, 0x40), add(mload(add(last, 0x40)), amount)) }
            default {
                last := add(last, ENTRY)
                mstore(last, token)
                mstore(add(last, 0x20), to)
                mstore(add(last, 0x40), amount)
                mstore(list, last)
            }
        }
    }

    function count(Payouts list) internal pure returns (uint256 entries) {
        assembly ("memory-safe") {
            entries := div(sub(mload(list), add(list, 0x20)), ENTRY)
        }
    }

    /// @param index less than `count`
    function get(Payouts list, uint256 index) internal pure returns (address token, address to, uint256 amount) {
        assembly ("memory-safe") {
            let entry := add(add(list, 0x20), mul(add(index, 1), ENTRY))
            token := mload(entry)
            to := mload(add(entry, 0x20))
            amount := mload(add(entry, 0x40))
        }
    }
}
