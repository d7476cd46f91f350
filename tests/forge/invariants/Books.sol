// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {OrderId, OrderTerms, Policy, PolicyId, State} from "../../../contracts/IKamengEscrow.sol";
import {OrderSlot} from "../../../contracts/libraries/OrderSlot.sol";
import {Cast} from "./Cast.sol";
import {Ending, Numbers, Rows} from "./Rows.sol";
import {vm} from "./Vm.sol";

/// @dev An order as it must stand.
struct Order {
    OrderTerms terms;
    bytes32 id;
    uint256 token; // its place in `tokens`; TOKENS: one that does not exist
    uint256 policy; // its place in `policies`
    State state;
    uint256 disputed;
    uint256 revision;
    uint256 deadline;
    uint256 place; // in `orders`
    uint256 openPlace; // in `openOrders`
    uint256 closedSlot; // what the chain kept when it closed
}

/// @dev What somebody must have of one token.
struct Account {
    uint256 purse; // its balance
    uint256 credit; // in the escrow
    uint256 bond; // in the escrow, not locked
}

/**
 * @dev What must be true, kept beside the escrow by the table alone, and compared with it to the base unit. Each broken
 *      comparison names the promise that it breaks:
 *
 *      solvency  what the escrow has = what it holds for orders + bonds + credits + fees
 *      shares    nobody gets more, or less, than the row gives
 *      pulls     nobody pays but who called or signed
 *      forward   states only move forward, by the rows of the table and by nobody else
 *      closed    a closed order never moves again
 *      liveness  anyone can end any order after its clocks, whoever is hostile
 */
abstract contract Books is Cast {
    Order[] internal orders;
    uint256[] internal openOrders; // their places in `orders`
    uint256[] internal drafts; // places of orders that nobody opened
    uint256[] internal closedOrders;
    uint256 internal time = 1_800_000_000; // Unix seconds

    Policy[] internal policies;
    bytes32[] internal policyIds;
    uint256[] internal reviewBys;
    bool[] internal retired;

    Account[PEOPLE][TOKENS] private accounts;
    mapping(uint256 token => mapping(uint256 policy => uint256)) internal fees;
    uint256[TOKENS] internal owed; // all that the escrow must have
    uint256[TOKENS] internal surplus; // what a token kept from others, or somebody gave for nothing
    uint256 internal touched; // the token of this turn

    constructor() {
        vm.warp(time);
        for (uint256 t; t < TOKENS; ++t) {
            for (uint256 i; i < PEOPLE; ++i) {
                accounts[t][i].purse = RICHES;
            }
        }
    }

    // --------------------------------------------------------------------------------------------------------- booking

    function _pays(uint256 token, address from, uint256 amount) internal {
        _account(token, from).purse -= amount;
        owed[token] += amount;
    }

    /// @dev The escrow pushes to `to`, or credits it.
    function _paid(uint256 token, address to, uint256 amount) internal {
        if (amount == 0) return;
        if (_takes(token, to)) {
            _account(token, to).purse += amount;
            owed[token] -= amount;
        } else {
            _account(token, to).credit += amount;
        }
    }

    function _moveTo(Order storage order, State state, uint256 window) internal {
        require(uint256(state) > uint256(order.state), "forward: the test's own books went back");
        if (order.state == State.None) {
            order.openPlace = openOrders.length;
            openOrders.push(order.place);
        }
        order.state = state;
        order.deadline = time + window;
    }

    function _end(Order storage order, Ending memory ending) internal {
        uint256 token = order.token;
        uint256 held = Rows.held(_numbers(order), order.state);
        uint256 given = ending.buyer + ending.seller + ending.platform + ending.bond + ending.mediator;
        require(held == given, "shares: the row does not divide what is held");
        fees[token][order.policy] += ending.platform;
        _account(token, order.terms.seller).bond += ending.bond;
        _paid(token, order.terms.refundTo, ending.buyer);
        _paid(token, order.terms.payTo, ending.seller);

        order.state = State.Closed;
        order.deadline = time;
        uint256 last = openOrders[openOrders.length - 1];
        openOrders[order.openPlace] = last;
        orders[last].openPlace = order.openPlace;
        openOrders.pop();
        closedOrders.push(order.place);
        order.closedSlot = escrow.slotOf(OrderId.wrap(order.id));
        OrderSlot slot = OrderSlot.wrap(order.closedSlot);
        require(slot.outcome() == ending.outcome, "shares: another outcome than the row's");
        require(slot.fault() == ending.fault, "shares: another fault than the row's");
    }

    // -------------------------------------------------------------------------------------------------------- comparing

    /// @dev After every call: the escrow's balance of the token that the call was about, and somebody's account. A
    ///      difference does not go away by itself, so that `checkAll` finds what these miss.
    modifier turn(uint256 seed) {
        _shuffle(seed);
        vm.warp(time);
        touched = NATIVE;
        if (_oneIn(12)) _changeMoods();
        _;
        _checkToken(touched);
        _checkAccount(touched, _draw(PEOPLE));
    }

    function _checkToken(uint256 t) internal {
        if (t == MOODY && stealing) _forgive();
        uint256 balance = _balance(t, address(escrow));
        require(balance >= owed[t] + surplus[t], "solvency: the escrow has less than it owes");
        require(balance == owed[t] + surplus[t], "solvency: the escrow kept something");
    }

    function _checkAccount(uint256 t, uint256 person) internal view {
        Account storage account = accounts[t][person];
        (address owner, address token) = (people[person], tokens[t]);
        uint256 purse = _balance(t, owner);
        require(purse >= account.purse, "pulls: somebody has less than it should");
        require(purse == account.purse, "shares: somebody got more than its row gives");
        require(escrow.creditOf(owner, token) == account.credit, "shares: another credit than is due");
        require(escrow.bondOf(owner, token) == account.bond, "shares: another bond balance than is due");
    }

    /// @dev A token that says it paid, and kept some or all: its own theft, of which the escrow only has more.
    function _forgive() private {
        for (uint256 i; i < PEOPLE; ++i) {
            uint256 purse = _balance(MOODY, people[i]);
            require(purse <= accounts[MOODY][i].purse, "shares: somebody got more than its row gives");
            accounts[MOODY][i].purse = purse;
        }
        uint256 balance = _balance(MOODY, address(escrow));
        require(balance >= owed[MOODY] + surplus[MOODY], "solvency: the escrow has less than it owes");
        surplus[MOODY] = balance - owed[MOODY];
    }

    function _check(Order storage order) internal view {
        OrderSlot slot = OrderSlot.wrap(escrow.slotOf(OrderId.wrap(order.id)));
        if (order.state == State.Closed) {
            require(OrderSlot.unwrap(slot) == order.closedSlot, "closed: a closed order moved");
            return;
        }
        require(slot.state() == order.state, "forward: another state than the table's");
        require(slot.disputedUnits() == order.disputed, "forward: other units in dispute");
        require(slot.revision() == order.revision, "forward: another revision");
        if (order.state != State.None) require(slot.deadline() == order.deadline, "forward: a clock was moved");
    }

    /// @dev Every order, every account, every token, every policy's fees.
    function checkAll() public {
        for (uint256 i; i < orders.length; ++i) {
            _check(orders[i]);
        }
        for (uint256 t; t < TOKENS; ++t) {
            _checkToken(t);
            for (uint256 i; i < PEOPLE; ++i) {
                _checkAccount(t, i);
            }
            for (uint256 p; p < policies.length; ++p) {
                uint256 actual = escrow.feesOf(PolicyId.wrap(policyIds[p]), tokens[t]);
                require(actual == fees[t][p], "shares: other fees than are due");
            }
        }
    }

    // ---------------------------------------------------------------------------------------------------------- reading

    function _account(uint256 token, address account) internal view returns (Account storage) {
        return accounts[token][_who(account)];
    }

    function _numbers(Order storage order) internal view returns (Numbers memory) {
        Policy storage policy = policies[order.policy];
        return Numbers(
            order.terms.price,
            order.terms.units,
            order.disputed,
            policy.platformFeeBps,
            policy.cancelFeeBps,
            policy.sellerBondBps,
            policy.disputeBondBps,
            policy.mediationFeeBps,
            policy.silenceShareBps
        );
    }
}
