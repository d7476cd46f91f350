// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {
    Fault,
    IKamengEscrow,
    OrderTerms,
    Outcome,
    Policy,
    Split,
    State,
    Verb
} from "../../../contracts/IKamengEscrow.sol";
import {Order} from "./Books.sol";
import {Payments} from "./Payments.sol";
import {Ending, Numbers, Rows} from "./Rows.sol";
import {vm} from "./Vm.sol";

/// @dev What mediators, platforms, both parties together and strangers do: rows 4, 5, 9, 10, 11, 16, 17 and 18; and time.
abstract contract Others is Payments {
    bytes32 private constant SPLIT_TYPEHASH = keccak256(
        "Split(bytes32 orderId,uint8 state,uint16 disputedUnits,uint24 revision,uint256 toBuyer,uint40 expiry)"
    );

    // -------------------------------------------------------------------------------------------------------- handlers

    /// @dev Time passes: a little, or until a clock of some order is about to run out, or does, or long.
    function wait(uint256 seed) external turn(seed) {
        uint256 how = _draw(4);
        if (how == 0 || openOrders.length == 0) {
            time += _draw(10 minutes);
        } else if (how < 3) {
            Order storage order = _pickIn(_oneIn(2) ? State.Disputed : State.Delivered);
            uint256 mediate = policies[order.policy].mediateWindow;
            uint256 mark = order.deadline;
            if (order.state == State.Disputed && _oneIn(2)) mark -= _oneIn(2) ? mediate : mediate - mediate / 2;
            mark -= _draw(2);
            if (mark > time) time = mark;
        } else {
            time += _draw(_oneIn(8) ? 10 days : 1 hours);
        }
        vm.warp(time);
    }

    /// @dev Tokens, issuers and receivers change their ways.
    function change(uint256 seed) external turn(seed) {
        _changeMoods();
    }

    /// @dev Row 16.
    function rule(uint256 seed) external turn(seed) {
        Order storage order = _pickFor(Verb.Concede); // which has its place where ruling has
        if (_oneIn(2)) _awaitMediation(order);
        uint256 token = _touch(order);
        Numbers memory n = _numbers(order);
        address mediator = _mediatorOf(order);
        address caller = _oneIn(8) || mediator == address(0) ? _anyone() : mediator;
        uint256 sum = n.N == 0 ? 0 : Rows.D(n);
        uint256 r = _oneIn(16) ? _draw(2 * sum + 2) : _oneIn(4) ? sum / 2 : _draw(sum + 1);
        bool expected = order.state == State.Disputed && caller == mediator && r <= sum && token != TOKENS
            && caller != order.terms.buyer && caller != order.terms.seller && time < order.deadline
            && time >= order.deadline - policies[order.policy].mediateWindow;
        bool success = _call(caller, 0, abi.encodeCall(IKamengEscrow.rule, (order.terms, r, bytes32(seed))));
        require(success == expected, "forward: a ruling that should not be, or was refused");
        if (success) _award(order, r, Outcome.Ruled, mediator);
        _check(order);
    }

    /// @dev Rows 5 and 9.
    function intervene(uint256 seed) external turn(seed) {
        Order storage order = _pickIn(_oneIn(2) ? State.Opened : State.Accepted);
        _touch(order);
        address platform = policies[order.policy].platform;
        address caller = _oneIn(8) ? _anyone() : platform;
        State state = _oneIn(16) ? State(_draw(6)) : order.state;
        bool expected = state == order.state && (state == State.Opened || state == State.Accepted) && caller == platform
            && caller != order.terms.buyer && caller != order.terms.seller && time < order.deadline;
        bool success = _call(caller, 0, abi.encodeCall(IKamengEscrow.intervene, (order.terms, state)));
        require(success == expected, "forward: an intervention that should not be, or was refused");
        if (success) _end(order, Rows.unwound(_numbers(order), state, Outcome.Intervened, Fault.Platform));
        _check(order);
    }

    /// @dev Row 18.
    function agree(uint256 seed) external turn(seed) {
        Order storage order =
            orders.length == 0 || openOrders.length != 0 ? _pickIn(State(1 + _draw(4))) : orders[_draw(orders.length)];
        _touch(order);
        Numbers memory n = _numbers(order);
        uint256 held = order.state == State.Disputed ? Rows.D(n) : n.P;
        Split memory split = Split(
            order.state,
            uint16(order.disputed),
            uint24(order.revision),
            _oneIn(16) ? held + 1 : _draw(held + 1),
            uint40(time + 1 + _draw(24 hours))
        );
        if (_oneIn(16)) split.state = State(_draw(6));
        if (_oneIn(16)) split.disputedUnits += 1;
        if (_oneIn(16)) split.revision += 1;
        if (_oneIn(16)) split.expiry = _oneIn(2) ? uint40(time) : uint40(time + 24 hours + 1);
        address caller = _oneIn(2) ? _anyone() : _oneIn(2) ? order.terms.buyer : order.terms.seller;
        (bytes memory data, bool signed) = _signSplit(order, split, caller);
        bool expected = signed && split.state == order.state && _isOpen(order) && split.disputedUnits == order.disputed
            && split.revision == order.revision && split.toBuyer <= held && time < split.expiry
            && split.expiry <= time + 24 hours;
        bool success = _call(caller, 0, data);
        require(success == expected, "forward: an agreement that should not be, or was refused");
        if (success) _end(order, Rows.row18(_numbers(order), order.state, split.toBuyer));
        _check(order);
    }

    /// @dev Rows 4, 10, 11 and 17, sometimes with little gas: then nothing happens, or all of it.
    function settle(uint256 seed) external turn(seed) {
        Order storage order = _pickDue();
        _touch(order);
        bool starved = _oneIn(8);
        uint256 gas_ = starved ? 40_000 + _draw(500_000) : 5_000_000;
        vm.prank(_anyone());
        (bool success,) = address(escrow).call{gas: gas_}(abi.encodeCall(IKamengEscrow.settle, (order.terms)));
        require(!success || _isDue(order), "forward: settled before its time, or after its end");
        require(success || starved || !_isDue(order), "liveness: a due order could not be settled");
        if (success) _timeOut(order);
        _check(order);
    }

    /// @dev As `settle`, for a list in which anything may stand, and twice.
    function settleMany(uint256 seed) external turn(seed) {
        OrderTerms[] memory terms = new OrderTerms[](1 + _draw(5));
        Order[] storage all = orders;
        uint256[] memory places = new uint256[](terms.length);
        for (uint256 i; i < terms.length; ++i) {
            Order storage order = i != 0 && _oneIn(6) ? all[places[_draw(i)]] : _pickDue();
            places[i] = order.place;
            terms[i] = order.terms;
        }
        vm.prank(_anyone());
        (bool success, bytes memory answer) =
            address(escrow).call{gas: 15_000_000}(abi.encodeCall(IKamengEscrow.settleMany, (terms)));
        require(success, "liveness: a batch could not be settled");
        uint256 settled;
        for (uint256 i; i < terms.length; ++i) {
            if (!_isDue(all[places[i]])) continue;
            _timeOut(all[places[i]]);
            ++settled;
        }
        require(abi.decode(answer, (uint256)) == settled, "liveness: a batch left out a due order");
        for (uint256 i; i < terms.length; ++i) {
            _check(all[places[i]]);
            if (i != 0) _checkToken(touched);
            _touch(all[places[i]]);
        }
    }

    /// @dev Row 6, for a list.
    function deliverMany(uint256 seed) external turn(seed) {
        OrderTerms[] memory terms = new OrderTerms[](1 + _draw(4));
        bytes32[] memory commitments = new bytes32[](terms.length);
        uint256[] memory places = new uint256[](terms.length);
        Order storage first = _pickIn(State.Accepted);
        address caller = _oneIn(8) ? _anyone() : first.terms.seller;
        bool expected = true;
        for (uint256 i; i < terms.length; ++i) {
            Order storage order = i == 0 ? first : _pickIn(State.Accepted);
            places[i] = order.place;
            terms[i] = order.terms;
            commitments[i] = _oneIn(24) ? bytes32(0) : keccak256(abi.encode(seed, i));
        }
        uint256 delivered;
        bool[] memory seen = new bool[](orders.length);
        for (uint256 i; i < terms.length; ++i) {
            Order storage order = orders[places[i]];
            if (order.state != State.Accepted || time >= order.deadline || seen[places[i]]) continue;
            seen[places[i]] = true;
            ++delivered;
            if (caller != order.terms.seller && !_holds(order, caller, DELIVER)) expected = false;
            if (commitments[i] == 0) expected = false;
        }
        vm.prank(caller);
        (bool success, bytes memory answer) =
            address(escrow).call(abi.encodeCall(IKamengEscrow.deliverMany, (terms, commitments)));
        require(success == expected, "forward: deliveries that should not be, or were refused");
        if (success) require(abi.decode(answer, (uint256)) == delivered, "forward: another number of deliveries");
        for (uint256 i; i < terms.length; ++i) {
            Order storage order = orders[places[i]];
            if (success && seen[places[i]] && order.state == State.Accepted) {
                _moveTo(order, State.Delivered, policies[order.policy].inspectWindow);
            }
            _check(order);
        }
    }

    // ------------------------------------------------------------------------------------------------------------- end

    /// @dev From wherever the run has come to: everybody turns hostile, the longest clocks of the policies run out, and
    ///      a stranger ends every order.
    function endAll(uint256 seed) external {
        _shuffle(seed);
        _turnHostile();
        uint256 longest;
        for (uint256 p; p < policies.length; ++p) {
            Policy storage policy = policies[p];
            uint256 sum = uint256(policy.acceptWindow) + policy.deliverWindow + policy.inspectWindow
                + policy.negotiateWindow + policy.mediateWindow;
            if (sum > longest) longest = sum;
        }
        time += longest;
        vm.warp(time);
        while (openOrders.length != 0) {
            Order storage order = orders[openOrders[openOrders.length - 1]];
            vm.prank(people[STRANGER]);
            (bool success,) = address(escrow).call(abi.encodeCall(IKamengEscrow.settle, (order.terms)));
            require(success, "liveness: an order can't be ended");
            _timeOut(order);
            require(order.state == State.Closed, "liveness: an order was settled and is still open");
        }
    }

    // --------------------------------------------------------------------------------------------------------- settling

    function _isOpen(Order storage order) internal view returns (bool) {
        return order.state != State.None && order.state != State.Closed;
    }

    function _isDue(Order storage order) internal view returns (bool) {
        return _isOpen(order) && time >= order.deadline;
    }

    function _timeOut(Order storage order) private {
        Numbers memory n = _numbers(order);
        Ending memory ending;
        if (order.state == State.Opened) ending = Rows.unwound(n, order.state, Outcome.Expired, Fault.None);
        else if (order.state == State.Accepted) ending = Rows.row10(n);
        else if (order.state == State.Delivered) ending = Rows.row11(n, Outcome.Released);
        else ending = Rows.row17(n, policies[order.policy].mediateWindow != 0);
        _end(order, ending);
    }

    function _touch(Order storage order) internal returns (uint256 token) {
        token = order.token;
        if (token != TOKENS) touched = token;
    }

    function _pickIn(State state) private returns (Order storage order) {
        if (openOrders.length == 0) return orders.length == 0 ? _pickDraft(TOKENS) : orders[_draw(orders.length)];
        uint256 start = _draw(openOrders.length);
        for (uint256 i; i < 5 && i < openOrders.length; ++i) {
            order = orders[openOrders[(start + i) % openOrders.length]];
            if (order.state == state) return order;
        }
        return orders[openOrders[start]];
    }

    function _pickDue() private returns (Order storage order) {
        if (openOrders.length == 0) return orders.length == 0 ? _pickDraft(TOKENS) : orders[_draw(orders.length)];
        uint256 start = _draw(openOrders.length);
        for (uint256 i; i < 5 && i < openOrders.length; ++i) {
            order = orders[openOrders[(start + i) % openOrders.length]];
            if (time >= order.deadline) return order;
        }
        return orders[openOrders[start]];
    }

    function _signSplit(Order storage order, Split memory split, address caller)
        private
        returns (bytes memory data, bool good)
    {
        bytes32 digest = _digest(
            keccak256(
                abi.encode(
                    SPLIT_TYPEHASH,
                    order.id,
                    split.state,
                    split.disputedUnits,
                    split.revision,
                    split.toBuyer,
                    split.expiry
                )
            )
        );
        (address buyer, address seller) = (order.terms.buyer, order.terms.seller);
        (bytes memory byBuyer, bool buyerAgrees) = _consent(buyer, digest, caller);
        (bytes memory bySeller, bool sellerAgrees) = _consent(seller, digest, caller);
        return
            (abi.encodeCall(IKamengEscrow.agree, (order.terms, split, byBuyer, bySeller)), buyerAgrees && sellerAgrees);
    }

    function _consent(address party, bytes32 digest, address caller) private returns (bytes memory, bool) {
        if (_oneIn(16)) return (_sign(address(0), digest), party == caller);
        return (_sign(party, digest), party == caller || _canSign(party));
    }
}
