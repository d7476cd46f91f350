// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {State, Outcome, Fault} from "../IKamengEscrow.sol";
import {OrderSlot} from "./OrderSlot.sol";

/// @dev How an order ends: what goes where, in base units.
struct Closing {
    Outcome outcome;
    Fault fault;
    uint256 toBuyer; // to refundTo
    uint256 toSeller; // to payTo
    uint256 platformFee; // accrues to the policy
    uint256 bondReturned; // to the seller's bond balance
}

/// @dev What the escrow holds for an open order, in base units.
struct Held {
    uint256 amount; // the price; once Disputed the sum in dispute
    uint256 sellerBond; // zero before acceptance
    uint256 disputeBond; // zero outside Disputed
}

/**
 * @dev The money of every row, as pure functions of price, units and slot. Every division rounds down. Prices are below
 *      2^127 and shares at most 10,000, so that nothing here can overflow.
 */
library Shares {
    uint256 internal constant BPS = 10_000;

    function bps(uint256 amount, uint256 rate) internal pure returns (uint256) {
        unchecked {
            return amount * rate / BPS;
        }
    }

    /// @dev The part of the price that `disputedUnits` of `units` stand for: what is not in dispute rounds down.
    function sumInDispute(uint256 price, uint256 units, uint256 disputedUnits) internal pure returns (uint256) {
        unchecked {
            return price - price * (units - disputedUnits) / units;
        }
    }

    function held(OrderSlot slot, State state, uint256 price, uint256 units) internal pure returns (Held memory) {
        if (state == State.Opened) return Held(price, 0, 0);
        if (state != State.Disputed) return Held(price, bps(price, slot.sellerBondBps()), 0);
        uint256 sum = sumInDispute(price, units, slot.disputedUnits());
        return Held(sum, bps(sum, slot.sellerBondBps()), bps(sum, slot.disputeBondBps()));
    }

    /// @dev Of what is held, `toBuyer` and the dispute bond to the buyer, the rest less the platform fee to the seller,
    ///      the seller's bond back. With zero: rows 11 and 15. With all: rows 4, 5 and 9. In between: row 18.
    function split(OrderSlot slot, Held memory h, uint256 toBuyer, Outcome outcome, Fault fault)
        internal
        pure
        returns (Closing memory)
    {
        unchecked {
            uint256 rest = h.amount - toBuyer;
            uint256 fee = bps(rest, slot.platformFeeBps());
            return Closing(outcome, fault, toBuyer + h.disputeBond, rest - fee, fee, h.sellerBond);
        }
    }

    /// @dev Rows 8, 12 and 14: all to the buyer with the larger half of the seller's bond.
    function withdrawn(Held memory h, Outcome outcome) internal pure returns (Closing memory) {
        unchecked {
            uint256 half = h.sellerBond / 2;
            return Closing(outcome, Fault.Seller, h.amount + h.disputeBond + h.sellerBond - half, 0, 0, half);
        }
    }

    /// @dev Row 7: the cancel fee to the seller, without a platform fee.
    function cancelled(OrderSlot slot, Held memory h) internal pure returns (Closing memory) {
        unchecked {
            uint256 fee = bps(h.amount, slot.cancelFeeBps());
            return Closing(Outcome.Cancelled, Fault.Buyer, h.amount - fee, fee, 0, h.sellerBond);
        }
    }

    /// @dev Row 16: the sum in dispute as awarded; both bonds, less the mediation fee, follow it in proportion.
    /// @return closing the shares
    /// @return mediationFee base units
    function ruling(OrderSlot slot, Held memory h, uint256 toBuyer, Outcome outcome)
        internal
        pure
        returns (Closing memory closing, uint256 mediationFee)
    {
        unchecked {
            mediationFee = bps(h.amount, slot.mediationFeeBps());
            uint256 pot = h.amount + h.disputeBond + h.sellerBond - mediationFee;
            uint256 earned = h.amount - toBuyer;
            // Bonds are at most half of the sum each: pot < 2^128, earned < 2^127, so the product stays below 2^255.
            uint256 sellerPot = pot * earned / h.amount;
            uint256 fee = bps(earned, slot.platformFeeBps());
            Fault fault = toBuyer > earned ? Fault.Seller : toBuyer < earned ? Fault.Buyer : Fault.None;
            closing = Closing(outcome, fault, pot - sellerPot, earned - fee, fee, sellerPot - earned);
        }
    }

    /// @dev Rows 4, 10, 11 and 17: what the clock does when nobody acted.
    function timeout(OrderSlot slot, State state, Held memory h) internal pure returns (Closing memory) {
        if (state == State.Opened) return split(slot, h, h.amount, Outcome.Expired, Fault.None);
        if (state == State.Delivered) return split(slot, h, 0, Outcome.Released, Fault.None);
        unchecked {
            if (state == State.Accepted) {
                return Closing(Outcome.Undelivered, Fault.Seller, h.amount + h.sellerBond, 0, 0, 0);
            }
            uint256 toSeller = bps(h.amount, BPS - slot.silenceShareBps());
            Fault fault = slot.mediateWindow() == 0 ? Fault.None : Fault.Mediator;
            return Closing(
                Outcome.Defaulted, fault, h.amount - toSeller + h.disputeBond, toSeller, 0, h.sellerBond
            );
        }
    }
}
