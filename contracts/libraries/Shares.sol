// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Fault, Outcome, State} from "../IKamengEscrow.sol";
import {OrderSlot} from "./OrderSlot.sol";

/**
 * @dev The money of every row, as pure functions of price, units and slot. Every division rounds down. Prices are below
 *      2^127 and shares at most 10,000, so that nothing here can overflow.
 *
 *      How an order ends is six values, always in this order: outcome, fault, and in base units what goes to refundTo,
 *      to payTo, to the platform's fees and back to the seller's bond balance. They stay on the stack, where they cost
 *      less than as a struct in memory.
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

    /// @return amount      the price; once Disputed the sum in dispute
    /// @return sellerBond  what of the seller's bond is locked; zero before acceptance
    /// @return disputeBond zero outside Disputed
    function held(OrderSlot slot, uint256 price, uint256 units)
        internal
        pure
        returns (uint256 amount, uint256 sellerBond, uint256 disputeBond)
    {
        amount = price;
        if (slot.isIn(State.Disputed)) {
            amount = sumInDispute(price, units, slot.disputedUnits());
            disputeBond = bps(amount, slot.disputeBondBps());
        }
        if (!slot.isIn(State.Opened)) sellerBond = bps(amount, slot.sellerBondBps());
    }

    /// @dev What the seller earns less the platform fee on it: rows 11, 13, 15, 16 and 18.
    function lessFee(OrderSlot slot, uint256 earned) internal pure returns (uint256 toSeller, uint256 platformFee) {
        unchecked {
            platformFee = bps(earned, slot.platformFeeBps());
            toSeller = earned - platformFee;
        }
    }

    /// @dev Rows 8, 12 and 14: all to the buyer with the larger half of the seller's bond.
    function withdrawn(uint256 amount, uint256 sellerBond, uint256 disputeBond)
        internal
        pure
        returns (uint256 toBuyer, uint256 bondReturned)
    {
        unchecked {
            bondReturned = sellerBond / 2;
            toBuyer = amount + disputeBond + sellerBond - bondReturned;
        }
    }

    /// @dev Row 16: the sum in dispute as awarded; the pot (the sum and both bonds, less the mediation fee) follows it in
    ///      proportion.
    function ruling(OrderSlot slot, uint256 amount, uint256 pot, uint256 awarded)
        internal
        pure
        returns (Fault fault, uint256 toBuyer, uint256 toSeller, uint256 platformFee, uint256 bondReturned)
    {
        unchecked {
            uint256 earned = amount - awarded;
            // Bonds are at most half of the sum each: pot < 2^128, earned < 2^127, so the product stays below 2^255.
            uint256 sellerPot = pot * earned / amount;
            fault = awarded > earned ? Fault.Seller : awarded < earned ? Fault.Buyer : Fault.None;
            toBuyer = pot - sellerPot;
            bondReturned = sellerPot - earned;
            (toSeller, platformFee) = lessFee(slot, earned);
        }
    }

    /// @dev Rows 4, 10, 11 and 17: what the clock does when nobody acted.
    function timeout(OrderSlot slot, uint256 price, uint256 units)
        internal
        pure
        returns (
            Outcome outcome,
            Fault fault,
            uint256 toBuyer,
            uint256 toSeller,
            uint256 platformFee,
            uint256 bondReturned
        )
    {
        (uint256 amount, uint256 sellerBond, uint256 disputeBond) = held(slot, price, units);
        if (slot.isIn(State.Delivered)) {
            outcome = Outcome.Released;
            (toSeller, platformFee) = lessFee(slot, amount);
            bondReturned = sellerBond;
        } else if (slot.isIn(State.Opened)) {
            outcome = Outcome.Expired;
            toBuyer = amount;
        } else if (slot.isIn(State.Accepted)) {
            outcome = Outcome.Undelivered;
            fault = Fault.Seller;
            unchecked {
                toBuyer = amount + sellerBond;
            }
        } else {
            outcome = Outcome.Defaulted;
            fault = slot.mediateWindow() == 0 ? Fault.None : Fault.Mediator;
            unchecked {
                toSeller = bps(amount, BPS - slot.silenceShareBps());
                toBuyer = amount - toSeller + disputeBond;
            }
            bondReturned = sellerBond;
        }
    }
}
