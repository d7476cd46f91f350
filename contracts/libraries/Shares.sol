// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Fault, Outcome, State} from "../IKamengEscrow.sol";
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

    /// @return amount      the price; once Disputed the sum in dispute
    /// @return sellerBond  what of the seller's bond is locked; zero before acceptance
    /// @return disputeBond zero outside Disputed
    function held(OrderSlot slot, State state, uint256 price, uint256 units)
        internal
        pure
        returns (uint256 amount, uint256 sellerBond, uint256 disputeBond)
    {
        amount = price;
        if (state == State.Disputed) {
            amount = sumInDispute(price, units, slot.disputedUnits());
            disputeBond = bps(amount, slot.disputeBondBps());
        }
        if (state != State.Opened) sellerBond = bps(amount, slot.sellerBondBps());
    }

    /// @dev Of what is held, `toBuyer` and the dispute bond to the buyer, the rest less the platform fee to the seller,
    ///      the seller's bond back. With zero: rows 11 and 15. With all: rows 4, 5 and 9. In between: row 18.
    function split(
        Closing memory closing,
        OrderSlot slot,
        uint256 amount,
        uint256 sellerBond,
        uint256 disputeBond,
        uint256 toBuyer
    ) internal pure {
        unchecked {
            uint256 rest = amount - toBuyer;
            uint256 fee = bps(rest, slot.platformFeeBps());
            closing.toBuyer = toBuyer + disputeBond;
            closing.toSeller = rest - fee;
            closing.platformFee = fee;
            closing.bondReturned = sellerBond;
        }
    }

    /// @dev Rows 8, 12 and 14: all to the buyer with the larger half of the seller's bond.
    function withdrawn(Closing memory closing, uint256 amount, uint256 sellerBond, uint256 disputeBond) internal pure {
        unchecked {
            uint256 half = sellerBond / 2;
            closing.fault = Fault.Seller;
            closing.toBuyer = amount + disputeBond + sellerBond - half;
            closing.bondReturned = half;
        }
    }

    /// @dev Row 7: the cancel fee to the seller, without a platform fee.
    function cancelled(Closing memory closing, OrderSlot slot, uint256 amount, uint256 sellerBond) internal pure {
        unchecked {
            uint256 fee = bps(amount, slot.cancelFeeBps());
            closing.fault = Fault.Buyer;
            closing.toBuyer = amount - fee;
            closing.toSeller = fee;
            closing.bondReturned = sellerBond;
        }
    }

    /// @dev Row 16: the sum in dispute as awarded; both bonds, less the mediation fee, follow it in proportion.
    /// @return mediationFee base units
    function ruling(
        Closing memory closing,
        OrderSlot slot,
        uint256 amount,
        uint256 sellerBond,
        uint256 disputeBond,
        uint256 toBuyer
    ) internal pure returns (uint256 mediationFee) {
        unchecked {
            mediationFee = bps(amount, slot.mediationFeeBps());
            uint256 pot = amount + disputeBond + sellerBond - mediationFee;
            uint256 earned = amount - toBuyer;
            // Bonds are at most half of the sum each: pot < 2^128, earned < 2^127, so the product stays below 2^255.
            uint256 sellerPot = pot * earned / amount;
            uint256 fee = bps(earned, slot.platformFeeBps());
            closing.fault = toBuyer > earned ? Fault.Seller : toBuyer < earned ? Fault.Buyer : Fault.None;
            closing.toBuyer = pot - sellerPot;
            closing.toSeller = earned - fee;
            closing.platformFee = fee;
            closing.bondReturned = sellerPot - earned;
        }
    }

    /// @dev Rows 4, 10, 11 and 17: what the clock does when nobody acted.
    function timeout(OrderSlot slot, State state, uint256 price, uint256 units)
        internal
        pure
        returns (Closing memory closing)
    {
        (uint256 amount, uint256 sellerBond, uint256 disputeBond) = held(slot, state, price, units);
        if (state == State.Opened) {
            closing.outcome = Outcome.Expired;
            closing.toBuyer = amount;
        } else if (state == State.Delivered) {
            closing.outcome = Outcome.Released;
            split(closing, slot, amount, sellerBond, 0, 0);
        } else {
            unchecked {
                if (state == State.Accepted) {
                    closing.outcome = Outcome.Undelivered;
                    closing.fault = Fault.Seller;
                    closing.toBuyer = amount + sellerBond;
                } else {
                    uint256 toSeller = bps(amount, BPS - slot.silenceShareBps());
                    closing.outcome = Outcome.Defaulted;
                    closing.fault = slot.mediateWindow() == 0 ? Fault.None : Fault.Mediator;
                    closing.toBuyer = amount - toSeller + disputeBond;
                    closing.toSeller = toSeller;
                    closing.bondReturned = sellerBond;
                }
            }
        }
    }
}
