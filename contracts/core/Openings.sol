// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IKamengEscrow, Offer, OrderId, OrderTerms, State} from "../IKamengEscrow.sol";
import {Lifecycle} from "../libraries/Lifecycle.sol";
import {OrderSlot} from "../libraries/OrderSlot.sol";
import {PolicySlot} from "../libraries/PolicySlot.sol";
import {Shares} from "../libraries/Shares.sol";
import {Terms} from "../libraries/Terms.sol";
import {TypedData} from "../libraries/TypedData.sol";
import {Orders} from "./Orders.sol";

/// @dev Rows 1 and 2: how an order comes to be. Each way to pay is a function here that opens, then collects.
abstract contract Openings is Orders {
    uint256 private constant MAX_PRICE = 2 ** 127 - 1;

    /// @inheritdoc IKamengEscrow
    function open(OrderTerms calldata terms) external payable returns (OrderId orderId) {
        orderId = _open(terms, msg.sender);
        _collect(Terms.token(terms), msg.sender, Terms.price(terms));
    }

    /// @inheritdoc IKamengEscrow
    function openWithOffer(OrderTerms calldata terms, Offer calldata offer) external payable returns (OrderId orderId) {
        orderId = _openWithOffer(terms, offer, msg.sender);
        _collect(Terms.token(terms), msg.sender, Terms.price(terms));
    }

    /// @inheritdoc IKamengEscrow
    function openWithPermit(OrderTerms calldata terms, Offer calldata offer, uint256 deadline, bytes calldata signature)
        external
        returns (OrderId orderId)
    {
        orderId = _openEither(terms, offer, msg.sender);
        _collectPermitted(Terms.token(terms), msg.sender, Terms.price(terms), deadline, signature);
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
        _collectAuthorized(
            Terms.token(terms), payer, Terms.price(terms), OrderId.unwrap(orderId), validBefore, signature
        );
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
        address signer = offer.operator == address(0) ? Terms.seller(terms) : offer.operator;
        if (signer != Terms.seller(terms)) _requireRight(terms, signer, Lifecycle.ACCEPT);
        _requireSignature(signer, TypedData.offer(id, slot.revision(), offer.expiry), offer.signature);

        slot = slot.opened(policy.snapshot(), State.Accepted, 0);
        _orders[id] = slot.moved(State.Accepted, block.timestamp + slot.deliverWindow());
        _lockBond(Terms.seller(terms), Terms.token(terms), Shares.bps(Terms.price(terms), slot.sellerBondBps()));
        TypedData.emitOpened(id, terms, payer, State.Accepted);
    }

    /// @dev What holds of the terms of every order, for ever: their id vouches for it.
    function _checkTerms(OrderTerms calldata terms) private view returns (PolicySlot) {
        Terms.requireClean(terms);
        if (Terms.buyer(terms) == address(0) || Terms.buyer(terms) == Terms.seller(terms)) {
            revert InvalidAddress(Terms.buyer(terms));
        }
        if (Terms.seller(terms) == address(0)) revert InvalidAddress(Terms.seller(terms));
        _checkReceiver(Terms.token(terms), Terms.refundTo(terms));
        _checkReceiver(Terms.token(terms), Terms.payTo(terms));
        if (Terms.price(terms) == 0 || Terms.price(terms) > MAX_PRICE) {
            revert PriceOutOfRange(Terms.price(terms), MAX_PRICE);
        }
        if (Terms.units(terms) == 0) revert UnitsOutOfRange(0, type(uint16).max);
        if (block.timestamp > Terms.openBy(terms)) revert TooLate(block.timestamp, Terms.openBy(terms) + 1);
        return _livePolicy(Terms.policyId(terms));
    }
}
