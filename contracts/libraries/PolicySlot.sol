// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Policy} from "../IKamengEscrow.sol";
import {OrderSlot, OrderSlotLib} from "./OrderSlot.sol";

/**
 * @dev What opening an order needs of its policy, in one slot, from the lowest bit:
 *
 *        0 … 167  the numbers that an order takes along, laid out as in `OrderSlot`
 *      168 … 190  accept window (s)
 *      191 … 222  effectiveFrom (Unix seconds, 32 bits: until the year 2106)
 *      223 … 254  reviewBy      (Unix seconds, 32 bits)
 *      255        retired
 *
 *      Zero: no such policy. A registered one has windows that are not zero.
 */
type PolicySlot is uint256;

using PolicySlotLib for PolicySlot global;

library PolicySlotLib {
    uint256 private constant ACCEPT_WINDOW = 168;
    uint256 private constant EFFECTIVE_FROM = 191;
    uint256 private constant REVIEW_BY = 223;
    uint256 private constant RETIRED = 1 << 255;

    /// @dev Expects a policy within its bounds.
    function pack(Policy calldata policy, uint256 reviewBy_) internal pure returns (PolicySlot) {
        uint256 windows = (uint256(policy.mediateWindow) << 76) | (uint256(policy.negotiateWindow) << 99)
            | (uint256(policy.inspectWindow) << 122) | (uint256(policy.deliverWindow) << 145)
            | (uint256(policy.acceptWindow) << ACCEPT_WINDOW);
        uint256 shares = uint256(policy.silenceShareBps) | (uint256(policy.mediationFeeBps) << 14)
            | (uint256(policy.disputeBondBps) << 27) | (uint256(policy.sellerBondBps) << 40)
            | (uint256(policy.cancelFeeBps) << 53) | (uint256(policy.platformFeeBps) << 66);
        return PolicySlot.wrap(
            windows | shares | (uint256(policy.effectiveFrom) << EFFECTIVE_FROM) | (reviewBy_ << REVIEW_BY)
        );
    }

    /// @dev The numbers of the policy; its addresses are kept apart.
    function unpack(PolicySlot slot) internal pure returns (Policy memory policy) {
        OrderSlot numbers = OrderSlot.wrap(slot.snapshot());
        policy.acceptWindow = uint32(slot.acceptWindow());
        policy.deliverWindow = uint32(numbers.deliverWindow());
        policy.inspectWindow = uint32(numbers.inspectWindow());
        policy.negotiateWindow = uint32(numbers.negotiateWindow());
        policy.mediateWindow = uint32(numbers.mediateWindow());
        policy.platformFeeBps = uint16(numbers.platformFeeBps());
        policy.cancelFeeBps = uint16(numbers.cancelFeeBps());
        policy.sellerBondBps = uint16(numbers.sellerBondBps());
        policy.disputeBondBps = uint16(numbers.disputeBondBps());
        policy.mediationFeeBps = uint16(numbers.mediationFeeBps());
        policy.silenceShareBps = uint16(numbers.silenceShareBps());
        policy.effectiveFrom = uint40(slot.effectiveFrom());
    }

    function exists(PolicySlot slot) internal pure returns (bool) {
        return PolicySlot.unwrap(slot) != 0;
    }

    /// @dev The numbers that an order takes along.
    function snapshot(PolicySlot slot) internal pure returns (uint256) {
        return PolicySlot.unwrap(slot) & OrderSlotLib.SNAPSHOT_MASK;
    }

    /// @dev Seconds.
    function acceptWindow(PolicySlot slot) internal pure returns (uint256) {
        return (PolicySlot.unwrap(slot) >> ACCEPT_WINDOW) & ((1 << 23) - 1);
    }

    /// @dev Unix seconds.
    function effectiveFrom(PolicySlot slot) internal pure returns (uint256) {
        return (PolicySlot.unwrap(slot) >> EFFECTIVE_FROM) & type(uint32).max;
    }

    /// @dev Unix seconds.
    function reviewBy(PolicySlot slot) internal pure returns (uint256) {
        return (PolicySlot.unwrap(slot) >> REVIEW_BY) & type(uint32).max;
    }

    function retired(PolicySlot slot) internal pure returns (bool) {
        return PolicySlot.unwrap(slot) & RETIRED != 0;
    }

    function reviewed(PolicySlot slot, uint256 reviewBy_) internal pure returns (PolicySlot) {
        uint256 others = PolicySlot.unwrap(slot) & ~(uint256(type(uint32).max) << REVIEW_BY);
        return PolicySlot.wrap(others | (reviewBy_ << REVIEW_BY));
    }

    function retire(PolicySlot slot) internal pure returns (PolicySlot) {
        return PolicySlot.wrap(PolicySlot.unwrap(slot) | RETIRED);
    }
}
