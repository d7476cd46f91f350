// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

library Addresses {
    /// @dev Whether money in `token` may be sent to `to`. Equal to
    ///      to != address(0) && to != address(this) && to != token, without a jump for each.
    function canReceive(address to, address token) internal view returns (bool yes) {
        assembly ("memory-safe") {
            yes := iszero(or(or(iszero(to), eq(to, address())), eq(to, token)))
        }
    }
}
