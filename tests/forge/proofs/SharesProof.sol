// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Fault, Outcome, State} from "../../../contracts/IKamengEscrow.sol";
import {OrderSlot} from "../../../contracts/libraries/OrderSlot.sol";
import {Shares} from "../../../contracts/libraries/Shares.sol";
import {vm} from "./Cheats.sol";

/**
 * @notice Every row gives out exactly what it held, and no unchecked step of it overflows.
 * @dev    Bounds: those of the contract and no others. Prices 0 < P < 2^127, units 1 … 65,535, disputed units up to
 *         them, and every rate that its field has room for and registration allows.
 *
 *         Products and quotients of unknowns are beyond a solver of bits. So each is assumed to be what multiplication
 *         and division of whole numbers make of it: the lemmas beside `_part` and `_slice` say so, and are proved for
 *         all whole numbers by bench/verify/lemmas.py. That the EVM's arithmetic is that of whole numbers here, since
 *         no product comes to 2^256, is part of them.
 */
contract SharesProof {
    uint256 private constant MAX_PRICE = 2 ** 127 - 1;

    // --------------------------------------------------------------------------------------------------------- lemmas

    /// @dev Lemma "part": 0 ≤ x < 2^128 and 0 ≤ r ≤ 10,000 ⇒ x·r < 2^256 and ⌊x·r / 10,000⌋ ≤ x.
    function _part(uint256 x, uint256 rate) private pure returns (uint256 part) {
        assert(x < 2 ** 128 && rate <= 10_000);
        part = Shares.bps(x, rate);
        vm.assume(part <= x);
    }

    /// @dev Lemma "half": as "part", with r ≤ 5,000 ⇒ ⌊x·r / 10,000⌋ ≤ ⌊x / 2⌋.
    function _half(uint256 x, uint256 rate) private pure returns (uint256 part) {
        assert(rate <= 5_000);
        part = _part(x, rate);
        vm.assume(part <= x / 2);
    }

    // ----------------------------------------------------------------------------------------------------- what is held

    /// @dev What an order can hold: a sum, and two bonds of at most half of it.
    struct Held {
        OrderSlot slot;
        uint256 amount;
        uint256 sellerBond;
        uint256 disputeBond;
    }

    /// @dev A slot as a policy within its bounds makes it.
    function _slot(uint256 raw) private pure returns (OrderSlot slot) {
        slot = OrderSlot.wrap(raw);
        vm.assume(raw >> 248 >= uint256(State.Opened) && raw >> 248 <= uint256(State.Disputed));
        vm.assume(slot.platformFeeBps() <= 1_000 && slot.sellerBondBps() <= 5_000 && slot.disputeBondBps() <= 5_000);
        vm.assume(slot.mediationFeeBps() <= slot.sellerBondBps() && slot.mediationFeeBps() <= slot.disputeBondBps());
        vm.assume(slot.cancelFeeBps() <= 5_000 && slot.silenceShareBps() <= 10_000);
    }

    /// @dev Anything that `check_held` shows an order can hold.
    function _held(uint256 raw, uint256 amount, uint256 sellerBond, uint256 disputeBond)
        private
        pure
        returns (Held memory)
    {
        vm.assume(amount <= MAX_PRICE && sellerBond <= amount / 2 && disputeBond <= amount / 2);
        return Held(_slot(raw), amount, sellerBond, disputeBond);
    }

    /// @dev Nothing wrapped, since each is within what was held, which is below 2^128; and together they are that.
    function _sumsUp(Held memory order, uint256[5] memory given) private pure {
        unchecked {
            uint256 all = order.amount + order.sellerBond + order.disputeBond;
            assert(given[0] <= all && given[1] <= all && given[2] <= all && given[3] <= all && given[4] <= all);
            assert(given[0] + given[1] + given[2] + given[3] + given[4] == all);
        }
    }

    /// What is held: the price, or the sum in dispute, which is no more; bonds of at most half of it. Lemma "slice":
    /// 0 ≤ k ≤ N, 0 < N < 2^16, P < 2^127 ⇒ P·(N − k) < 2^256 and ⌊P·(N − k) / N⌋ ≤ P; so 0 ≤ D ≤ P.
    function check_held(uint256 raw, uint128 price, uint16 units) external pure {
        OrderSlot slot = _slot(raw);
        uint256 k = slot.disputedUnits();
        vm.assume(price > 0 && price <= MAX_PRICE && units > 0 && k <= units);
        uint256 sum = Shares.sumInDispute(price, units, k);
        if (slot.state() == State.Disputed) vm.assume(sum <= price); // lemma "slice"
        (uint256 amount, uint256 sellerBond, uint256 disputeBond) = Shares.held(slot, price, units);
        assert(amount == (slot.state() == State.Disputed ? sum : price) && amount <= price);
        if (slot.state() == State.Opened) assert(sellerBond == 0);
        else assert(sellerBond == _half(amount, slot.sellerBondBps()) && sellerBond <= amount / 2);
        if (slot.state() != State.Disputed) assert(disputeBond == 0);
        else assert(disputeBond == _half(amount, slot.disputeBondBps()) && disputeBond <= amount / 2);
    }

    // ------------------------------------------------------------------------------------------------------------- rows

    /// Rows 11, 15 and 18: the dispute bond and what was agreed to the buyer, the seller's bond back.
    function check_split(uint256 raw, uint128 amount, uint128 sellerBond, uint128 disputeBond, uint128 toBuyer)
        external
        pure
    {
        Held memory order = _held(raw, amount, sellerBond, disputeBond);
        vm.assume(toBuyer <= amount);
        uint256 fee = _part(amount - toBuyer, order.slot.platformFeeBps());
        (uint256 toSeller, uint256 platformFee) = Shares.lessFee(order.slot, amount - toBuyer);
        assert(platformFee == fee);
        _sumsUp(order, [uint256(toBuyer) + disputeBond, toSeller, platformFee, sellerBond, 0]);
    }

    /// Rows 8, 12 and 14: the buyer gets the price back and the larger half of the bond.
    function check_withdrawn(uint256 raw, uint128 amount, uint128 sellerBond, uint128 disputeBond) external pure {
        Held memory order = _held(raw, amount, sellerBond, disputeBond);
        (uint256 toBuyer, uint256 bondReturned) = Shares.withdrawn(amount, sellerBond, disputeBond);
        _sumsUp(order, [toBuyer, 0, 0, bondReturned, 0]);
        assert(bondReturned == sellerBond / 2);
    }

    /// Row 7: the cancel fee is part of the price.
    function check_cancelled(uint256 raw, uint128 amount, uint128 sellerBond) external pure {
        Held memory order = _held(raw, amount, sellerBond, 0);
        uint256 fee = _half(amount, order.slot.cancelFeeBps());
        _sumsUp(order, [amount - fee, fee, 0, sellerBond, 0]);
    }

    /// Row 13: what is not in dispute is paid out at once, and what stays is what a dispute holds. Lemmas
    /// "products" and "quotients": x ≤ y and r ≤ s ⇒ x·r ≤ y·s; x ≤ y ⇒ ⌊x / 10,000⌋ ≤ ⌊y / 10,000⌋; so the bond shrinks
    /// with the sum.
    function check_dispute(uint256 raw, uint128 price, uint128 amount) external pure {
        OrderSlot slot = _slot(raw);
        vm.assume(price <= MAX_PRICE && amount <= price);
        uint256 bondBefore = _half(price, slot.sellerBondBps());
        uint256 bond = _half(amount, slot.sellerBondBps());
        vm.assume(bond <= bondBefore);
        uint256 undisputed = price - amount;
        uint256 fee = _part(undisputed, slot.platformFeeBps());
        (uint256 toSeller, uint256 platformFee) = Shares.lessFee(slot, undisputed);
        assert(platformFee == fee && toSeller <= undisputed && bond <= bondBefore);
        unchecked {
            assert(toSeller + platformFee + (bondBefore - bond) + amount + bond == uint256(price) + bondBefore);
        }
    }

    /**
     * Row 16. Lemma "pot": 0 < D ≤ Q < 2^128 and 0 ≤ e ≤ D ⇒ Q·e < 2^256 and e ≤ ⌊Q·e / D⌋ ≤ Q.
     * D is not zero: lemma "some": P > 0 and 1 ≤ k ≤ N ⇒ ⌊P·(N − k) / N⌋ < P.
     * The mediation fee is within both bonds: lemmas "products" and "quotients", since its rate is.
     */
    function check_ruling(uint256 raw, uint128 amount, uint128 sellerBond, uint128 disputeBond, uint128 toBuyer)
        external
        pure
    {
        Held memory order = _held(raw, amount, sellerBond, disputeBond);
        vm.assume(amount > 0 && toBuyer <= amount);
        uint256 fee = _half(amount, order.slot.mediationFeeBps());
        vm.assume(fee <= sellerBond && fee <= disputeBond);
        uint256 sum = amount;
        uint256 pot;
        uint256 earned;
        uint256 sellerPot;
        unchecked {
            pot = sum + sellerBond + disputeBond - fee;
            earned = sum - toBuyer;
            sellerPot = pot * earned / sum;
        }
        assert(sum <= pot && pot < 2 ** 128 && earned <= sum);
        vm.assume(earned <= sellerPot && sellerPot <= pot); // lemma "pot"
        _part(earned, order.slot.platformFeeBps());
        (Fault fault, uint256 refunded, uint256 toSeller, uint256 platformFee, uint256 bondReturned) =
            Shares.ruling(order.slot, sum, pot, toBuyer);
        _sumsUp(order, [refunded, toSeller, platformFee, bondReturned, fee]);
        assert(toSeller + platformFee == earned);
        assert(fault == (toBuyer > earned ? Fault.Seller : toBuyer < earned ? Fault.Buyer : Fault.None));
    }

    /// Rows 4, 10, 11 and 17: whatever the clock ends.
    function _checkTimeout(uint256 raw, uint256 price, uint256 units, State state) private pure {
        OrderSlot slot = _slot(raw);
        uint256 k = slot.disputedUnits();
        vm.assume(slot.state() == state);
        vm.assume(price > 0 && price <= MAX_PRICE && units > 0 && k <= units);
        if (state == State.Disputed) vm.assume(Shares.sumInDispute(price, units, k) <= price); // lemma "slice"
        Held memory order;
        order.slot = slot;
        (order.amount, order.sellerBond, order.disputeBond) = Shares.held(slot, price, units);
        if (state != State.Opened) _half(order.amount, slot.sellerBondBps());
        if (state == State.Disputed) _half(order.amount, slot.disputeBondBps());
        if (state == State.Delivered) _part(order.amount, slot.platformFeeBps());
        uint256 promised = state == State.Disputed ? _part(order.amount, 10_000 - slot.silenceShareBps()) : 0;
        (Outcome outcome, Fault fault, uint256 toBuyer, uint256 toSeller, uint256 fee, uint256 bondReturned) =
            Shares.timeout(slot, price, units);
        _sumsUp(order, [toBuyer, toSeller, fee, bondReturned, 0]);
        if (state == State.Opened) {
            assert(outcome == Outcome.Expired && fault == Fault.None && toBuyer == price);
        } else if (state == State.Accepted) {
            assert(outcome == Outcome.Undelivered && fault == Fault.Seller && toBuyer == price + order.sellerBond);
        } else if (state == State.Delivered) {
            assert(outcome == Outcome.Released && fault == Fault.None && toBuyer == 0);
            assert(bondReturned == order.sellerBond);
        } else {
            assert(outcome == Outcome.Defaulted && toSeller == promised && fee == 0);
            assert(fault == (slot.mediateWindow() == 0 ? Fault.None : Fault.Mediator));
            assert(bondReturned == order.sellerBond);
        }
    }

    function check_timeout_of_an_opened_order(uint256 raw, uint128 price, uint16 units) external pure {
        _checkTimeout(raw, price, units, State.Opened);
    }

    function check_timeout_of_an_accepted_order(uint256 raw, uint128 price, uint16 units) external pure {
        _checkTimeout(raw, price, units, State.Accepted);
    }

    function check_timeout_of_a_delivered_order(uint256 raw, uint128 price, uint16 units) external pure {
        _checkTimeout(raw, price, units, State.Delivered);
    }

    function check_timeout_of_a_disputed_order(uint256 raw, uint128 price, uint16 units) external pure {
        _checkTimeout(raw, price, units, State.Disputed);
    }
}
