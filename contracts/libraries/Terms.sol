// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {OrderTerms, PolicyId} from "../IKamengEscrow.sol";

/**
 * @dev The fields of an order's terms, without the check of their padding that the compiler puts before every read.
 *      `requireClean` makes it once, before the order is opened; from then on the id vouches for every bit of them.
 *      Plain reference of each function: the field of its name.
 */
library Terms {
    /// @dev Reverts, as reading a field would, unless all that are shorter than a word are padded with zeros.
    function requireClean(OrderTerms calldata terms) internal pure {
        assembly ("memory-safe") {
            let addresses := or(calldataload(terms), calldataload(add(terms, 0x20)))
            addresses := or(addresses, or(calldataload(add(terms, 0x40)), calldataload(add(terms, 0x60))))
            addresses := or(addresses, calldataload(add(terms, 0x80)))
            let dirt := or(shr(160, addresses), shr(128, calldataload(add(terms, 0xa0)))) // price
            dirt := or(dirt, shr(16, calldataload(add(terms, 0xc0)))) // units
            dirt := or(dirt, shr(40, calldataload(add(terms, 0x120)))) // openBy
            if dirt { revert(0, 0) }
        }
    }

    function buyer(OrderTerms calldata terms) internal pure returns (address field) {
        assembly ("memory-safe") {
            field := calldataload(terms)
        }
    }

    function refundTo(OrderTerms calldata terms) internal pure returns (address field) {
        assembly ("memory-safe") {
            field := calldataload(add(terms, 0x20))
        }
    }

    function seller(OrderTerms calldata terms) internal pure returns (address field) {
        assembly ("memory-safe") {
            field := calldataload(add(terms, 0x40))
        }
    }

    function payTo(OrderTerms calldata terms) internal pure returns (address field) {
        assembly ("memory-safe") {
            field := calldataload(add(terms, 0x60))
        }
    }

    function token(OrderTerms calldata terms) internal pure returns (address field) {
        assembly ("memory-safe") {
            field := calldataload(add(terms, 0x80))
        }
    }

    function price(OrderTerms calldata terms) internal pure returns (uint256 field) {
        assembly ("memory-safe") {
            field := calldataload(add(terms, 0xa0))
        }
    }

    function units(OrderTerms calldata terms) internal pure returns (uint256 field) {
        assembly ("memory-safe") {
            field := calldataload(add(terms, 0xc0))
        }
    }

    function policyId(OrderTerms calldata terms) internal pure returns (PolicyId) {
        return terms.policyId; // a whole word: nothing to check
    }

    function openBy(OrderTerms calldata terms) internal pure returns (uint256 field) {
        assembly ("memory-safe") {
            field := calldataload(add(terms, 0x120))
        }
    }
}
