// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IKamengEscrow, PolicyId} from "../../../contracts/IKamengEscrow.sol";
import {Order} from "./Books.sol";
import {Others} from "./Others.sol";
import {vm} from "./Vm.sol";

/// @dev Bonds, credits and fees; and, at the end of a run, everybody's money back.
abstract contract Money is Others {
    constructor() {
        for (uint256 t; t < TOKENS; ++t) {
            for (uint256 i; i < PARTIES; ++i) {
                _fund(people[STRANGER], people[i], t, 1 << 130);
            }
        }
    }

    // -------------------------------------------------------------------------------------------------------- handlers

    function fundBond(uint256 seed) external turn(seed) {
        touched = _draw(TOKENS);
        address from = _anyone();
        address seller = _oneIn(24) ? address(0) : _party();
        uint256 amount = _oneIn(24) ? 0 : _price();
        uint256 value = _value(touched == NATIVE ? amount : 0);
        bool expected = amount != 0 && seller != address(0) && value == (touched == NATIVE ? amount : 0)
            && (touched == NATIVE || _gives(touched, from, amount));
        bool success = _call(from, value, abi.encodeCall(IKamengEscrow.fundBond, (seller, tokens[touched], amount)));
        require(success == expected, "pulls: a bond payment that should not be, or was refused");
        if (success) {
            _pays(touched, from, amount);
            _account(touched, seller).bond += amount;
        }
    }

    function withdrawBond(uint256 seed) external turn(seed) {
        touched = _draw(TOKENS);
        address seller = _anyone();
        uint256 bond = _account(touched, seller).bond;
        uint256 amount = _oneIn(8) ? bond + _draw(2) : _draw(_oneIn(2) ? bond / 2 + 1 : 1e24);
        address to = _oneIn(8) ? _nowhere() : _anyone();
        bool expected = amount != 0 && amount <= bond && _receives(tokens[touched], to) && _takes(touched, to);
        bool success = _call(seller, 0, abi.encodeCall(IKamengEscrow.withdrawBond, (tokens[touched], amount, to)));
        require(success == expected, "shares: a bond withdrawal that should not be, or was refused");
        if (success) {
            _account(touched, seller).bond = bond - amount;
            _paid(touched, to, amount);
        }
    }

    function payCredit(uint256 seed) external turn(seed) {
        address account = _creditor();
        uint256 credit = _account(touched, account).credit;
        bool expected = credit != 0 && _takes(touched, account);
        bool success = _call(_anyone(), 0, abi.encodeCall(IKamengEscrow.payCredit, (account, tokens[touched])));
        require(success == expected, "shares: a credit that should not be paid, or was refused");
        if (success) _payOff(account, account, credit);
    }

    function withdrawCredit(uint256 seed) external turn(seed) {
        address account = _creditor();
        uint256 credit = _account(touched, account).credit;
        address to = _oneIn(8) ? _nowhere() : _anyone();
        bool expected = credit != 0 && _receives(tokens[touched], to) && _takes(touched, to);
        bool success = _call(account, 0, abi.encodeCall(IKamengEscrow.withdrawCredit, (tokens[touched], to)));
        require(success == expected, "shares: a credit that should not be withdrawn, or was refused");
        if (success) _payOff(account, to, credit);
    }

    function claimFees(uint256 seed) external turn(seed) {
        touched = _draw(TOKENS);
        uint256 p = _draw(policies.length);
        bool success = _claim(p);
        require(success == (fees[touched][p] != 0), "shares: fees that should not be paid, or were refused");
        if (success) _claimed(p);
    }

    /// @dev Somebody sends money for nothing: it stays, and helps nobody. The native coin is not taken.
    function donate(uint256 seed) external turn(seed) {
        touched = BLOCKING;
        address from = _anyone();
        uint256 amount = _price();
        if (_gives(touched, from, amount)) {
            vm.prank(from);
            (bool sent,) =
                tokens[touched].call(abi.encodeWithSignature("transfer(address,uint256)", address(escrow), amount));
            require(sent, "pulls: the test's own transfer failed");
            _account(touched, from).purse -= amount;
            surplus[touched] += amount;
        }
        bool taken = _call(from, amount, "");
        require(!taken, "pulls: the escrow took the native coin for nothing");
    }

    // ------------------------------------------------------------------------------------------------------------- end

    /// @dev When all orders are closed and nobody is hostile any more, everybody gets all that it is owed, and nothing
    ///      is left but what was given for nothing.
    function emptyOut() external {
        _makePeace();
        for (touched = 0; touched < TOKENS; ++touched) {
            for (uint256 p; p < policies.length; ++p) {
                if (fees[touched][p] == 0) continue;
                require(_claim(p), "liveness: fees can't be claimed");
                _claimed(p);
            }
            for (uint256 i; i < PEOPLE; ++i) {
                _takeOut(people[i]);
            }
            require(owed[touched] == 0, "solvency: the books owe and nobody is owed");
            _checkToken(touched);
        }
    }

    function _takeOut(address account) private {
        uint256 credit = _account(touched, account).credit;
        if (credit != 0) {
            bool success =
                _call(people[STRANGER], 0, abi.encodeCall(IKamengEscrow.payCredit, (account, tokens[touched])));
            require(success, "liveness: a credit can't be paid");
            _payOff(account, account, credit);
        }
        uint256 bond = _account(touched, account).bond;
        if (bond == 0) return;
        require(
            _call(account, 0, abi.encodeCall(IKamengEscrow.withdrawBond, (tokens[touched], bond, account))),
            "liveness: a bond can't be withdrawn"
        );
        _account(touched, account).bond = 0;
        _paid(touched, account, bond);
    }

    // ------------------------------------------------------------------------------------------------------------ parts

    function _fund(address from, address seller, uint256 token, uint256 amount) private {
        uint256 value = token == NATIVE ? amount : 0;
        bool success = _call(from, value, abi.encodeCall(IKamengEscrow.fundBond, (seller, tokens[token], amount)));
        require(success, "pulls: a bond payment was refused");
        _pays(token, from, amount);
        _account(token, seller).bond += amount;
    }

    function _claim(uint256 p) private returns (bool) {
        PolicyId id = PolicyId.wrap(policyIds[p]);
        return _call(people[STRANGER], 0, abi.encodeCall(IKamengEscrow.claimFees, (id, tokens[touched])));
    }

    function _claimed(uint256 p) private {
        uint256 amount = fees[touched][p];
        fees[touched][p] = 0;
        _paid(touched, policies[p].feeReceiver, amount);
    }

    function _payOff(address account, address to, uint256 credit) private {
        _account(touched, account).credit = 0;
        _paid(touched, to, credit);
    }

    /// @dev Somebody with a credit, if some tries find one; sets the token of this turn.
    function _creditor() private returns (address account) {
        uint256 start = _draw(TOKENS * PEOPLE);
        for (uint256 i; i < 15; ++i) {
            uint256 place = (start + i) % (TOKENS * PEOPLE);
            (touched, account) = (place % TOKENS, people[place / TOKENS]);
            if (_account(touched, account).credit != 0) return account;
        }
    }

    function _nowhere() private returns (address) {
        return _oneIn(3) ? address(0) : _oneIn(2) ? address(escrow) : tokens[touched];
    }

    function _intrusion(address own) internal override returns (bytes memory) {
        address token = tokens[own == address(0) ? REENTERING : NATIVE];
        uint256 what = _draw(own == address(0) ? 3 : 4);
        if (what == 0) return abi.encodeCall(IKamengEscrow.payCredit, (_anyone(), token));
        if (what == 1) {
            return abi.encodeCall(IKamengEscrow.claimFees, (PolicyId.wrap(policyIds[_draw(policyIds.length)]), token));
        }
        if (own != address(0)) {
            if (what == 2) return abi.encodeCall(IKamengEscrow.withdrawCredit, (token, own));
            return abi.encodeCall(IKamengEscrow.withdrawBond, (token, 1, own));
        }
        if (openOrders.length == 0) return abi.encodeCall(IKamengEscrow.payCredit, (_anyone(), token));
        Order storage order = orders[openOrders[_draw(openOrders.length)]];
        return abi.encodeCall(IKamengEscrow.settle, (order.terms));
    }
}
