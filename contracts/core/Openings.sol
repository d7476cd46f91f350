// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IKamengEscrow, Offer, OrderId, OrderTerms, State} from "../IKamengEscrow.sol";
import {Lifecycle} from "../libraries/Lifecycle.sol";
import {OrderSlot} from "../libraries/OrderSlot.sol";
import {PolicySlot} from "../libraries/PolicySlot.sol";
import {Shares} from "../libraries/Shares.sol";
import {TypedData} from "../libraries/TypedData.sol";
import {Orders} from "./Orders.sol";

/// @dev Rows 1 and 2: how an order comes to be. Each way to pay is a function here that opens, then collects.
abstract contract Openings is Orders {
    uint256 private constant MAX_PRICE = 2 ** 127 - 1;

    /// @inheritdoc IKamengEscrow
    function open(OrderTerms calldata terms) external payable returns (OrderId orderId) {
        orderId = _open(terms, msg.sender);
        _collect(terms.token, msg.sender, terms.price);
    }

    /// @inheritdoc IKamengEscrow
    function openWithOffer(OrderTerms calldata terms, Offer calldata offer) external payable returns (OrderId orderId) {
        orderId = _openWithOffer(terms, offer, msg.sender);
        _collect(terms.token, msg.sender, terms.price);
    }

    /// @inheritdoc IKamengEscrow
    function openWithPermit(OrderTerms calldata terms, Offer calldata offer, uint256 deadline, bytes calldata signature)
        external
        returns (OrderId orderId)
    {
        orderId = _openEither(terms, offer, msg.sender);
        _collectPermitted(terms.token, msg.sender, terms.price, deadline, signature);
    }

    /// @inheritdoc IKamengEscrow
    function openWithAuthorization(
        OrderTerms calldata terms,
        Offer calldata offer,
        address payer,
        uint256 validBefore,
        bytes calldata signature
    ) external returns (OrderId orderId) {
        orderId = _openEither(terms, offer, payer);
        _collectAuthorized(terms.token, payer, terms.price, OrderId.unwrap(orderId), validBefore, signature);
    }

    /// @inheritdoc IKamengEscrow
    function openWithPermit2(
        OrderTerms calldata terms,
        Offer calldata offer,
        address payer,
        uint256 nonce,
        uint256 deadline,
        bytes calldata signature
    ) external returns (OrderId orderId) {
        orderId = _openEither(terms, offer, payer);
        _collectByPermit2(terms, payer, nonce, deadline, signature);
    }

    /// @dev With the offer if there is one.
    function _openEither(OrderTerms calldata terms, Offer calldata offer, address payer) private returns (OrderId) {
        return offer.expiry == 0 ? _open(terms, payer) : _openWithOffer(terms, offer, payer);
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
}
