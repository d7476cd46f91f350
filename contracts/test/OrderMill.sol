// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";

import {IKamengEscrow, Offer, OrderTerms, PolicyId, State} from "../IKamengEscrow.sol";

/// @title  A seller that makes orders by the hundred, for benchmarks
/// @notice It pays for its own orders, signs whatever it is asked to, and plays the buyer for its partner's orders.
contract OrderMill is IERC1271 {
    /// Orders from here on have the partner as their buyer; those below have buyers who never do anything.
    uint256 public constant PARTNERS = 1 << 64;

    IKamengEscrow public immutable escrow;
    PolicyId public immutable policyId;
    OrderMill public immutable partner;
    uint40 private immutable _openBy = uint40(block.timestamp + 3650 days);

    constructor(IKamengEscrow escrow_, PolicyId policyId_, OrderMill partner_) {
        escrow = escrow_;
        policyId = policyId_;
        partner = partner_;
    }

    receive() external payable {}

    function isValidSignature(bytes32, bytes calldata) external pure returns (bytes4) {
        return IERC1271.isValidSignature.selector;
    }

    /// @notice The terms of the order of a number. Three orders in a row have the same buyer.
    function termsOf(uint256 number) public view returns (OrderTerms memory) {
        address buyer =
            number < PARTNERS ? address(uint160(uint256(keccak256(abi.encode(this, number / 3))))) : address(partner);
        return OrderTerms({
            buyer: buyer,
            refundTo: buyer,
            seller: address(this),
            payTo: address(this),
            token: address(0),
            price: uint128(1_000_000 + (number % 977) * 1013),
            units: uint16(1 + number % 20),
            policyId: policyId,
            listing: keccak256(abi.encode("listing", number)),
            openBy: _openBy,
            salt: keccak256(abi.encode("salt", number))
        });
    }

    function fundBond(uint256 amount) external {
        escrow.fundBond{value: amount}(address(this), address(0), amount);
    }

    function open(uint256 first, uint256 count) external {
        for (uint256 number = first; number < first + count; ++number) {
            OrderTerms memory terms = termsOf(number);
            escrow.open{value: terms.price}(terms);
        }
    }

    function openWithOffer(uint256 first, uint256 count) external {
        Offer memory offer = Offer({operator: address(0), expiry: type(uint40).max, signature: "yes"});
        for (uint256 number = first; number < first + count; ++number) {
            OrderTerms memory terms = termsOf(number);
            escrow.openWithOffer{value: terms.price}(terms, offer);
        }
    }

    function accept(uint256 first, uint256 count) external {
        for (uint256 number = first; number < first + count; ++number) {
            escrow.accept(termsOf(number));
        }
    }

    function deliver(uint256 first, uint256 count) external {
        bytes32[] memory commitments = new bytes32[](count);
        for (uint256 i; i < count; ++i) {
            commitments[i] = keccak256(abi.encode("commitment", first + i));
        }
        escrow.deliverMany(_many(first, count), commitments);
    }

    function refund(uint256 first, uint256 count) external {
        for (uint256 number = first; number < first + count; ++number) {
            escrow.refund(termsOf(number), State.Delivered);
        }
    }

    function settle(uint256 first, uint256 count) external {
        escrow.settleMany(_many(first, count));
    }

    /// @notice Lets the partner confirm orders of `PARTNERS` on.
    function confirm(uint256 first, uint256 count) external {
        partner.confirmAll(first, count);
    }

    /// @notice Confirms the caller's orders as their buyer.
    function confirmAll(uint256 first, uint256 count) external {
        OrderMill seller = OrderMill(payable(msg.sender));
        for (uint256 number = first; number < first + count; ++number) {
            escrow.confirm(seller.termsOf(number), State.Delivered);
        }
    }

    function _many(uint256 first, uint256 count) private view returns (OrderTerms[] memory terms) {
        terms = new OrderTerms[](count);
        for (uint256 i; i < count; ++i) {
            terms[i] = termsOf(first + i);
        }
    }
}
