// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Fault, Outcome, State} from "../IKamengEscrow.sol";

/**
 * @dev Everything the chain keeps of one order, from the lowest bit:
 *
 *        0 …  13  silence share   (bps)   ┐
 *       14 …  26  mediation fee   (bps)   │
 *       27 …  39  dispute bond    (bps)   │
 *       40 …  52  seller's bond   (bps)   │ the snapshot of the policy's numbers while the order is open;
 *       53 …  65  cancel fee      (bps)   │ once Closed: outcome in the lowest byte, fault in the next
 *       66 …  75  platform fee    (bps)   │
 *       76 …  98  mediate window  (s)     │
 *       99 … 121  negotiate window (s)    │
 *      122 … 144  inspect window  (s)     │
 *      145 … 167  deliver window  (s)     ┘
 *      168 … 183  units in dispute
 *      184 … 207  revision
 *      208 … 247  deadline (Unix seconds); once Closed: when it closed
 *      248 … 255  state
 */
type OrderSlot is uint256;

using OrderSlotLib for OrderSlot global;

library OrderSlotLib {
    uint256 internal constant SNAPSHOT_BITS = 168;
    uint256 internal constant SNAPSHOT_MASK = (1 << SNAPSHOT_BITS) - 1;
    uint256 private constant UNITS = 168;
    uint256 private constant REVISION = 184;
    uint256 private constant DEADLINE = 208;
    uint256 private constant STATE = 248;
    uint256 private constant WINDOW_MASK = (1 << 23) - 1;
    uint256 private constant BPS_MASK = (1 << 13) - 1;

    // ------------------------------------------------------------------------------------------------------ reading

    /// @dev Equal to State(OrderSlot.unwrap(slot) >> STATE), without the range check: only `State`s are ever written.
    function state(OrderSlot slot) internal pure returns (State state_) {
        assembly ("memory-safe") {
            state_ := shr(STATE, slot)
        }
    }

    /// @dev Equal to `slot.state() == state_`, without the range checks.
    function isIn(OrderSlot slot, State state_) internal pure returns (bool yes) {
        assembly ("memory-safe") {
            yes := eq(shr(STATE, slot), state_)
        }
    }

    /// @dev Neither None nor Closed.
    function isOpen(OrderSlot slot) internal pure returns (bool) {
        return !slot.isIn(State.None) && !slot.isIn(State.Closed);
    }

    /// @dev Unix seconds.
    function deadline(OrderSlot slot) internal pure returns (uint256) {
        return (OrderSlot.unwrap(slot) >> DEADLINE) & type(uint40).max;
    }

    function revision(OrderSlot slot) internal pure returns (uint24) {
        return uint24(OrderSlot.unwrap(slot) >> REVISION);
    }

    function disputedUnits(OrderSlot slot) internal pure returns (uint16) {
        return uint16(OrderSlot.unwrap(slot) >> UNITS);
    }

    /// @dev Seconds; likewise the other windows.
    function deliverWindow(OrderSlot slot) internal pure returns (uint256) {
        return (OrderSlot.unwrap(slot) >> 145) & WINDOW_MASK;
    }

    function inspectWindow(OrderSlot slot) internal pure returns (uint256) {
        return (OrderSlot.unwrap(slot) >> 122) & WINDOW_MASK;
    }

    function negotiateWindow(OrderSlot slot) internal pure returns (uint256) {
        return (OrderSlot.unwrap(slot) >> 99) & WINDOW_MASK;
    }

    function mediateWindow(OrderSlot slot) internal pure returns (uint256) {
        return (OrderSlot.unwrap(slot) >> 76) & WINDOW_MASK;
    }

    /// @dev bps; likewise the other shares.
    function platformFeeBps(OrderSlot slot) internal pure returns (uint256) {
        return (OrderSlot.unwrap(slot) >> 66) & ((1 << 10) - 1);
    }

    function cancelFeeBps(OrderSlot slot) internal pure returns (uint256) {
        return (OrderSlot.unwrap(slot) >> 53) & BPS_MASK;
    }

    function sellerBondBps(OrderSlot slot) internal pure returns (uint256) {
        return (OrderSlot.unwrap(slot) >> 40) & BPS_MASK;
    }

    function disputeBondBps(OrderSlot slot) internal pure returns (uint256) {
        return (OrderSlot.unwrap(slot) >> 27) & BPS_MASK;
    }

    function mediationFeeBps(OrderSlot slot) internal pure returns (uint256) {
        return (OrderSlot.unwrap(slot) >> 14) & BPS_MASK;
    }

    function silenceShareBps(OrderSlot slot) internal pure returns (uint256) {
        return OrderSlot.unwrap(slot) & ((1 << 14) - 1);
    }

    /// @dev Where the mediator's time begins; meaningful in Disputed only. Unix seconds.
    function negotiationEnd(OrderSlot slot) internal pure returns (uint256) {
        return slot.deadline() - slot.mediateWindow();
    }

    function outcome(OrderSlot slot) internal pure returns (Outcome) {
        return slot.isIn(State.Closed) ? Outcome(uint8(OrderSlot.unwrap(slot))) : Outcome.None;
    }

    function fault(OrderSlot slot) internal pure returns (Fault) {
        return slot.isIn(State.Closed) ? Fault(uint8(OrderSlot.unwrap(slot) >> 8)) : Fault.None;
    }

    // ------------------------------------------------------------------------------------------------------ writing

    /// @dev A new order; keeps the revision that may have been raised before.
    function opened(OrderSlot slot, uint256 snapshot, State to, uint256 deadline_) internal pure returns (OrderSlot) {
        return
            OrderSlot.wrap(snapshot | (uint256(slot.revision()) << REVISION) | (deadline_ << DEADLINE) | _stateBits(to));
    }

    /// @dev The next state, with its deadline; all else stays.
    function moved(OrderSlot slot, State to, uint256 deadline_) internal pure returns (OrderSlot) {
        uint256 kept = OrderSlot.unwrap(slot) & ((1 << DEADLINE) - 1);
        return OrderSlot.wrap(kept | (deadline_ << DEADLINE) | _stateBits(to));
    }

    function disputed(OrderSlot slot, uint256 units, uint256 deadline_) internal pure returns (OrderSlot) {
        return OrderSlot.wrap(OrderSlot.unwrap(slot.moved(State.Disputed, deadline_)) | (units << UNITS));
    }

    /// @dev One revision on. Reverts with an arithmetic panic after 16,777,215 of them.
    function revised(OrderSlot slot) internal pure returns (OrderSlot) {
        uint256 next = slot.revision() + 1;
        uint256 others = OrderSlot.unwrap(slot) & ~(uint256(type(uint24).max) << REVISION);
        return OrderSlot.wrap(others | (next << REVISION));
    }

    function closed(OrderSlot slot, Outcome outcome_, Fault fault_, uint256 timestamp)
        internal
        pure
        returns (OrderSlot)
    {
        uint256 kept = OrderSlot.unwrap(slot.moved(State.Closed, timestamp)) & ~SNAPSHOT_MASK;
        uint256 ending;
        // Equal to (uint256(fault_) << 8) | uint256(outcome_), without the range checks.
        assembly ("memory-safe") {
            ending := or(shl(8, fault_), outcome_)
        }
        return OrderSlot.wrap(kept | ending);
    }

    /// @dev Equal to uint256(to) << STATE, without the range check.
    function _stateBits(State to) private pure returns (uint256 bits) {
        assembly ("memory-safe") {
            bits := shl(STATE, to)
        }
    }
}
