// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IKamengEscrow, OrderId, OrderTerms, Outcome, State} from "../IKamengEscrow.sol";
import {OrderSlot} from "../libraries/OrderSlot.sol";
import {Closing, Shares} from "../libraries/Shares.sol";
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

    function _record(OrderId id, OrderSlot slot, Closing memory closing) internal {
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

    function _closeOne(OrderTerms calldata terms, OrderId id, OrderSlot slot, Closing memory closing) internal {
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
    ) internal {
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

    function _load(OrderTerms calldata terms) internal view returns (OrderId id, OrderSlot slot) {
        id = _toId(terms);
        slot = _orders[id];
    }

    function _expect(OrderTerms calldata terms, State expected) internal view returns (OrderId id, OrderSlot slot) {
        (id, slot) = _load(terms);
        if (slot.state() != expected) revert WrongState(id, slot.state(), expected);
    }

    function _held(OrderTerms calldata terms, OrderSlot slot) internal pure returns (uint256, uint256, uint256) {
        return Shares.held(slot, slot.state(), terms.price, terms.units);
    }

    function _requireNoParty(OrderTerms calldata terms, address account) internal pure {
        if (account == terms.buyer || account == terms.seller) revert ConflictOfInterest(account);
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
        PolicyRecord storage policy = _policies[terms.policyId];
        if (block.timestamp >= start + slot.mediateWindow() / 2) mediator = policy.backupMediator;
        if (mediator == address(0)) mediator = policy.mediator;
    }
}
