// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Action, Fault, IKamengEscrow, OrderId, OrderTerms, Outcome, Role, State, Verb} from "../IKamengEscrow.sol";
import {Lifecycle} from "../libraries/Lifecycle.sol";
import {OrderSlot} from "../libraries/OrderSlot.sol";
import {Shares} from "../libraries/Shares.sol";
import {Terms} from "../libraries/Terms.sol";
import {TypedData} from "../libraries/TypedData.sol";
import {Orders} from "./Orders.sol";

/// @dev What buyers, sellers and operators do with an open order, by calling or by signing.
abstract contract Actions is Orders {
    /// @inheritdoc IKamengEscrow
    function accept(OrderTerms calldata terms) external {
        _perform(terms, Verb.Accept, State.Opened, _sellerSide(terms), msg.sender, 0, 0);
    }

    /// @inheritdoc IKamengEscrow
    function deliver(OrderTerms calldata terms, bytes32 commitment) external {
        _perform(terms, Verb.Deliver, State.Accepted, _sellerSide(terms), msg.sender, 0, commitment);
    }

    /// @inheritdoc IKamengEscrow
    function confirm(OrderTerms calldata terms, State expected) external {
        _perform(terms, Verb.Confirm, expected, Role.Buyer, msg.sender, 0, 0);
    }

    /// @inheritdoc IKamengEscrow
    function cancel(OrderTerms calldata terms, State expected) external {
        _perform(terms, Verb.Cancel, expected, Role.Buyer, msg.sender, 0, 0);
    }

    /// @inheritdoc IKamengEscrow
    function decline(OrderTerms calldata terms, State expected) external {
        _perform(terms, Verb.Decline, expected, _sellerSide(terms), msg.sender, 0, 0);
    }

    /// @inheritdoc IKamengEscrow
    function refund(OrderTerms calldata terms, State expected) external {
        _perform(terms, Verb.Refund, expected, _sellerSide(terms), msg.sender, 0, 0);
    }

    /// @inheritdoc IKamengEscrow
    function dispute(OrderTerms calldata terms, uint16 units, bytes32 evidence) external payable {
        _perform(terms, Verb.Dispute, State.Delivered, Role.Buyer, msg.sender, units, evidence);
    }

    /// @inheritdoc IKamengEscrow
    function recommit(OrderTerms calldata terms, uint24 revision, bytes32 commitment) external {
        _perform(terms, Verb.Recommit, State.Disputed, _sellerSide(terms), msg.sender, revision, commitment);
    }

    /// @inheritdoc IKamengEscrow
    function concede(OrderTerms calldata terms, Role role) external {
        _perform(terms, Verb.Concede, State.Disputed, role, msg.sender, 0, 0);
    }

    /// @inheritdoc IKamengEscrow
    function revise(OrderTerms calldata terms, uint24 revision) external {
        Role role = msg.sender == Terms.buyer(terms) ? Role.Buyer : Role.Seller;
        (, OrderSlot slot) = _load(terms);
        _perform(terms, Verb.Revise, slot.state(), role, msg.sender, revision, 0);
    }

    /// @inheritdoc IKamengEscrow
    function act(OrderTerms calldata terms, Action calldata action, bytes calldata signature) external payable {
        _requireSigned(terms, action, signature);
        if (msg.value != 0 && action.verb != Verb.Dispute) revert WrongValue(msg.value, 0);
        _perform(terms, action.verb, action.state, action.role, action.signer, action.number, action.content);
    }

    /// @inheritdoc IKamengEscrow
    function actWithPermit(
        OrderTerms calldata terms,
        Action calldata action,
        bytes calldata signature,
        uint256 deadline,
        bytes calldata permitSignature
    ) external {
        (, uint256 bond, uint256 toSeller) = _disputeSigned(terms, action, signature);
        _collectPermitted(Terms.token(terms), Terms.buyer(terms), bond, deadline, permitSignature);
        _payOne(Terms.token(terms), Terms.payTo(terms), toSeller);
    }

    /// @inheritdoc IKamengEscrow
    function actWithAuthorization(
        OrderTerms calldata terms,
        Action calldata action,
        bytes calldata signature,
        uint256 validBefore,
        bytes calldata authorization
    ) external {
        (OrderId id, uint256 bond, uint256 toSeller) = _disputeSigned(terms, action, signature);
        _collectAuthorized(
            Terms.token(terms), Terms.buyer(terms), bond, TypedData.disputeNonce(id), validBefore, authorization
        );
        _payOne(Terms.token(terms), Terms.payTo(terms), toSeller);
    }

    /// @inheritdoc IKamengEscrow
    function deliverMany(OrderTerms[] calldata terms, bytes32[] calldata commitments)
        external
        returns (uint256 delivered)
    {
        if (terms.length != commitments.length) revert LengthMismatch(terms.length, commitments.length);
        for (uint256 i; i < terms.length; ++i) {
            OrderTerms calldata order = terms[i];
            (OrderId id, OrderSlot slot) = _load(order);
            if (!slot.isIn(State.Accepted) || block.timestamp >= slot.deadline()) continue;
            if (msg.sender != Terms.seller(order)) _requireRight(order, msg.sender, Lifecycle.DELIVER);

            _markDelivered(id, slot, commitments[i]);
            ++delivered;
        }
    }

    function _requireSigned(OrderTerms calldata terms, Action calldata action, bytes calldata signature) private view {
        _requireLive(action.expiry);
        _requireSignature(action.signer, TypedData.action(_toId(terms), action), signature);
    }

    /// @dev A signed dispute up to its transfers.
    function _disputeSigned(OrderTerms calldata terms, Action calldata action, bytes calldata signature)
        private
        returns (OrderId id, uint256 bond, uint256 toSeller)
    {
        _requireSigned(terms, action, signature);
        if (action.verb != Verb.Dispute) revert NoPaymentDue(action.verb);
        OrderSlot slot;
        (id, slot) = _load(terms);
        _checkStep(terms, id, slot, action.verb, action.state, action.role, action.signer);
        (bond, toSeller) = _dispute(terms, id, slot, action.number, action.content);
    }

    /// @dev One action of a party or operator, called or signed: all rows but openings, ruling, agreement and clocks.
    ///      `number` and `content` are what they are in `Action`.
    function _perform(
        OrderTerms calldata terms,
        Verb verb,
        State state,
        Role role,
        address actor,
        uint256 number,
        bytes32 content
    ) private {
        (OrderId id, OrderSlot slot) = _load(terms);
        _checkStep(terms, id, slot, verb, state, role, actor);

        if (Lifecycle.ends(verb)) {
            _end(terms, id, slot, verb);
        } else if (verb == Verb.Deliver) {
            _markDelivered(id, slot, content);
        } else if (verb == Verb.Accept) {
            _orders[id] = slot.moved(State.Accepted, block.timestamp + slot.deliverWindow());
            _lockBond(Terms.seller(terms), Terms.token(terms), Shares.bps(Terms.price(terms), slot.sellerBondBps()));
            emit OrderAccepted(id);
        } else if (verb == Verb.Dispute) {
            (uint256 bond, uint256 toSeller) = _dispute(terms, id, slot, number, content);
            _collect(Terms.token(terms), Terms.buyer(terms), bond);
            _payOne(Terms.token(terms), Terms.payTo(terms), toSeller);
        } else if (verb == Verb.Concede) {
            address mediator = _mediatorNow(terms, slot);
            (uint256 sum,,) = _held(terms, slot);
            _closeByRuling(terms, id, slot, role == Role.Buyer ? 0 : sum, Outcome.Conceded, mediator);
        } else {
            // Before the opening nothing vouches for the terms yet.
            Terms.requireClean(terms);
            _raiseRevision(id, slot, verb, number, content);
        }
    }

    /// @dev State, actor, time: for every verb the same, by the table in `Lifecycle`.
    function _checkStep(
        OrderTerms calldata terms,
        OrderId id,
        OrderSlot slot,
        Verb verb,
        State state,
        Role role,
        address actor
    ) private view {
        if (!slot.isIn(state)) revert WrongState(id, slot.state(), state);
        uint256 bit = Lifecycle.bit(verb, state);
        if (!Lifecycle.possible(bit)) revert NotPossible(id, state);

        if (role == Role.Buyer) {
            if (!Lifecycle.forBuyer(verb)) revert WrongRole(verb, role);
            if (actor != Terms.buyer(terms)) revert Unauthorized(actor, Terms.buyer(terms));
            // Only who will be bound may void an offer: before the opening that is the seller.
            if (slot.isIn(State.None)) revert Unauthorized(actor, Terms.seller(terms));
        } else if (role == Role.Seller) {
            if (!Lifecycle.forSeller(verb)) revert WrongRole(verb, role);
            if (actor != Terms.seller(terms)) revert Unauthorized(actor, Terms.seller(terms));
        } else {
            uint8 right = Lifecycle.rightFor(verb);
            if (right == 0) revert WrongRole(verb, role);
            _requireRight(terms, actor, right);
        }

        if (Lifecycle.beforeDeadline(bit)) _requireBefore(slot.deadline());
        else if (Lifecycle.beforeMediation(bit)) _requireBefore(slot.negotiationEnd());
    }

    function _markDelivered(OrderId id, OrderSlot slot, bytes32 commitment) private {
        if (commitment == 0) revert EmptyCommitment();

        _orders[id] = slot.moved(State.Delivered, block.timestamp + slot.inspectWindow());
        emit OrderDelivered(id, commitment);
    }

    /// @dev Rows 4, 7, 8, 11, 12, 14 and 15: confirm, cancel, decline, refund.
    function _end(OrderTerms calldata terms, OrderId id, OrderSlot slot, Verb verb) private {
        (uint256 amount, uint256 sellerBond, uint256 disputeBond) = _held(terms, slot);
        if (verb == Verb.Confirm) {
            (uint256 toSeller, uint256 fee) = Shares.lessFee(slot, amount);
            _closeOne(terms, id, slot, Outcome.Confirmed, Fault.None, disputeBond, toSeller, fee, sellerBond);
        } else if (verb == Verb.Cancel) {
            // Free before acceptance; then at the cancel fee, of which the platform takes nothing.
            bool accepted = slot.isIn(State.Accepted);
            if (accepted && slot.cancelFeeBps() == NO_CANCEL) revert CancelNotAllowed(id);
            uint256 fee = accepted ? Shares.bps(amount, slot.cancelFeeBps()) : 0;
            Fault fault = accepted ? Fault.Buyer : Fault.None;
            _closeOne(terms, id, slot, Outcome.Cancelled, fault, amount - fee, fee, 0, sellerBond);
        } else {
            Outcome outcome = verb == Verb.Decline ? Outcome.Declined : Outcome.Refunded;
            Fault fault = slot.isIn(State.Opened) ? Fault.None : Fault.Seller;
            (uint256 toBuyer, uint256 bondReturned) = Shares.withdrawn(amount, sellerBond, disputeBond);
            _closeOne(terms, id, slot, outcome, fault, toBuyer, 0, 0, bondReturned);
        }
    }

    /// @dev Row 13 up to its transfers: the dispute bond is still to be collected, the seller still to be paid.
    function _dispute(OrderTerms calldata terms, OrderId id, OrderSlot slot, uint256 units, bytes32 evidence)
        private
        returns (uint256 disputeBond, uint256 toSeller)
    {
        if (units == 0 || units > Terms.units(terms)) revert UnitsOutOfRange(units, Terms.units(terms));

        (, uint256 bondBefore,) = _held(terms, slot);
        slot = slot.disputed(units, block.timestamp + slot.negotiateWindow() + slot.mediateWindow());
        _orders[id] = slot;
        uint256 sum;
        uint256 sellerBond;
        (sum, sellerBond, disputeBond) = _held(terms, slot);
        uint256 bondReturned = bondBefore - sellerBond;
        uint256 platformFee;
        (toSeller, platformFee) = Shares.lessFee(slot, Terms.price(terms) - sum);
        emit OrderDisputed(id, uint16(units), evidence, disputeBond, toSeller, platformFee, bondReturned);

        _accrueFee(Terms.policyId(terms), Terms.token(terms), platformFee);
        _returnBond(Terms.seller(terms), Terms.token(terms), bondReturned);
    }

    function _raiseRevision(OrderId id, OrderSlot slot, Verb verb, uint256 revision, bytes32 commitment) private {
        _requireRevision(slot, revision);
        if (verb == Verb.Recommit && commitment == 0) revert EmptyCommitment();

        slot = slot.revised();
        _orders[id] = slot;
        if (verb == Verb.Recommit) emit OrderRecommitted(id, commitment, slot.revision());
        else emit OrderRevised(id, slot.revision());
    }

    /// @dev In what capacity the caller of a seller's verb comes.
    function _sellerSide(OrderTerms calldata terms) private view returns (Role) {
        return msg.sender == Terms.seller(terms) ? Role.Seller : Role.Operator;
    }
}
