// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IKamengEscrow, PolicyId} from "../IKamengEscrow.sol";
import {Addresses} from "../libraries/Addresses.sol";
import {CappedCall} from "../libraries/CappedCall.sol";
import {Payouts, PayoutsLib} from "../libraries/Payouts.sol";
import {TokenCall} from "../libraries/TokenCall.sol";
import {Intake} from "./Intake.sol";
import {Policies} from "./Policies.sol";

/**
 * @dev Money out, and what is owed meanwhile. It is pushed with capped gas; a receiver that refuses is credited and
 *      holds up nobody. Per token, the balance of this contract is never less than the orders' holdings + bonds +
 *      credits + fees.
 */
abstract contract Treasury is Policies, Intake {
    /// @dev What a receiver may spend: enough for a smart wallet, or for a token behind a proxy.
    uint256 private constant NATIVE_PUSH_GAS = 50_000;
    uint256 private constant TOKEN_PUSH_GAS = 250_000;
    /// @dev What must be left beside a push so that its failure can be told and recorded: the call's own costs with a
    ///      new account (36,600), a second balance, and a credit (25,000).
    uint256 private constant NATIVE_RESERVE = 80_000;
    uint256 private constant TOKEN_RESERVE = BALANCE_GAS + 60_000;

    /// @dev What closing orders moves, gathered before any of it is paid: neighbours with the same token and receiver
    ///      become one transfer, neighbours with the same policy or seller one write.
    struct Ledger {
        Payouts payouts;
        PolicyId feePolicy;
        address feeToken;
        uint256 fee;
        address bondSeller;
        address bondToken;
        uint256 bond;
    }

    mapping(address account => mapping(address token => uint256)) private _credits;
    mapping(address seller => mapping(address token => uint256)) private _bonds;
    mapping(PolicyId policyId => mapping(address token => uint256)) private _fees;

    // -------------------------------------------------------------------------------------------------- for everyone

    /// @inheritdoc IKamengEscrow
    function fundBond(address seller, address token, uint256 amount) external payable {
        if (seller == address(0)) revert InvalidAddress(seller);
        if (amount == 0) revert NothingToPay();
        _bonds[seller][token] += amount;
        emit BondFunded(seller, token, msg.sender, amount);
        _collect(token, msg.sender, amount);
    }

    /// @inheritdoc IKamengEscrow
    function withdrawBond(address token, uint256 amount, address to) external {
        _checkReceiver(token, to);
        if (amount == 0) revert NothingToPay();
        _lockBond(msg.sender, token, amount);
        emit BondWithdrawn(msg.sender, token, to, amount);
        _pushOrRevert(token, to, amount);
    }

    /// @inheritdoc IKamengEscrow
    function payCredit(address account, address token) external {
        _payCredit(account, token, account);
    }

    /// @inheritdoc IKamengEscrow
    function withdrawCredit(address token, address to) external {
        _checkReceiver(token, to);
        _payCredit(msg.sender, token, to);
    }

    /// @inheritdoc IKamengEscrow
    function claimFees(PolicyId policyId, address token) external {
        address receiver = _policies[policyId].feeReceiver;
        if (receiver == address(0)) revert PolicyUnknown(policyId);
        uint256 amount = _fees[policyId][token];
        if (amount == 0) revert NothingToPay();
        _fees[policyId][token] = 0;
        emit FeesClaimed(policyId, token, receiver, amount);
        _pay(token, receiver, amount, address(0), 0);
    }

    /// @inheritdoc IKamengEscrow
    function creditOf(address account, address token) external view returns (uint256) {
        return _credits[account][token];
    }

    /// @inheritdoc IKamengEscrow
    function bondOf(address seller, address token) external view returns (uint256) {
        return _bonds[seller][token];
    }

    /// @inheritdoc IKamengEscrow
    function feesOf(PolicyId policyId, address token) external view returns (uint256) {
        return _fees[policyId][token];
    }

    // --------------------------------------------------------------------------------------------- bonds and credits

    function _lockBond(address seller, address token, uint256 amount) internal {
        if (amount == 0) return;
        uint256 available = _bonds[seller][token];
        if (available < amount) revert BondShort(seller, token, available, amount);
        unchecked {
            _bonds[seller][token] = available - amount;
        }
    }

    function _returnBond(address seller, address token, uint256 amount) internal {
        if (amount != 0) _bonds[seller][token] += amount;
    }

    function _accrueFee(PolicyId policyId, address token, uint256 amount) internal {
        if (amount != 0) _fees[policyId][token] += amount;
    }

    function _credit(address account, address token, uint256 amount) internal {
        _credits[account][token] += amount;
    }

    function _payCredit(address account, address token, address to) private {
        uint256 amount = _credits[account][token];
        if (amount == 0) revert NothingToPay();
        _credits[account][token] = 0;
        emit CreditPaid(account, token, to, amount);
        _pushOrRevert(token, to, amount);
    }

    function _checkReceiver(address token, address to) internal view {
        if (!Addresses.canReceive(to, token)) revert InvalidAddress(to);
    }

    // -------------------------------------------------------------------------------------------------------- ledger

    function _newLedger(uint256 orders) internal pure returns (Ledger memory ledger) {
        ledger.payouts = PayoutsLib.create(2 * orders);
    }

    function _addPayout(Ledger memory ledger, address token, address to, uint256 amount) internal pure {
        if (amount != 0) ledger.payouts.add(token, to, amount);
    }

    function _addFee(Ledger memory ledger, PolicyId policyId, address token, uint256 amount) internal {
        if (amount == 0) return;
        if (PolicyId.unwrap(ledger.feePolicy) != PolicyId.unwrap(policyId) || ledger.feeToken != token) {
            _bookFees(ledger);
            (ledger.feePolicy, ledger.feeToken) = (policyId, token);
        }
        unchecked {
            ledger.fee += amount; // below 2^127 each
        }
    }

    function _addBond(Ledger memory ledger, address seller, address token, uint256 amount) internal {
        if (amount == 0) return;
        if (ledger.bondSeller != seller || ledger.bondToken != token) {
            _bookBonds(ledger);
            (ledger.bondSeller, ledger.bondToken) = (seller, token);
        }
        unchecked {
            ledger.bond += amount; // below 2^127 each
        }
    }

    /// @dev Books what stays here, then pays what leaves: the only place where closing orders transfers anything.
    function _post(Ledger memory ledger) internal nonReentrant {
        _bookFees(ledger);
        _bookBonds(ledger);
        uint256 count = ledger.payouts.count();
        for (uint256 i; i < count; ++i) {
            (address token, address to, uint256 amount) = ledger.payouts.get(i);
            _pushOrCredit(token, to, amount);
        }
    }

    function _bookFees(Ledger memory ledger) private {
        _accrueFee(ledger.feePolicy, ledger.feeToken, ledger.fee);
        ledger.fee = 0;
    }

    function _bookBonds(Ledger memory ledger) private {
        _returnBond(ledger.bondSeller, ledger.bondToken, ledger.bond);
        ledger.bond = 0;
    }

    // ----------------------------------------------------------------------------------------------------- money out

    /// @dev Pays one receiver, if there is anything to pay.
    function _payOne(address token, address to, uint256 amount) internal {
        if (amount != 0) _pay(token, to, amount, address(0), 0);
    }

    /// @dev Pays up to two receivers of one order.
    function _pay(address token, address first, uint256 firstAmount, address second, uint256 secondAmount)
        internal
        nonReentrant
    {
        if (firstAmount != 0) _pushOrCredit(token, first, firstAmount);
        if (secondAmount != 0) _pushOrCredit(token, second, secondAmount);
    }

    function _pushOrCredit(address token, address to, uint256 amount) private {
        if (_push(token, to, amount)) return;
        _credit(to, token, amount);
        emit Credited(to, token, amount);
    }

    function _pushOrRevert(address token, address to, uint256 amount) private nonReentrant {
        if (!_push(token, to, amount)) revert PushFailed(token, to, amount);
    }

    /// @dev Whether `to` was paid. A token that answers badly is believed by its balance, so that what it moved is not
    ///      paid twice. Too little gas reverts, so that nobody can starve a receiver into a credit.
    function _push(address token, address to, uint256 amount) private returns (bool) {
        if (token == NATIVE) {
            uint256 available = gasleft();
            // Whatever it answers: a call that returned has paid.
            // slither-disable-next-line unused-return
            (bool paid,,) = CappedCall.call(to, amount, NATIVE_PUSH_GAS, "");
            if (!paid) _requireGas(available, NATIVE_PUSH_GAS, NATIVE_RESERVE);
            return paid;
        }
        uint256 before = _ownBalance(token, 0);
        uint256 gasBefore = gasleft();
        (bool success, uint256 size, uint256 word) = TokenCall.transfer(token, to, amount, TOKEN_PUSH_GAS);
        // Of answers, not of balances: nothing is no byte at all, and true is one.
        // slither-disable-next-line incorrect-equality
        if (success && (size == 0 ? token.code.length != 0 : word == 1)) return true;
        _requireGas(gasBefore, TOKEN_PUSH_GAS, TOKEN_RESERVE);
        if (!success) return false;
        // Where either balance is unknown, nothing is known to have moved.
        uint256 left = _ownBalance(token, type(uint256).max);
        return before > left && before - left >= amount;
    }

    /// @dev EIP-150 passes on 63/64 of what is left: was that the whole cap?
    function _requireGas(uint256 available, uint256 cap, uint256 reserve) private pure {
        uint256 required = cap + cap / 63 + reserve;
        if (available < required) revert InsufficientGas(available, required);
    }
}
