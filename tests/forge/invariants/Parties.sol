// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Action, Fault, IKamengEscrow, Outcome, Policy, Role, State, Verb} from "../../../contracts/IKamengEscrow.sol";
import {Order} from "./Books.sol";
import {Openings} from "./Openings.sol";
import {Numbers, Rows} from "./Rows.sol";
import {vm} from "./Vm.sol";

/// @dev One attempt at a verb: mostly of somebody who may, at times of anybody at all.
struct Try {
    Verb verb;
    State state; // that the actor expects
    Role role;
    address actor;
    address caller; // the actor, or who relays what it signed
    uint256 number;
    bytes32 content;
    uint256 value;
    bool voided; // relayed with something wrong about the signature
}

/// @dev What buyers, sellers and operators do, by calling or by signing: rows 3, 4, 6, 7, 8, 11 to 16, 19 and 20.
abstract contract Parties is Openings {
    bytes32 private constant ACTION_TYPEHASH = keccak256(
        "Action(bytes32 orderId,uint8 verb,uint8 state,uint8 role,address signer,uint256 number,bytes32 content,uint40 expiry)"
    );

    // -------------------------------------------------------------------------------------------------------- handlers

    function accept(uint256 seed) external turn(seed) {
        _attempt(Verb.Accept);
    }

    function deliver(uint256 seed) external turn(seed) {
        _attempt(Verb.Deliver);
    }

    function confirm(uint256 seed) external turn(seed) {
        _attempt(Verb.Confirm);
    }

    function cancel(uint256 seed) external turn(seed) {
        _attempt(Verb.Cancel);
    }

    function decline(uint256 seed) external turn(seed) {
        _attempt(Verb.Decline);
    }

    function refund(uint256 seed) external turn(seed) {
        _attempt(Verb.Refund);
    }

    function dispute(uint256 seed) external turn(seed) {
        _attempt(Verb.Dispute);
    }

    function concede(uint256 seed) external turn(seed) {
        _attempt(Verb.Concede);
    }

    function revise(uint256 seed) external turn(seed) {
        _attempt(Verb.Revise);
    }

    function recommit(uint256 seed) external turn(seed) {
        _attempt(Verb.Recommit);
    }

    // -------------------------------------------------------------------------------------------------------- attempts

    function _drive(Order storage order) internal override {
        uint256 goal = _draw(6);
        if (goal > 0 && order.state == State.Opened) _advance(order, Verb.Accept);
        if (goal > 1 && order.state == State.Accepted) _advance(order, Verb.Deliver);
        if (goal > 2 && order.state == State.Delivered) _advance(order, Verb.Dispute);
    }

    function _advance(Order storage order, Verb verb) private {
        bool byBuyer = verb == Verb.Dispute;
        Try memory t;
        (t.verb, t.state, t.role) = (verb, order.state, byBuyer ? Role.Buyer : Role.Seller);
        t.actor = byBuyer ? order.terms.buyer : order.terms.seller;
        (t.caller, t.content) = (t.actor, bytes32(uint256(1)));
        if (byBuyer) {
            t.number = _oneIn(3) ? order.terms.units : 1 + _draw(order.terms.units);
            t.value = order.token == NATIVE ? _disputeBond(order, t.number) : 0;
        }
        _call(order, t, _allowed(order, t), _direct(order, t));
    }

    function _call(Order storage order, Try memory t, bool expected, bytes memory data) private {
        bool success = _call(t.caller, t.value, data);
        require(success || !expected, "forward: the table allows what was refused");
        require(!success || expected, "forward: the table forbids what went through");
        if (success) _apply(order, t);
        _check(order);
    }

    function _attempt(Verb verb) private {
        Order storage order = _pickFor(verb);
        if (verb == Verb.Concede && _oneIn(2)) _awaitMediation(order);
        uint256 token = order.token;
        if (token != TOKENS) touched = token;
        Try memory t = _intend(order, verb);
        if (_canSign(t.actor) && _oneIn(4)) {
            bytes memory data = _relay(order, t);
            _call(order, t, _allowed(order, t) && !t.voided, data);
        } else {
            _asCalled(order, t);
            _call(order, t, _allowed(order, t), _direct(order, t));
        }
    }

    /// @dev An order in which the verb may have a place, if a few tries find one; else any.
    function _pickFor(Verb verb) internal returns (Order storage order) {
        if (verb == Verb.Revise && drafts.length != 0 && _oneIn(2)) return orders[drafts[_draw(drafts.length)]];
        if (_oneIn(16) || openOrders.length == 0) {
            return orders.length == 0 ? _pickDraft(TOKENS) : orders[_draw(orders.length)];
        }
        uint256 start = _draw(openOrders.length);
        for (uint256 i; i < 5 && i < openOrders.length; ++i) {
            order = orders[openOrders[(start + i) % openOrders.length]];
            if (_inTime(order, verb, order.state)) return order;
        }
        return orders[openOrders[start]];
    }

    function _intend(Order storage order, Verb verb) internal returns (Try memory t) {
        t.verb = verb;
        t.state = _oneIn(24) ? State(_draw(6)) : order.state;
        bool bySeller = _forSeller(verb) && (!_forBuyer(verb) || _oneIn(2));
        t.role = bySeller ? (_oneIn(4) ? Role.Operator : Role.Seller) : Role.Buyer;
        t.actor = bySeller ? (t.role == Role.Seller ? order.terms.seller : _operatorFor(order)) : order.terms.buyer;
        if (_oneIn(16)) t.role = Role(_draw(3));
        if (_oneIn(16)) t.actor = _anyone();
        t.caller = t.actor;
        t.content = _oneIn(24) ? bytes32(0) : keccak256(abi.encode(order.id, time));
        if (verb == Verb.Revise || verb == Verb.Recommit) {
            t.number = _oneIn(12) ? _draw(1 << 24) : order.revision;
        } else if (verb == Verb.Dispute) {
            uint256 units = order.terms.units;
            t.number = _oneIn(16) ? _draw(1 << 16) : units == 0 ? 0 : 1 + _draw(units);
            t.value = _value(order.token == NATIVE ? _disputeBond(order, t.number) : 0);
        }
    }

    /// @dev What the verb of a direct call fixes by itself.
    function _asCalled(Order storage order, Try memory t) private view {
        bool seller = t.actor == order.terms.seller;
        if (t.verb == Verb.Accept) t.state = State.Opened;
        if (t.verb == Verb.Deliver) t.state = State.Accepted;
        if (t.verb == Verb.Dispute) t.state = State.Delivered;
        if (t.verb == Verb.Recommit || t.verb == Verb.Concede) t.state = State.Disputed;
        if (t.verb == Verb.Revise) {
            t.state = order.state;
            t.role = t.actor == order.terms.buyer ? Role.Buyer : Role.Seller;
        } else if (t.verb != Verb.Concede) {
            t.role = _forBuyer(t.verb) ? Role.Buyer : seller ? Role.Seller : Role.Operator;
        }
    }

    function _direct(Order storage order, Try memory t) private view returns (bytes memory) {
        Verb verb = t.verb;
        if (verb == Verb.Accept) return abi.encodeCall(IKamengEscrow.accept, (order.terms));
        if (verb == Verb.Deliver) return abi.encodeCall(IKamengEscrow.deliver, (order.terms, t.content));
        if (verb == Verb.Confirm) return abi.encodeCall(IKamengEscrow.confirm, (order.terms, t.state));
        if (verb == Verb.Cancel) return abi.encodeCall(IKamengEscrow.cancel, (order.terms, t.state));
        if (verb == Verb.Decline) return abi.encodeCall(IKamengEscrow.decline, (order.terms, t.state));
        if (verb == Verb.Refund) return abi.encodeCall(IKamengEscrow.refund, (order.terms, t.state));
        if (verb == Verb.Concede) return abi.encodeCall(IKamengEscrow.concede, (order.terms, t.role));
        if (verb == Verb.Dispute) {
            return abi.encodeCall(IKamengEscrow.dispute, (order.terms, uint16(t.number), t.content));
        }
        if (verb == Verb.Revise) return abi.encodeCall(IKamengEscrow.revise, (order.terms, uint24(t.number)));
        return abi.encodeCall(IKamengEscrow.recommit, (order.terms, uint24(t.number), t.content));
    }

    /// @dev The same as somebody's signed action, brought by anybody.
    function _relay(Order storage order, Try memory t) private returns (bytes memory) {
        (Action memory action, bytes memory signature) = _signed(order, t);
        t.caller = _anyone();
        if (t.verb != Verb.Dispute && _oneIn(40)) t.value = 1;
        return abi.encodeCall(IKamengEscrow.act, (order.terms, action, signature));
    }

    function _signed(Order storage order, Try memory t)
        internal
        returns (Action memory action, bytes memory signature)
    {
        uint40 expiry = uint40(time + 1 + _draw(1 days));
        uint256 spoiled = _draw(24);
        t.voided = spoiled < 4 || !_canSign(t.actor);
        if (spoiled == 0) expiry = uint40(time);
        action = Action(t.verb, t.state, t.role, t.actor, t.number, t.content, expiry);
        bytes32 id = spoiled == 1 ? keccak256(abi.encode(order.id)) : order.id;
        uint256 number = spoiled == 2 ? t.number + 1 : t.number;
        bytes32 structHash =
            keccak256(abi.encode(ACTION_TYPEHASH, id, t.verb, t.state, t.role, t.actor, number, t.content, expiry));
        signature = _sign(spoiled == 3 ? address(0) : t.actor, _digest(structHash));
    }

    /// @dev Time passes until one of the mediators is in charge, or almost.
    function _awaitMediation(Order storage order) internal {
        if (order.state != State.Disputed) return;
        uint256 window = policies[order.policy].mediateWindow;
        uint256 start = order.deadline - window;
        uint256 half = start + window / 2;
        uint256 mark = [start - 1, start, half - 1, half, order.deadline - 1][_draw(5)];
        if (mark > time) time = mark;
        vm.warp(time);
    }

    // --------------------------------------------------------------------------------------------------------- the law

    /// @dev Whether the table, the actor, the clock, the arguments and the money all allow it.
    function _allowed(Order storage order, Try memory t) internal view returns (bool) {
        if (order.state != t.state || !_inTime(order, t.verb, t.state) || !_entitled(order, t)) return false;
        Verb verb = t.verb;
        if (verb == Verb.Dispute) {
            uint256 bond = _disputeBond(order, t.number);
            return _countable(order, t.number) && _pullable(order, order.terms.buyer, t.value, bond);
        }
        if (t.value != 0) return false;
        if (verb == Verb.Accept) return _bonded(order);
        if (verb == Verb.Deliver) return t.content != 0;
        if (verb == Verb.Cancel && t.state == State.Accepted) return policies[order.policy].cancelFeeBps != 8_191;
        if (verb == Verb.Revise) return t.number == order.revision;
        if (verb == Verb.Recommit) return t.number == order.revision && t.content != 0;
        return true;
    }

    /// @dev The state and clock columns of the table, for verbs of parties and operators.
    function _inTime(Order storage order, Verb verb, State state) internal view returns (bool) {
        bool live = time < order.deadline;
        if (verb == Verb.Accept) return state == State.Opened && live;
        if (verb == Verb.Deliver) return state == State.Accepted && live;
        if (verb == Verb.Dispute) return state == State.Delivered && live;
        if (verb == Verb.Cancel || verb == Verb.Decline) {
            return state == State.Opened || (state == State.Accepted && live);
        }
        if (verb == Verb.Revise) return state != State.Closed;
        if (state == State.Disputed) {
            bool talking = time < order.deadline - policies[order.policy].mediateWindow;
            if (verb == Verb.Concede) return !talking && live;
            return talking; // confirm, refund, recommit
        }
        if (verb == Verb.Confirm) return state == State.Accepted || state == State.Delivered;
        return verb == Verb.Refund && state == State.Delivered;
    }

    /// @dev The who column.
    function _entitled(Order storage order, Try memory t) private view returns (bool) {
        if (t.role == Role.Buyer) {
            return _forBuyer(t.verb) && t.actor == order.terms.buyer && order.state != State.None;
        }
        if (!_forSeller(t.verb)) return false;
        if (t.role == Role.Seller) return t.actor == order.terms.seller;
        uint8 right = t.verb == Verb.Accept
            ? ACCEPT
            : t.verb == Verb.Deliver || t.verb == Verb.Recommit
                ? DELIVER
                : t.verb == Verb.Decline ? DECLINE : t.verb == Verb.Revise ? 0 : REFUND;
        return _holds(order, t.actor, right);
    }

    function _forBuyer(Verb verb) private pure returns (bool) {
        return verb == Verb.Confirm || verb == Verb.Cancel || verb == Verb.Dispute || verb == Verb.Concede
            || verb == Verb.Revise;
    }

    function _forSeller(Verb verb) private pure returns (bool) {
        return verb != Verb.Confirm && verb != Verb.Cancel && verb != Verb.Dispute;
    }

    /// @dev The units that may be disputed.
    function _countable(Order storage order, uint256 units) private view returns (bool) {
        return units != 0 && units <= order.terms.units;
    }

    /// @dev As `_allowed` for a dispute, but for where its bond comes from.
    function _disputable(Order storage order, Try memory t) internal view returns (bool) {
        return
            order.state == t.state && _inTime(order, t.verb, t.state) && _entitled(order, t)
                && _countable(order, t.number);
    }

    function _disputeBond(Order storage order, uint256 units) internal view returns (uint256) {
        Numbers memory n = _numbers(order);
        if (!_countable(order, units)) return 0;
        n.k = units;
        return Rows.E(n);
    }

    // ----------------------------------------------------------------------------------------------------- what follows

    function _apply(Order storage order, Try memory t) internal {
        Verb verb = t.verb;
        Numbers memory n = _numbers(order);
        if (verb == Verb.Accept) {
            _moveTo(order, State.Accepted, policies[order.policy].deliverWindow);
            _lockBond(order);
        } else if (verb == Verb.Deliver) {
            _moveTo(order, State.Delivered, policies[order.policy].inspectWindow);
        } else if (verb == Verb.Revise || verb == Verb.Recommit) {
            order.revision += 1;
        } else if (verb == Verb.Dispute) {
            _split(order, n, t);
        } else if (verb == Verb.Concede) {
            uint256 r = t.role == Role.Buyer ? 0 : Rows.D(n);
            _award(order, r, Outcome.Conceded, _mediatorOf(order));
        } else if (verb == Verb.Confirm) {
            _end(order, t.state == State.Disputed ? Rows.row15(n) : Rows.row11(n, Outcome.Confirmed));
        } else if (verb == Verb.Refund) {
            _end(order, t.state == State.Disputed ? Rows.row14(n) : Rows.withdrawn(n, Outcome.Refunded));
        } else if (verb == Verb.Cancel) {
            bool free = t.state == State.Opened;
            _end(order, free ? Rows.unwound(n, t.state, Outcome.Cancelled, Fault.None) : Rows.row7(n));
        } else {
            bool free = t.state == State.Opened;
            _end(
                order,
                free ? Rows.unwound(n, t.state, Outcome.Declined, Fault.None) : Rows.withdrawn(n, Outcome.Declined)
            );
        }
    }

    /// @dev Row 13.
    function _split(Order storage order, Numbers memory n, Try memory t) private {
        uint256 token = order.token;
        Policy storage policy = policies[order.policy];
        order.disputed = t.number;
        n.k = t.number;
        uint256 U = n.P - Rows.D(n);
        uint256 returned = Rows.B(n) - Rows.b(n);
        _pays(token, token == NATIVE ? t.caller : order.terms.buyer, Rows.E(n));
        _account(token, order.terms.seller).bond += returned;
        fees[token][order.policy] += Rows.f(n, U);
        _paid(token, order.terms.payTo, U - Rows.f(n, U));
        _moveTo(order, State.Disputed, uint256(policy.negotiateWindow) + policy.mediateWindow);
    }

    /// @dev Row 16.
    function _award(Order storage order, uint256 r, Outcome outcome, address mediator) internal {
        _account(order.token, mediator).credit += Rows.M(_numbers(order));
        _end(order, Rows.row16(_numbers(order), r, outcome));
    }

    /// @dev Whose half of the mediate window it is, begun or not; nobody's without a dispute.
    function _mediatorOf(Order storage order) internal view returns (address) {
        if (order.state != State.Disputed) return address(0);
        Policy storage policy = policies[order.policy];
        uint256 half = order.deadline - policy.mediateWindow + policy.mediateWindow / 2;
        return time >= half && policy.backupMediator != address(0) ? policy.backupMediator : policy.mediator;
    }
}
