// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Action, IKamengEscrow, OrderId, OrderTerms, Outcome, Role, State, Verb} from "../IKamengEscrow.sol";
import {Lifecycle} from "../libraries/Lifecycle.sol";
import {OrderSlot} from "../libraries/OrderSlot.sol";
import {Closing, Shares} from "../libraries/Shares.sol";
import {TypedData} from "../libraries/TypedData.sol";
import {Orders} from "./Orders.sol";

/// @dev What buyers, sellers and operators do with an open order, by calling or by signing.
abstract contract Actions is Orders {
    /// @dev A verb as called or as signed.
    struct Step {
        Verb verb;
        State state; // the state the actor expects
        Role role;
        address actor;
        uint256 number; // as in `Action`
        bytes32 content; // as in `Action`
    }

    /// @inheritdoc IKamengEscrow
    function accept(OrderTerms calldata terms) external {
        _perform(terms, Step(Verb.Accept, State.Opened, _sellerSide(terms), msg.sender, 0, 0));
    }

    /// @inheritdoc IKamengEscrow
    function deliver(OrderTerms calldata terms, bytes32 commitment) external {
        _perform(terms, Step(Verb.Deliver, State.Accepted, _sellerSide(terms), msg.sender, 0, commitment));
    }

    /// @inheritdoc IKamengEscrow
    function confirm(OrderTerms calldata terms, State expected) external {
        _perform(terms, Step(Verb.Confirm, expected, Role.Buyer, msg.sender, 0, 0));
    }

    /// @inheritdoc IKamengEscrow
    function cancel(OrderTerms calldata terms, State expected) external {
        _perform(terms, Step(Verb.Cancel, expected, Role.Buyer, msg.sender, 0, 0));
    }

    /// @inheritdoc IKamengEscrow
    function decline(OrderTerms calldata terms, State expected) external {
        _perform(terms, Step(Verb.Decline, expected, _sellerSide(terms), msg.sender, 0, 0));
    }

    /// @inheritdoc IKamengEscrow
    function refund(OrderTerms calldata terms, State expected) external {
        _perform(terms, Step(Verb.Refund, expected, _sellerSide(terms), msg.sender, 0, 0));
    }

    /// @inheritdoc IKamengEscrow
    function dispute(OrderTerms calldata terms, uint16 units, bytes32 evidence) external payable {
        _perform(terms, Step(Verb.Dispute, State.Delivered, Role.Buyer, msg.sender, units, evidence));
    }

    /// @inheritdoc IKamengEscrow
    function recommit(OrderTerms calldata terms, uint24 revision, bytes32 commitment) external {
        _perform(terms, Step(Verb.Recommit, State.Disputed, _sellerSide(terms), msg.sender, revision, commitment));
    }

    /// @inheritdoc IKamengEscrow
    function concede(OrderTerms calldata terms, Role role) external {
        _perform(terms, Step(Verb.Concede, State.Disputed, role, msg.sender, 0, 0));
    }

    /// @inheritdoc IKamengEscrow
    function revise(OrderTerms calldata terms, uint24 revision) external {
        Role role = msg.sender == terms.buyer ? Role.Buyer : Role.Seller;
        (, OrderSlot slot) = _load(terms);
        _perform(terms, Step(Verb.Revise, slot.state(), role, msg.sender, revision, 0));
    }

    /// @inheritdoc IKamengEscrow
    function act(OrderTerms calldata terms, Action calldata action, bytes calldata signature) external payable {
        Step memory step = _signedStep(terms, action, signature);
        if (msg.value != 0 && step.verb != Verb.Dispute) revert WrongValue(msg.value, 0);
        _perform(terms, step);
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
        _collectPermitted(terms.token, terms.buyer, bond, deadline, permitSignature);
        _pay(terms.token, terms.payTo, toSeller, address(0), 0);
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
        _collectAuthorized(terms.token, terms.buyer, bond, TypedData.disputeNonce(id), validBefore, authorization);
        _pay(terms.token, terms.payTo, toSeller, address(0), 0);
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
            if (slot.state() != State.Accepted || block.timestamp >= slot.deadline()) continue;
            if (msg.sender != order.seller) _requireRight(order, msg.sender, Lifecycle.DELIVER);

            _markDelivered(id, slot, commitments[i]);
            ++delivered;
        }
    }

    function _signedStep(OrderTerms calldata terms, Action calldata action, bytes calldata signature)
        private
        view
        returns (Step memory)
    {
        _requireLive(action.expiry);
        _requireSignature(action.signer, TypedData.action(_toId(terms), action), signature);
        return Step(action.verb, action.state, action.role, action.signer, action.number, action.content);
    }

    /// @dev A signed dispute up to its transfers.
    function _disputeSigned(OrderTerms calldata terms, Action calldata action, bytes calldata signature)
        private
        returns (OrderId id, uint256 bond, uint256 toSeller)
    {
        Step memory step = _signedStep(terms, action, signature);
        if (step.verb != Verb.Dispute) revert NoPaymentDue(step.verb);
        OrderSlot slot;
        (id, slot) = _load(terms);
        _checkStep(terms, id, slot, step);
        (bond, toSeller) = _dispute(terms, id, slot, step.number, step.content);
    }

    /// @dev One action of a party or operator, called or signed: all rows but openings, ruling, agreement and clocks.
    function _perform(OrderTerms calldata terms, Step memory step) private {
        (OrderId id, OrderSlot slot) = _load(terms);
        _checkStep(terms, id, slot, step);

        Verb verb = step.verb;
        if (verb == Verb.Deliver) {
            _markDelivered(id, slot, step.content);
        } else if (verb == Verb.Accept) {
            _orders[id] = slot.moved(State.Accepted, block.timestamp + slot.deliverWindow());
            _lockBond(terms.seller, terms.token, Shares.bps(terms.price, slot.sellerBondBps()));
            emit OrderAccepted(id);
        } else if (verb == Verb.Dispute) {
            (uint256 bond, uint256 toSeller) = _dispute(terms, id, slot, step.number, step.content);
            _collect(terms.token, terms.buyer, bond);
            _pay(terms.token, terms.payTo, toSeller, address(0), 0);
        } else if (verb == Verb.Concede) {
            address mediator = _mediatorNow(terms, slot);
            (uint256 sum,,) = _held(terms, slot);
            _closeByRuling(terms, id, slot, step.role == Role.Buyer ? 0 : sum, Outcome.Conceded, mediator);
        } else if (verb == Verb.Revise || verb == Verb.Recommit) {
            _raiseRevision(id, slot, step);
        } else {
            _closeOne(terms, id, slot, _ending(terms, id, slot, verb));
        }
    }

    /// @dev State, actor, time: for every verb the same, by the table in `Lifecycle`.
    function _checkStep(OrderTerms calldata terms, OrderId id, OrderSlot slot, Step memory step) private view {
        (Verb verb, State state, Role role) = (step.verb, step.state, step.role);
        if (slot.state() != state) revert WrongState(id, slot.state(), state);
        uint256 bit = Lifecycle.bit(verb, state);
        if (!Lifecycle.possible(bit)) revert NotPossible(id, state);

        if (role == Role.Buyer) {
            if (!Lifecycle.forBuyer(verb)) revert WrongRole(verb, role);
            if (step.actor != terms.buyer) revert Unauthorized(step.actor, terms.buyer);
            // Only who will be bound may void an offer: before the opening that is the seller.
            if (state == State.None) revert Unauthorized(step.actor, terms.seller);
        } else if (role == Role.Seller) {
            if (!Lifecycle.forSeller(verb)) revert WrongRole(verb, role);
            if (step.actor != terms.seller) revert Unauthorized(step.actor, terms.seller);
        } else {
            uint8 right = Lifecycle.rightFor(verb);
            if (right == 0) revert WrongRole(verb, role);
            _requireRight(terms, step.actor, right);
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
    function _ending(OrderTerms calldata terms, OrderId id, OrderSlot slot, Verb verb)
        private
        pure
        returns (Closing memory closing)
    {
        (uint256 amount, uint256 sellerBond, uint256 disputeBond) = _held(terms, slot);
        if (verb == Verb.Confirm) {
            closing.outcome = Outcome.Confirmed;
            Shares.split(closing, slot, amount, sellerBond, disputeBond, 0);
        } else if (verb == Verb.Refund) {
            closing.outcome = Outcome.Refunded;
            Shares.withdrawn(closing, amount, sellerBond, disputeBond);
        } else {
            closing.outcome = verb == Verb.Cancel ? Outcome.Cancelled : Outcome.Declined;
            if (slot.state() == State.Opened) {
                closing.toBuyer = amount;
            } else if (verb == Verb.Decline) {
                Shares.withdrawn(closing, amount, sellerBond, 0);
            } else {
                if (slot.cancelFeeBps() == NO_CANCEL) revert CancelNotAllowed(id);
                Shares.cancelled(closing, slot, amount, sellerBond);
            }
        }
    }

    /// @dev Row 13 up to its transfers: the dispute bond is still to be collected, the seller still to be paid.
    function _dispute(OrderTerms calldata terms, OrderId id, OrderSlot slot, uint256 units, bytes32 evidence)
        private
        returns (uint256 disputeBond, uint256 toSeller)
    {
        if (units == 0 || units > terms.units) revert UnitsOutOfRange(units, terms.units);

        (, uint256 bondBefore,) = _held(terms, slot);
        slot = slot.disputed(units, block.timestamp + slot.negotiateWindow() + slot.mediateWindow());
        _orders[id] = slot;
        uint256 sum;
        uint256 sellerBond;
        (sum, sellerBond, disputeBond) = _held(terms, slot);
        uint256 bondReturned = bondBefore - sellerBond;
        toSeller = terms.price - sum;
        uint256 platformFee = Shares.bps(toSeller, slot.platformFeeBps());
        toSeller -= platformFee;
        emit OrderDisputed(id, uint16(units), evidence, disputeBond, toSeller, platformFee, bondReturned);

        _accrueFee(terms.policyId, terms.token, platformFee);
        _returnBond(terms.seller, terms.token, bondReturned);
    }

    function _raiseRevision(OrderId id, OrderSlot slot, Step memory step) private {
        _requireRevision(slot, step.number);
        if (step.verb == Verb.Recommit && step.content == 0) revert EmptyCommitment();

        slot = slot.revised();
        _orders[id] = slot;
        if (step.verb == Verb.Recommit) emit OrderRecommitted(id, step.content, slot.revision());
        else emit OrderRevised(id, slot.revision());
    }

    /// @dev In what capacity the caller of a seller's verb comes.
    function _sellerSide(OrderTerms calldata terms) private view returns (Role) {
        return msg.sender == terms.seller ? Role.Seller : Role.Operator;
    }
}
