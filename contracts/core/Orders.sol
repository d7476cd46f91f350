// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Fault, IKamengEscrow, OrderId, OrderTerms, Outcome, State} from "../IKamengEscrow.sol";
import {OrderSlot} from "../libraries/OrderSlot.sol";
import {Shares} from "../libraries/Shares.sol";
import {Terms} from "../libraries/Terms.sol";
import {Sellers} from "./Sellers.sol";
import {Signatures} from "./Signatures.sol";
import {Treasury} from "./Treasury.sol";

/// @dev The orders themselves: one slot each, the guards that every verb shares, and the one way to end.
abstract contract Orders is Treasury, Sellers, Signatures {
    mapping(OrderId orderId => OrderSlot) internal _orders;

    /// @inheritdoc IKamengEscrow
    function slotOf(OrderId orderId) external view returns (uint256) {
        return OrderSlot.unwrap(_orders[orderId]);
    }

    // -------------------------------------------------------------------------------------------------------- closing

    function _record(
        OrderId id,
        OrderSlot slot,
        Outcome outcome,
        Fault fault,
        uint256 toBuyer,
        uint256 toSeller,
        uint256 platformFee,
        uint256 bondReturned
    ) internal {
        _orders[id] = slot.closed(outcome, fault, block.timestamp);
        emit OrderClosed(id, outcome, fault, toBuyer, toSeller, platformFee, bondReturned);
    }

    function _closeOne(
        OrderTerms calldata terms,
        OrderId id,
        OrderSlot slot,
        Outcome outcome,
        Fault fault,
        uint256 toBuyer,
        uint256 toSeller,
        uint256 platformFee,
        uint256 bondReturned
    ) internal {
        _record(id, slot, outcome, fault, toBuyer, toSeller, platformFee, bondReturned);
        address token = Terms.token(terms);
        _accrueFee(Terms.policyId(terms), token, platformFee);
        _returnBond(Terms.seller(terms), token, bondReturned);
        _pay(token, Terms.refundTo(terms), toBuyer, Terms.payTo(terms), toSeller);
    }

    function _closeByRuling(
        OrderTerms calldata terms,
        OrderId id,
        OrderSlot slot,
        uint256 toBuyer,
        Outcome outcome,
        address mediator
    ) internal {
        (uint256 sum, uint256 sellerBond, uint256 disputeBond) = _held(terms, slot);
        uint256 fee = Shares.bps(sum, slot.mediationFeeBps());
        if (fee != 0) {
            _credit(mediator, Terms.token(terms), fee);
            emit MediationFeeCredited(id, mediator, Terms.token(terms), fee);
        }
        (Fault fault, uint256 toRefundTo, uint256 toSeller, uint256 platformFee, uint256 bondReturned) =
            Shares.ruling(slot, sum, sum + sellerBond + disputeBond - fee, toBuyer);
        _closeOne(terms, id, slot, outcome, fault, toRefundTo, toSeller, platformFee, bondReturned);
    }

    // --------------------------------------------------------------------------------------------------------- guards

    function _load(OrderTerms calldata terms) internal view returns (OrderId id, OrderSlot slot) {
        id = _toId(terms);
        slot = _orders[id];
    }

    function _expect(OrderTerms calldata terms, State expected) internal view returns (OrderId id, OrderSlot slot) {
        (id, slot) = _load(terms);
        if (!slot.isIn(expected)) revert WrongState(id, slot.state(), expected);
    }

    function _held(OrderTerms calldata terms, OrderSlot slot) internal pure returns (uint256, uint256, uint256) {
        return Shares.held(slot, Terms.price(terms), Terms.units(terms));
    }

    function _requireNoParty(OrderTerms calldata terms, address account) internal pure {
        if (account == Terms.buyer(terms) || account == Terms.seller(terms)) revert ConflictOfInterest(account);
    }

    function _requireBefore(uint256 end) internal view {
        if (block.timestamp >= end) revert TooLate(block.timestamp, end);
    }

    function _requireRevision(OrderSlot slot, uint256 revision) internal pure {
        if (revision != slot.revision()) revert WrongRevision(revision, slot.revision());
    }

    /// @dev Whose half of the mediate window it is: [n, h) the mediator's, [h, d) the backup's if there is one.
    function _mediatorNow(OrderTerms calldata terms, OrderSlot slot) internal view returns (address mediator) {
        uint256 start = slot.negotiationEnd();
        if (block.timestamp < start) revert TooEarly(block.timestamp, start);
        _requireBefore(slot.deadline());
        PolicyRecord storage policy = _policies[Terms.policyId(terms)];
        if (block.timestamp >= start + slot.mediateWindow() / 2) mediator = policy.backupMediator;
        if (mediator == address(0)) mediator = policy.mediator;
    }
}
