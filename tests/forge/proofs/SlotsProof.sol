// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Fault, Outcome, Policy, State} from "../../../contracts/IKamengEscrow.sol";
import {OrderSlot, OrderSlotLib} from "../../../contracts/libraries/OrderSlot.sol";
import {PolicySlot, PolicySlotLib} from "../../../contracts/libraries/PolicySlot.sol";
import {vm} from "./Cheats.sol";

/**
 * @notice What is packed comes out as it went in, and what is written to one field leaves the others alone.
 * @dev    Bounds: none. Every slot of 256 bits, every value that its field has room for; times below 2^40; states are
 *         States, as only those are ever written.
 */
contract SlotsProof {
    uint256 private constant TIME = 1 << 40;

    function _known(uint256 raw) private pure returns (OrderSlot) {
        vm.assume(raw >> 248 <= uint256(State.Closed));
        return OrderSlot.wrap(raw);
    }

    /// The assembly of `state` reads what the plain conversion reads.
    function check_state_is_the_plain_conversion(uint256 raw) external pure {
        OrderSlot slot = _known(raw); // first: of a comparison's two sides the right one is reckoned before the left
        assert(slot.state() == State(raw >> 248));
    }

    function check_opened(uint256 raw, uint256 snapshot, uint8 to, uint256 time) external pure {
        vm.assume(snapshot <= OrderSlotLib.SNAPSHOT_MASK && to <= uint8(State.Closed) && time < TIME);
        OrderSlot slot = OrderSlot.wrap(raw).opened(snapshot, State(to), time);
        assert(slot.state() == State(to));
        assert(slot.deadline() == time);
        assert(slot.revision() == OrderSlot.wrap(raw).revision());
        assert(slot.disputedUnits() == 0);
        assert(OrderSlot.unwrap(slot) & OrderSlotLib.SNAPSHOT_MASK == snapshot);
    }

    function check_moved(uint256 raw, uint8 to, uint256 time) external pure {
        vm.assume(to <= uint8(State.Closed) && time < TIME);
        OrderSlot slot = OrderSlot.wrap(raw).moved(State(to), time);
        assert(slot.state() == State(to));
        assert(slot.deadline() == time);
        assert(uint208(OrderSlot.unwrap(slot)) == uint208(raw));
    }

    function check_disputed(uint256 raw, uint16 units, uint256 time) external pure {
        vm.assume(OrderSlot.wrap(raw).disputedUnits() == 0 && time < TIME);
        OrderSlot slot = OrderSlot.wrap(raw).disputed(units, time);
        assert(slot.state() == State.Disputed);
        assert(slot.deadline() == time);
        assert(slot.disputedUnits() == units);
        assert(slot.revision() == OrderSlot.wrap(raw).revision());
        assert(uint168(OrderSlot.unwrap(slot)) == uint168(raw));
    }

    function check_revised(uint256 raw) external pure {
        uint256 before = OrderSlot.wrap(raw).revision();
        vm.assume(before < type(uint24).max);
        OrderSlot slot = OrderSlot.wrap(raw).revised();
        assert(slot.revision() == before + 1);
        uint256 others = ~(uint256(type(uint24).max) << 184);
        assert(OrderSlot.unwrap(slot) & others == raw & others);
    }

    function check_closed(uint256 raw, uint8 outcome, uint8 fault, uint256 time) external pure {
        vm.assume(outcome <= uint8(Outcome.Agreed) && fault <= uint8(Fault.Mediator) && time < TIME);
        OrderSlot slot = OrderSlot.wrap(raw).closed(Outcome(outcome), Fault(fault), time);
        assert(slot.state() == State.Closed);
        assert(slot.outcome() == Outcome(outcome));
        assert(slot.fault() == Fault(fault));
        assert(slot.deadline() == time);
        assert(slot.disputedUnits() == OrderSlot.wrap(raw).disputedUnits());
        assert(slot.revision() == OrderSlot.wrap(raw).revision());
    }

    /// A policy within the ranges that registration allows comes back number by number, and an order's snapshot of it
    /// says the same.
    function check_policy_round_trip(Policy calldata policy, uint256 reviewBy) external pure {
        _bound(policy);
        vm.assume(reviewBy <= type(uint32).max);
        PolicySlot slot = PolicySlotLib.pack(policy, reviewBy);
        Policy memory same = slot.unpack();
        assert(same.acceptWindow == policy.acceptWindow);
        assert(same.deliverWindow == policy.deliverWindow && same.inspectWindow == policy.inspectWindow);
        assert(same.negotiateWindow == policy.negotiateWindow && same.mediateWindow == policy.mediateWindow);
        assert(same.platformFeeBps == policy.platformFeeBps && same.cancelFeeBps == policy.cancelFeeBps);
        assert(same.sellerBondBps == policy.sellerBondBps && same.disputeBondBps == policy.disputeBondBps);
        assert(same.mediationFeeBps == policy.mediationFeeBps && same.silenceShareBps == policy.silenceShareBps);
        assert(same.effectiveFrom == policy.effectiveFrom);
        assert(slot.reviewBy() == reviewBy && !slot.retired() && slot.exists());
    }

    function check_review_and_retirement(uint256 raw, uint256 reviewBy) external pure {
        vm.assume(reviewBy <= type(uint32).max);
        PolicySlot slot = PolicySlot.wrap(raw);
        PolicySlot reviewed = slot.reviewed(reviewBy);
        assert(reviewed.reviewBy() == reviewBy);
        uint256 others = ~(uint256(type(uint32).max) << 223);
        assert(PolicySlot.unwrap(reviewed) & others == raw & others);
        assert(slot.retire().retired() && PolicySlot.unwrap(slot.retire()) << 1 == raw << 1);
    }

    function _bound(Policy calldata policy) private pure {
        uint256 longest = 90 days;
        vm.assume(policy.acceptWindow >= 5 minutes && policy.acceptWindow <= longest);
        vm.assume(policy.deliverWindow <= longest && policy.inspectWindow <= longest);
        vm.assume(policy.negotiateWindow <= longest && policy.mediateWindow <= longest);
        vm.assume(policy.platformFeeBps <= 1_000 && policy.cancelFeeBps <= 8_191 && policy.sellerBondBps <= 5_000);
        vm.assume(policy.disputeBondBps <= 5_000 && policy.mediationFeeBps <= 5_000);
        vm.assume(policy.silenceShareBps <= 10_000 && policy.effectiveFrom <= type(uint32).max);
    }
}
