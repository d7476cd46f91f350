// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Fault, IKamengEscrow, OrderId, OrderTerms, Outcome, Split, State} from "./IKamengEscrow.sol";
import {Actions} from "./core/Actions.sol";
import {Openings} from "./core/Openings.sol";
import {OrderSlot} from "./libraries/OrderSlot.sol";
import {Shares} from "./libraries/Shares.sol";
import {Terms} from "./libraries/Terms.sol";
import {TypedData} from "./libraries/TypedData.sol";

/**
 * @title  Escrow of card orders
 * @notice See `IKamengEscrow`, which documents every function, and the table of the lifecycle at its head.
 * @dev    One paragraph order in every verb: checks, state, event, transfer. How orders are opened and what their
 *         parties do stands in `core/`; here is what others may do: mediators, platforms, both parties together, and
 *         anyone once a clock has run out.
 */
contract KamengEscrow is Openings, Actions {
    uint256 private constant MAX_SPLIT_LIFE = 24 hours;

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
        if (msg.sender != Terms.buyer(terms)) _requireSignature(Terms.buyer(terms), structHash, buyerSignature);
        if (msg.sender != Terms.seller(terms)) _requireSignature(Terms.seller(terms), structHash, sellerSignature);
        (uint256 amount, uint256 sellerBond, uint256 disputeBond) = _held(terms, slot);
        if (split.toBuyer > amount) revert AmountOutOfRange(split.toBuyer, amount);

        (uint256 toSeller, uint256 fee) = Shares.lessFee(slot, amount - split.toBuyer);
        _closeOne(terms, id, slot, Outcome.Agreed, Fault.None, split.toBuyer + disputeBond, toSeller, fee, sellerBond);
    }

    /// @inheritdoc IKamengEscrow
    function intervene(OrderTerms calldata terms, State expected) external {
        (OrderId id, OrderSlot slot) = _expect(terms, expected);
        if (expected != State.Opened && expected != State.Accepted) revert NotPossible(id, expected);
        address platform = _policies[Terms.policyId(terms)].platform;
        if (msg.sender != platform) revert Unauthorized(msg.sender, platform);
        _requireNoParty(terms, msg.sender);
        _requireBefore(slot.deadline());

        (uint256 price, uint256 sellerBond,) = _held(terms, slot);
        _closeOne(terms, id, slot, Outcome.Intervened, Fault.Platform, price, 0, 0, sellerBond);
    }

    /// @inheritdoc IKamengEscrow
    function settle(OrderTerms calldata terms) external {
        (OrderId id, OrderSlot slot) = _load(terms);
        if (!slot.isOpen()) revert NotPossible(id, slot.state());
        if (block.timestamp < slot.deadline()) revert TooEarly(block.timestamp, slot.deadline());

        (Outcome outcome, Fault fault, uint256 toBuyer, uint256 toSeller, uint256 platformFee, uint256 bondReturned) =
            Shares.timeout(slot, Terms.price(terms), Terms.units(terms));
        _closeOne(terms, id, slot, outcome, fault, toBuyer, toSeller, platformFee, bondReturned);
    }

    /// @inheritdoc IKamengEscrow
    function settleMany(OrderTerms[] calldata terms) external returns (uint256 settled) {
        Ledger memory ledger = _newLedger(terms.length);
        for (uint256 i; i < terms.length; ++i) {
            OrderTerms calldata order = terms[i];
            (OrderId id, OrderSlot slot) = _load(order);
            if (!slot.isOpen() || block.timestamp < slot.deadline()) continue;

            (
                Outcome outcome,
                Fault fault,
                uint256 toBuyer,
                uint256 toSeller,
                uint256 platformFee,
                uint256 bondReturned
            ) = Shares.timeout(slot, Terms.price(order), Terms.units(order));
            _record(id, slot, outcome, fault, toBuyer, toSeller, platformFee, bondReturned);
            address token = Terms.token(order);
            _addFee(ledger, Terms.policyId(order), token, platformFee);
            _addBond(ledger, Terms.seller(order), token, bondReturned);
            _addPayout(ledger, token, Terms.refundTo(order), toBuyer);
            _addPayout(ledger, token, Terms.payTo(order), toSeller);
            ++settled;
        }
        _post(ledger);
    }
}
