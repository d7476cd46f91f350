// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {
    IKamengEscrow,
    Action,
    Fault,
    Offer,
    OrderId,
    OrderTerms,
    Outcome,
    Role,
    Split,
    State,
    Verb
} from "./IKamengEscrow.sol";
import {Sellers} from "./core/Sellers.sol";
import {Signatures} from "./core/Signatures.sol";
import {Treasury} from "./core/Treasury.sol";
import {Lifecycle} from "./libraries/Lifecycle.sol";
import {OrderSlot} from "./libraries/OrderSlot.sol";
import {PolicySlot} from "./libraries/PolicySlot.sol";
import {Closing, Shares} from "./libraries/Shares.sol";
import {TypedData} from "./libraries/TypedData.sol";

/// @title  Escrow of card orders: the lifecycle
/// @notice See `IKamengEscrow`, which documents every function, and the table of the lifecycle at its head.
/// @dev    One paragraph order in every verb: checks, state, event, transfer.
contract KamengEscrow is Treasury, Sellers, Signatures {
    uint256 private constant MAX_PRICE = 2 ** 127 - 1;
    uint256 private constant MAX_SPLIT_LIFE = 24 hours;

    /// @dev A verb as called or as signed.
    struct Step {
        Verb verb;
        State state; // the state the actor expects
        Role role;
        address actor;
        uint256 number; // as in `Action`
        bytes32 content; // as in `Action`
    }

    mapping(OrderId orderId => OrderSlot) private _orders;

    // ------------------------------------------------------------------------------------------------------ opening

    /// @inheritdoc IKamengEscrow
    function open(OrderTerms calldata terms) external payable returns (OrderId orderId) {
        orderId = _open(terms, msg.sender);
        _collect(terms.token, msg.sender, terms.price);
    }

    /// @inheritdoc IKamengEscrow
    function openWithOffer(OrderTerms calldata terms, Offer calldata offer)
        external
        payable
       
        returns (OrderId orderId)
    {
        orderId = _openWithOffer(terms, offer, msg.sender);
        _collect(terms.token, msg.sender, terms.price);
    }

    function _open(OrderTerms calldata terms, address payer) private returns (OrderId id) {
        OrderSlot slot;
        (id, slot) = _expect(terms, State.None);
        PolicySlot policy = _checkTerms(terms);

        _orders[id] = slot.opened(policy.snapshot(), State.Opened, block.timestamp + policy.acceptWindow());
        TypedData.emitOpened(id, terms, payer, State.Opened);
    }

    function _openWithOffer(OrderTerms calldata terms, Offer calldata offer, address payer)
        private
        returns (OrderId id)
    {
        OrderSlot slot;
        (id, slot) = _expect(terms, State.None);
        PolicySlot policy = _checkTerms(terms);
        _requireLive(offer.expiry);
        address signer = offer.operator == address(0) ? terms.seller : offer.operator;
        if (signer != terms.seller) _requireRight(terms, signer, Lifecycle.ACCEPT);
        _requireSignature(signer, TypedData.offer(id, slot.revision(), offer.expiry), offer.signature);

        slot = slot.opened(policy.snapshot(), State.Accepted, 0);
        _orders[id] = slot.moved(State.Accepted, block.timestamp + slot.deliverWindow());
        _lockBond(terms.seller, terms.token, Shares.bps(terms.price, slot.sellerBondBps()));
        TypedData.emitOpened(id, terms, payer, State.Accepted);
    }

    /// @dev Reads every field, and so checks the padding of those shorter than a word.
    function _checkTerms(OrderTerms calldata terms) private view returns (PolicySlot) {
        if (terms.buyer == address(0) || terms.buyer == terms.seller) revert InvalidAddress(terms.buyer);
        if (terms.seller == address(0)) revert InvalidAddress(terms.seller);
        _checkReceiver(terms.token, terms.refundTo);
        _checkReceiver(terms.token, terms.payTo);
        if (terms.price == 0 || terms.price > MAX_PRICE) revert PriceOutOfRange(terms.price, MAX_PRICE);
        if (terms.units == 0) revert UnitsOutOfRange(0, type(uint16).max);
        if (block.timestamp > terms.openBy) revert TooLate(block.timestamp, uint256(terms.openBy) + 1);
        return _livePolicy(terms.policyId);
    }

    // -------------------------------------------------------------------------------------------- verbs of the parties

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
        _requireLive(action.expiry);
        _requireSignature(action.signer, TypedData.action(_toId(terms), action), signature);
        if (msg.value != 0 && action.verb != Verb.Dispute) revert WrongValue(msg.value, 0);
        _perform(
            terms, Step(action.verb, action.state, action.role, action.signer, action.number, action.content)
        );
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
            _dispute(terms, id, slot, step.number, step.content);
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

    function _dispute(OrderTerms calldata terms, OrderId id, OrderSlot slot, uint256 units, bytes32 evidence)
        private
    {
        if (units == 0 || units > terms.units) revert UnitsOutOfRange(units, terms.units);

        (, uint256 bondBefore,) = _held(terms, slot);
        slot = slot.disputed(units, block.timestamp + slot.negotiateWindow() + slot.mediateWindow());
        _orders[id] = slot;
        (uint256 sum, uint256 sellerBond, uint256 disputeBond) = _held(terms, slot);
        uint256 bondReturned = bondBefore - sellerBond;
        uint256 toSeller = terms.price - sum;
        uint256 platformFee = Shares.bps(toSeller, slot.platformFeeBps());
        toSeller -= platformFee;
        emit OrderDisputed(id, uint16(units), evidence, disputeBond, toSeller, platformFee, bondReturned);

        _accrueFee(terms.policyId, terms.token, platformFee);
        _returnBond(terms.seller, terms.token, bondReturned);
        _collect(terms.token, terms.buyer, disputeBond);
        _pay(terms.token, terms.payTo, toSeller, address(0), 0);
    }

    function _raiseRevision(OrderId id, OrderSlot slot, Step memory step) private {
        _requireRevision(slot, step.number);
        if (step.verb == Verb.Recommit && step.content == 0) revert EmptyCommitment();

        slot = slot.revised();
        _orders[id] = slot;
        if (step.verb == Verb.Recommit) emit OrderRecommitted(id, step.content, slot.revision());
        else emit OrderRevised(id, slot.revision());
    }

    // ------------------------------------------------------------------------- mediator, agreement, platform, clocks

    /// @inheritdoc IKamengEscrow
    function rule(OrderTerms calldata terms, uint256 toBuyer, bytes32 grounds) external {
        (OrderId id, OrderSlot slot) = _expect(terms, State.Disputed);
        address mediator = _mediatorNow(terms, slot);
        if (msg.sender != mediator) revert Unauthorized(msg.sender, mediator);
        _requireNoParty(terms, msg.sender);
        (uint256 sum,,) = _held(terms, slot);
        if (toBuyer > sum) revert AmountOutOfRange(toBuyer, sum);

        emit OrderRuled(id, mediator, toBuyer, grounds);
        _closeByRuling(terms, id, slot, toBuyer, Outcome.Ruled, mediator);
    }

    /// @inheritdoc IKamengEscrow
    function agree(
        OrderTerms calldata terms,
        Split calldata split,
        bytes calldata buyerSignature,
        bytes calldata sellerSignature
    ) external {
        (OrderId id, OrderSlot slot) = _expect(terms, split.state);
        if (split.state == State.None || split.state == State.Closed) {
            revert NotPossible(id, split.state);
        }
        if (split.disputedUnits != slot.disputedUnits()) {
            revert WrongDisputedUnits(split.disputedUnits, slot.disputedUnits());
        }
        _requireRevision(slot, split.revision);
        _requireLive(split.expiry);
        uint256 maxExpiry = block.timestamp + MAX_SPLIT_LIFE;
        if (split.expiry > maxExpiry) revert ExpiryTooFar(split.expiry, maxExpiry);
        bytes32 structHash = TypedData.split(id, split);
        if (msg.sender != terms.buyer) _requireSignature(terms.buyer, structHash, buyerSignature);
        if (msg.sender != terms.seller) _requireSignature(terms.seller, structHash, sellerSignature);
        (uint256 amount, uint256 sellerBond, uint256 disputeBond) = _held(terms, slot);
        if (split.toBuyer > amount) revert AmountOutOfRange(split.toBuyer, amount);

        Closing memory closing;
        closing.outcome = Outcome.Agreed;
        Shares.split(closing, slot, amount, sellerBond, disputeBond, split.toBuyer);
        _closeOne(terms, id, slot, closing);
    }

    /// @inheritdoc IKamengEscrow
    function intervene(OrderTerms calldata terms, State expected) external {
        (OrderId id, OrderSlot slot) = _expect(terms, expected);
        if (expected != State.Opened && expected != State.Accepted) revert NotPossible(id, expected);
        address platform = _policies[terms.policyId].platform;
        if (msg.sender != platform) revert Unauthorized(msg.sender, platform);
        _requireNoParty(terms, msg.sender);
        _requireBefore(slot.deadline());

        Closing memory closing;
        (closing.toBuyer, closing.bondReturned,) = _held(terms, slot);
        (closing.outcome, closing.fault) = (Outcome.Intervened, Fault.Platform);
        _closeOne(terms, id, slot, closing);
    }

    /// @inheritdoc IKamengEscrow
    function settle(OrderTerms calldata terms) external {
        (OrderId id, OrderSlot slot) = _load(terms);
        State state = slot.state();
        if (state == State.None || state == State.Closed) revert NotPossible(id, state);
        if (block.timestamp < slot.deadline()) revert TooEarly(block.timestamp, slot.deadline());

        _closeOne(terms, id, slot, Shares.timeout(slot, state, terms.price, terms.units));
    }

    // -------------------------------------------------------------------------------------------------------- batches

    /// @inheritdoc IKamengEscrow
    function settleMany(OrderTerms[] calldata terms) external returns (uint256 settled) {
        Ledger memory ledger = _newLedger(terms.length);
        for (uint256 i; i < terms.length; ++i) {
            (OrderId id, OrderSlot slot) = _load(terms[i]);
            State state = slot.state();
            if (state == State.None || state == State.Closed || block.timestamp < slot.deadline()) continue;

            Closing memory closing = Shares.timeout(slot, state, terms[i].price, terms[i].units);
            _record(id, slot, closing);
            address token = terms[i].token;
            _addFee(ledger, terms[i].policyId, token, closing.platformFee);
            _addBond(ledger, terms[i].seller, token, closing.bondReturned);
            _addPayout(ledger, token, terms[i].refundTo, closing.toBuyer);
            _addPayout(ledger, token, terms[i].payTo, closing.toSeller);
            ++settled;
        }
        _post(ledger);
    }

    /// @inheritdoc IKamengEscrow
    function deliverMany(OrderTerms[] calldata terms, bytes32[] calldata commitments)
        external
       
        returns (uint256 delivered)
    {
        if (terms.length != commitments.length) revert LengthMismatch(terms.length, commitments.length);
        for (uint256 i; i < terms.length; ++i) {
            (OrderId id, OrderSlot slot) = _load(terms[i]);
            if (slot.state() != State.Accepted || block.timestamp >= slot.deadline()) continue;
            if (msg.sender != terms[i].seller) _requireRight(terms[i], msg.sender, Lifecycle.DELIVER);

            _markDelivered(id, slot, commitments[i]);
            ++delivered;
        }
    }

    // -------------------------------------------------------------------------------------------------------- closing

    function _record(OrderId id, OrderSlot slot, Closing memory closing) private {
        _orders[id] = slot.closed(closing.outcome, closing.fault, block.timestamp);
        emit OrderClosed(
            id,
            closing.outcome,
            closing.fault,
            closing.toBuyer,
            closing.toSeller,
            closing.platformFee,
            closing.bondReturned
        );
    }

    function _closeOne(OrderTerms calldata terms, OrderId id, OrderSlot slot, Closing memory closing) private {
        _record(id, slot, closing);
        address token = terms.token;
        _accrueFee(terms.policyId, token, closing.platformFee);
        _returnBond(terms.seller, token, closing.bondReturned);
        _pay(token, terms.refundTo, closing.toBuyer, terms.payTo, closing.toSeller);
    }

    function _closeByRuling(
        OrderTerms calldata terms,
        OrderId id,
        OrderSlot slot,
        uint256 toBuyer,
        Outcome outcome,
        address mediator
    ) private {
        Closing memory closing;
        closing.outcome = outcome;
        (uint256 sum, uint256 sellerBond, uint256 disputeBond) = _held(terms, slot);
        uint256 fee = Shares.ruling(closing, slot, sum, sellerBond, disputeBond, toBuyer);
        if (fee != 0) {
            _credit(mediator, terms.token, fee);
            emit MediationFeeCredited(id, mediator, terms.token, fee);
        }
        _closeOne(terms, id, slot, closing);
    }

    // --------------------------------------------------------------------------------------------------------- guards

    function _load(OrderTerms calldata terms) private view returns (OrderId id, OrderSlot slot) {
        id = _toId(terms);
        slot = _orders[id];
    }

    function _expect(OrderTerms calldata terms, State expected) private view returns (OrderId id, OrderSlot slot) {
        (id, slot) = _load(terms);
        if (slot.state() != expected) revert WrongState(id, slot.state(), expected);
    }

    function _held(OrderTerms calldata terms, OrderSlot slot) private pure returns (uint256, uint256, uint256) {
        return Shares.held(slot, slot.state(), terms.price, terms.units);
    }

    /// @dev In what capacity the caller of a seller's verb comes.
    function _sellerSide(OrderTerms calldata terms) private view returns (Role) {
        return msg.sender == terms.seller ? Role.Seller : Role.Operator;
    }

    function _requireNoParty(OrderTerms calldata terms, address account) private pure {
        if (account == terms.buyer || account == terms.seller) revert ConflictOfInterest(account);
    }

    function _requireBefore(uint256 end) private view {
        if (block.timestamp >= end) revert TooLate(block.timestamp, end);
    }

    function _requireRevision(OrderSlot slot, uint256 revision) private pure {
        if (revision != slot.revision()) revert WrongRevision(revision, slot.revision());
    }

    /// @dev Whose half of the mediate window it is: [n, h) the mediator's, [h, d) the backup's if there is one.
    function _mediatorNow(OrderTerms calldata terms, OrderSlot slot) private view returns (address mediator) {
        uint256 start = slot.negotiationEnd();
        if (block.timestamp < start) revert TooEarly(block.timestamp, start);
        _requireBefore(slot.deadline());
        PolicyRecord storage policy = _policies[terms.policyId];
        if (block.timestamp >= start + slot.mediateWindow() / 2) mediator = policy.backupMediator;
        if (mediator == address(0)) mediator = policy.mediator;
    }

    // ---------------------------------------------------------------------------------------------------------- views

    /// @inheritdoc IKamengEscrow
    function slotOf(OrderId orderId) external view returns (uint256) {
        return OrderSlot.unwrap(_orders[orderId]);
    }
}
