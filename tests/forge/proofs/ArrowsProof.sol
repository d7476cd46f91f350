// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {
    Fault,
    IKamengEscrow,
    OperatorGrant,
    OrderId,
    OrderTerms,
    Outcome,
    Role,
    State
} from "../../../contracts/IKamengEscrow.sol";
import {OrderSlot, OrderSlotLib} from "../../../contracts/libraries/OrderSlot.sol";
import {PolicySlot} from "../../../contracts/libraries/PolicySlot.sol";
import {Shares} from "../../../contracts/libraries/Shares.sol";
import {svm, vm} from "./Cheats.sol";

/**
 * @notice Each arrow of the lifecycle is gone only from its state, by its actor, in its time, and ends where it says.
 *         Proved of the code that ships, from any storage whatever: any slot, policy, grant, bond and credit.
 * @dev    Bounds: the native coin, values sent below 2^64 (what is paid moves no arrow); the receivers are two accounts without code; the slot's
 *         state is a State, as only those are ever written; times below 2^39; called, not relayed. With each arrow:
 *         no other order's slot changes.
 */
contract ArrowsProof {
    uint8 private constant ACCEPT = 1;
    uint8 private constant DELIVER = 2;
    uint8 private constant DECLINE = 4;
    uint8 private constant REFUND = 8;
    uint256 private constant NO_CANCEL = 8_191;
    uint256 private constant MAX_TIME = 1 << 39;

    IKamengEscrow private escrow;

    OrderTerms private terms;
    OrderId private id;
    OrderSlot private slot; // before
    address private caller;
    uint256 private time;
    OrderId private other;
    uint256 private otherSlot;

    struct Given {
        OrderTerms terms;
        address caller;
        uint256 time;
        bytes32 other;
    }

    function setUp() external {
        bytes memory code = vm.getCode(".cache/forge/proofs/KamengEscrow.json");
        address made;
        assembly ("memory-safe") {
            made := create(0, add(code, 0x20), mload(code))
        }
        assert(made != address(0));
        escrow = IKamengEscrow(made);
        svm.enableSymbolicStorage(made);
    }

    // ------------------------------------------------------------------------------------------------ before and after

    function _prepare(Given memory given) private returns (State state) {
        given.terms.token = address(0);
        given.terms.refundTo = address(0xb0b0);
        given.terms.payTo = address(0x5e11);
        vm.assume(given.time < MAX_TIME);
        vm.assume(given.caller != address(this) && given.caller != address(escrow) && given.caller != address(vm));
        terms = given.terms;
        (caller, time, other) = (given.caller, given.time, OrderId.wrap(given.other));
        id = escrow.toId(terms);
        vm.assume(OrderId.unwrap(id) != given.other);
        slot = OrderSlot.wrap(escrow.slotOf(id));
        vm.assume(OrderSlot.unwrap(slot) >> 248 <= uint256(State.Closed));
        otherSlot = escrow.slotOf(other);
        vm.warp(time);
        vm.deal(address(escrow), type(uint96).max);
        vm.deal(caller, type(uint96).max);
        return slot.state();
    }

    /// @dev Whether the call went through. If so, nothing happened to another order.
    function _call(bytes memory input, uint256 value) private returns (bool done) {
        vm.prank(caller);
        (done,) = address(escrow).call{value: value}(input);
        if (done) assert(escrow.slotOf(other) == otherSlot);
    }

    function _after() private view returns (OrderSlot) {
        return OrderSlot.wrap(escrow.slotOf(id));
    }

    function _assertMoved(State to, uint256 deadline) private view {
        assert(OrderSlot.unwrap(_after()) == OrderSlot.unwrap(slot.moved(to, deadline)));
    }

    function _assertClosed(Outcome outcome, Fault fault) private view {
        assert(OrderSlot.unwrap(_after()) == OrderSlot.unwrap(slot.closed(outcome, fault, time)));
    }

    /// @dev The seller, or an operator that holds the right now.
    function _isSellerSide(uint8 right) private view returns (bool) {
        if (caller == terms.seller) return true;
        OperatorGrant memory grant = escrow.operatorOf(terms.seller, caller, address(0), terms.policyId);
        return grant.rights & right != 0 && time < grant.expiry && terms.price <= grant.maxPrice
            && terms.payTo == escrow.payToOf(terms.seller);
    }

    function _isBefore(uint256 end) private view returns (bool) {
        return time < end;
    }

    function _mediator() private view returns (address) {
        (,, address mediator, address backup,) = escrow.policyRecordOf(terms.policyId);
        bool secondHalf = time >= slot.negotiationEnd() + slot.mediateWindow() / 2;
        return secondHalf && backup != address(0) ? backup : mediator;
    }

    // ---------------------------------------------------------------------------------------------------------- arrows

    /// Row 1.
    function check_open(Given memory given, uint256 value) external {
        State state = _prepare(given);
        vm.assume(value <= type(uint64).max);
        if (!_call(abi.encodeCall(IKamengEscrow.open, (terms)), value)) return;
        assert(state == State.None && value == terms.price && time <= terms.openBy);
        assert(terms.buyer != address(0) && terms.seller != address(0) && terms.buyer != terms.seller);
        assert(terms.price > 0 && terms.price < 2 ** 127 && terms.units > 0);
        (uint256 raw,,,,) = escrow.policyRecordOf(terms.policyId);
        PolicySlot policy = PolicySlot.wrap(raw);
        assert(policy.exists() && !policy.retired() && policy.effectiveFrom() <= time && time <= policy.reviewBy());
        OrderSlot opened = slot.opened(policy.snapshot(), State.Opened, time + policy.acceptWindow());
        assert(OrderSlot.unwrap(_after()) == OrderSlot.unwrap(opened));
    }

    /// Row 3.
    function check_accept(Given memory given) external {
        State state = _prepare(given);
        bool allowed = _isSellerSide(ACCEPT) && _isBefore(slot.deadline());
        if (!_call(abi.encodeCall(IKamengEscrow.accept, (terms)), 0)) return;
        assert(state == State.Opened && allowed);
        _assertMoved(State.Accepted, time + slot.deliverWindow());
    }

    /// Row 6.
    function check_deliver(Given memory given, bytes32 commitment) external {
        State state = _prepare(given);
        bool allowed = _isSellerSide(DELIVER) && _isBefore(slot.deadline());
        if (!_call(abi.encodeCall(IKamengEscrow.deliver, (terms, commitment)), 0)) return;
        assert(state == State.Accepted && allowed && commitment != 0);
        _assertMoved(State.Delivered, time + slot.inspectWindow());
    }

    /// Rows 11 and 15.
    function check_confirm(Given memory given, State expected) external {
        State state = _prepare(given);
        if (!_call(abi.encodeCall(IKamengEscrow.confirm, (terms, expected)), 0)) return;
        assert(state == expected && caller == terms.buyer);
        assert(state == State.Accepted || state == State.Delivered || state == State.Disputed);
        if (state == State.Disputed) assert(_isBefore(slot.negotiationEnd()));
        _assertClosed(Outcome.Confirmed, Fault.None);
    }

    /// Rows 4 and 7.
    function check_cancel(Given memory given, State expected) external {
        State state = _prepare(given);
        if (!_call(abi.encodeCall(IKamengEscrow.cancel, (terms, expected)), 0)) return;
        assert(state == expected && caller == terms.buyer);
        assert(state == State.Opened || state == State.Accepted);
        if (state == State.Accepted) assert(_isBefore(slot.deadline()) && slot.cancelFeeBps() != NO_CANCEL);
        _assertClosed(Outcome.Cancelled, state == State.Opened ? Fault.None : Fault.Buyer);
    }

    /// Rows 4 and 8.
    function check_decline(Given memory given, State expected) external {
        State state = _prepare(given);
        bool allowed = _isSellerSide(DECLINE);
        if (!_call(abi.encodeCall(IKamengEscrow.decline, (terms, expected)), 0)) return;
        assert(state == expected && allowed);
        assert(state == State.Opened || state == State.Accepted);
        if (state == State.Accepted) assert(_isBefore(slot.deadline()));
        _assertClosed(Outcome.Declined, state == State.Opened ? Fault.None : Fault.Seller);
    }

    /// Rows 12 and 14.
    function check_refund(Given memory given, State expected) external {
        State state = _prepare(given);
        bool allowed = _isSellerSide(REFUND);
        if (!_call(abi.encodeCall(IKamengEscrow.refund, (terms, expected)), 0)) return;
        assert(state == expected && allowed);
        assert(state == State.Delivered || state == State.Disputed);
        if (state == State.Disputed) assert(_isBefore(slot.negotiationEnd()));
        _assertClosed(Outcome.Refunded, Fault.Seller);
    }

    /// Row 13.
    function check_dispute(Given memory given, uint16 units, bytes32 evidence, uint256 value) external {
        State state = _prepare(given);
        vm.assume(value <= type(uint64).max && slot.disputedUnits() == 0);
        if (!_call(abi.encodeCall(IKamengEscrow.dispute, (terms, units, evidence)), value)) return;
        assert(state == State.Delivered && caller == terms.buyer && _isBefore(slot.deadline()));
        assert(units >= 1 && units <= terms.units);
        uint256 end = time + slot.negotiateWindow() + slot.mediateWindow();
        assert(OrderSlot.unwrap(_after()) == OrderSlot.unwrap(slot.disputed(units, end)));
    }

    /// @dev How much it is about: one sum, in one unit, all of it in dispute.
    function _disputeOneSum(Given memory given) private returns (State state) {
        given.terms.price = 1_000_003;
        given.terms.units = 1;
        state = _prepare(given);
        vm.assume(slot.disputedUnits() == 1);
    }

    /// Row 16, by the mediator whose half it is. Bound: one sum, since how much is awarded moves no arrow either, and
    /// what a ruling divides is a product of unknowns.
    function check_rule(Given memory given, uint256 toBuyer, bytes32 grounds) external {
        State state = _disputeOneSum(given);
        if (!_call(abi.encodeCall(IKamengEscrow.rule, (terms, toBuyer, grounds)), 0)) return;
        assert(state == State.Disputed && slot.negotiationEnd() <= time && _isBefore(slot.deadline()));
        assert(caller == _mediator() && caller != terms.buyer && caller != terms.seller);
        OrderSlot ended = _after();
        assert(ended.state() == State.Closed && ended.outcome() == Outcome.Ruled && ended.deadline() == time);
    }

    /// Row 16, by a party that gives in. Bound: one sum.
    function check_concede(Given memory given, Role role) external {
        State state = _disputeOneSum(given);
        bool allowed = role == Role.Buyer ? caller == terms.buyer : _isSellerSide(REFUND);
        if (!_call(abi.encodeCall(IKamengEscrow.concede, (terms, role)), 0)) return;
        assert(state == State.Disputed && slot.negotiationEnd() <= time && _isBefore(slot.deadline()));
        assert(allowed && (role != Role.Seller || caller == terms.seller));
        OrderSlot ended = _after();
        assert(ended.state() == State.Closed && ended.outcome() == Outcome.Conceded && ended.deadline() == time);
    }

    /// Rows 5 and 9.
    function check_intervene(Given memory given, State expected) external {
        State state = _prepare(given);
        (, address platform,,,) = escrow.policyRecordOf(terms.policyId);
        if (!_call(abi.encodeCall(IKamengEscrow.intervene, (terms, expected)), 0)) return;
        assert(state == expected && _isBefore(slot.deadline()));
        assert(state == State.Opened || state == State.Accepted);
        assert(caller == platform && caller != terms.buyer && caller != terms.seller);
        _assertClosed(Outcome.Intervened, Fault.Platform);
    }

    /// Rows 4, 10, 11 and 17.
    function check_settle(Given memory given) external {
        State state = _prepare(given);
        if (!_call(abi.encodeCall(IKamengEscrow.settle, (terms)), 0)) return;
        assert(state != State.None && state != State.Closed && slot.deadline() <= time);
        if (state == State.Opened) _assertClosed(Outcome.Expired, Fault.None);
        else if (state == State.Accepted) _assertClosed(Outcome.Undelivered, Fault.Seller);
        else if (state == State.Delivered) _assertClosed(Outcome.Released, Fault.None);
        else _assertClosed(Outcome.Defaulted, slot.mediateWindow() == 0 ? Fault.None : Fault.Mediator);
    }

    /// Row 19.
    function check_revise(Given memory given, uint24 revision) external {
        State state = _prepare(given);
        if (!_call(abi.encodeCall(IKamengEscrow.revise, (terms, revision)), 0)) return;
        assert(state != State.Closed && revision == slot.revision());
        assert(caller == terms.seller || (caller == terms.buyer && state != State.None));
        assert(OrderSlot.unwrap(_after()) == OrderSlot.unwrap(slot.revised()));
    }

    /// Row 20.
    function check_recommit(Given memory given, uint24 revision, bytes32 commitment) external {
        State state = _prepare(given);
        bool allowed = _isSellerSide(DELIVER);
        if (!_call(abi.encodeCall(IKamengEscrow.recommit, (terms, revision, commitment)), 0)) return;
        assert(state == State.Disputed && allowed && _isBefore(slot.negotiationEnd()));
        assert(revision == slot.revision() && commitment != 0);
        assert(OrderSlot.unwrap(_after()) == OrderSlot.unwrap(slot.revised()));
    }
}
