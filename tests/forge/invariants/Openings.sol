// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {
    IKamengEscrow,
    Offer,
    OperatorGrant,
    OrderId,
    OrderTerms,
    Policy,
    PolicyId,
    State
} from "../../../contracts/IKamengEscrow.sol";
import {Books, Order} from "./Books.sol";
import {Rows} from "./Rows.sol";
import {vm} from "./Vm.sol";

/// @dev Policies, and how orders come to be: rows 1 and 2.
abstract contract Openings is Books {
    bytes32 internal constant DOMAIN_TYPEHASH =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
    bytes32 internal constant TERMS_TYPEHASH = keccak256(
        "OrderTerms(address buyer,address refundTo,address seller,address payTo,address token,uint128 price,uint16 units,bytes32 policyId,bytes32 listing,uint40 openBy,bytes32 salt)"
    );
    bytes32 internal constant OFFER_TYPEHASH = keccak256("Offer(bytes32 orderId,uint24 revision,uint40 expiry)");

    uint8 internal constant ACCEPT = 1;
    uint8 internal constant DELIVER = 2;
    uint8 internal constant DECLINE = 4;
    uint8 internal constant REFUND = 8;

    uint256 internal constant MAX_PRICE = 2 ** 127 - 1;
    uint256 private constant SLOTS = 4; // policies in use at a time

    bytes32 internal immutable DOMAIN;
    uint256[SLOTS] private inUse;
    mapping(bytes32 key => OperatorGrant) internal grants;
    mapping(address seller => address) internal payTos;
    mapping(address seller => address) private lastOperator;

    constructor() {
        DOMAIN = keccak256(
            abi.encode(DOMAIN_TYPEHASH, keccak256("KamengEscrow"), keccak256("1"), block.chainid, address(escrow))
        );
        for (uint256 i; i < SLOTS; ++i) {
            _shuffle(i);
            inUse[i] = _registerPolicy();
        }
    }

    function _digest(bytes32 structHash) internal view returns (bytes32) {
        return keccak256(abi.encodePacked(hex"1901", DOMAIN, structHash));
    }

    // -------------------------------------------------------------------------------------------------------- handlers

    /// @dev A platform reviews, or retires a policy and registers another in its place; or somebody else tries to.
    function govern(uint256 seed) external turn(seed) {
        uint256 slot = _draw(SLOTS);
        uint256 p = inUse[slot];
        bool own = !_oneIn(4);
        bytes32 id = policyIds[p];
        bool success;
        if (_oneIn(2)) {
            uint256 reviewBy = time + _draw(370 days);
            bool due = reviewBy > reviewBys[p] && reviewBy <= time + 366 days && !retired[p];
            success = _call(
                own ? policies[p].platform : people[STRANGER],
                0,
                abi.encodeCall(IKamengEscrow.reviewPolicy, (PolicyId.wrap(id), uint40(reviewBy)))
            );
            require(success == (own && due), "forward: a review that should not be, or was refused");
            if (success) reviewBys[p] = reviewBy;
        } else {
            success = _call(
                own ? policies[p].platform : people[STRANGER],
                0,
                abi.encodeCall(IKamengEscrow.retirePolicy, (PolicyId.wrap(id)))
            );
            require(success == own, "forward: a retirement that should not be, or was refused");
            if (!success) return;
            retired[p] = true;
            inUse[slot] = _registerPolicy();
        }
    }

    /// @dev Row 1.
    function open(uint256 seed) external turn(seed) {
        Order storage order = _pickDraft(TOKENS);
        address payer = _anyone();
        uint256 value = _value(order.terms.token == address(0) ? order.terms.price : 0);
        bool expected = _openable(order, payer, value);
        bool success = _call(payer, value, abi.encodeCall(IKamengEscrow.open, (order.terms)));
        require(success == expected, "forward: an opening that should not be, or was refused");
        if (success) _opened(order, payer, false);
        _check(order);
    }

    /// @dev Row 2.
    function openWithOffer(uint256 seed) external turn(seed) {
        Order storage order = _pickDraft(TOKENS);
        address payer = _anyone();
        uint256 value = _value(order.terms.token == address(0) ? order.terms.price : 0);
        (Offer memory offer, bool good) = _offer(order);
        bool expected = good && _openable(order, payer, value) && _bonded(order);
        bool success = _call(payer, value, abi.encodeCall(IKamengEscrow.openWithOffer, (order.terms, offer)));
        require(success == expected, "forward: an opening that should not be, or was refused");
        if (success) _opened(order, payer, true);
        _check(order);
    }

    /// @dev The seller, or anybody, says what an operator may.
    function setOperator(uint256 seed) external turn(seed) {
        address operator = _party();
        Order storage order =
            orders.length == 0 ? _pickDraft(TOKENS) : orders[orders.length - 1 - _draw(orders.length) / 2];
        address seller = order.terms.seller == address(0) ? operator : order.terms.seller;
        address token = order.terms.token;
        uint8 rights = uint8(_oneIn(8) ? _draw(256) : _oneIn(2) ? 15 : _draw(16));
        uint256 maxPrice = _oneIn(3) ? _price() : type(uint128).max;
        OperatorGrant memory grant = OperatorGrant(rights, uint40(time + _draw(60 days)), uint128(maxPrice));
        PolicyId id = order.terms.policyId;
        bool success = _call(seller, 0, abi.encodeCall(IKamengEscrow.setOperator, (operator, token, id, grant)));
        require(success == (rights < 16), "forward: a grant that should not be, or was refused");
        if (!success) return;
        grants[_key(seller, operator, token, PolicyId.unwrap(id))] = grant;
        lastOperator[seller] = operator;
    }

    /// @dev Where operators may let the seller's money go: mostly back to where sellers start, so that operators act.
    function registerPayTo(uint256 seed) external turn(seed) {
        address seller = _party();
        address payTo = _oneIn(2) ? seller : _oneIn(8) ? address(escrow) : _party();
        bool success = _call(seller, 0, abi.encodeCall(IKamengEscrow.registerPayTo, (payTo)));
        require(success == (payTo != address(escrow)), "forward: a payTo that should not be, or was refused");
        if (success) payTos[seller] = payTo;
    }

    // --------------------------------------------------------------------------------------------------------- openings

    function _opened(Order storage order, address payer, bool accepted) internal {
        uint256 token = order.token;
        touched = token;
        Policy storage policy = policies[order.policy];
        _forgetDraft(order);
        _pays(token, payer, order.terms.price);
        if (accepted) {
            _moveTo(order, State.Accepted, policy.deliverWindow);
            _lockBond(order);
        } else {
            _moveTo(order, State.Opened, policy.acceptWindow);
        }
        _drive(order);
    }

    /// @dev Takes a new order some way on, so that later states are as well visited as early ones.
    function _drive(Order storage order) internal virtual;

    /// @dev Whether the terms can be opened now, paid by `payer` with this value.
    function _openable(Order storage order, address payer, uint256 value) internal view returns (bool) {
        return _valid(order) && _pullable(order, payer, value, order.terms.price);
    }

    function _valid(Order storage order) internal view returns (bool) {
        OrderTerms storage terms = order.terms;
        if (order.state != State.None || terms.buyer == address(0) || terms.seller == address(0)) return false;
        if (terms.buyer == terms.seller || terms.units == 0 || terms.price == 0 || terms.price > MAX_PRICE) {
            return false;
        }
        if (!_receives(terms.token, terms.refundTo) || !_receives(terms.token, terms.payTo)) return false;
        uint256 p = order.policy;
        if (PolicyId.unwrap(terms.policyId) != policyIds[p] || retired[p]) return false;
        return time <= terms.openBy && time >= policies[p].effectiveFrom && time <= reviewBys[p];
    }

    function _receives(address token, address to) internal view returns (bool) {
        return to != address(0) && to != address(escrow) && to != token;
    }

    /// @dev Whether `amount` can be collected from `from`, or as value where the coin is the native one.
    function _pullable(Order storage order, address from, uint256 value, uint256 amount) internal view returns (bool) {
        uint256 token = order.token;
        if (value != (token == NATIVE ? amount : 0)) return false;
        if (token == NATIVE || amount == 0) return true;
        return token != TOKENS && _gives(token, from, amount);
    }

    function _bonded(Order storage order) internal view returns (bool) {
        uint256 bond = Rows.B(_numbers(order));
        return bond <= _account(order.token, order.terms.seller).bond;
    }

    function _lockBond(Order storage order) internal {
        _account(order.token, order.terms.seller).bond -= Rows.B(_numbers(order));
    }

    function _offer(Order storage order) internal returns (Offer memory offer, bool good) {
        OrderTerms storage terms = order.terms;
        address signer = terms.seller;
        if (_oneIn(4)) {
            signer = _operatorFor(order);
            offer.operator = signer;
        }
        uint256 revision = order.revision;
        offer.expiry = uint40(time + 1 + _draw(1 days));
        good = _canSign(signer) && (signer == terms.seller || _holds(order, signer, ACCEPT));
        bytes32 id = order.id;
        uint256 spoiled = _draw(20);
        if (spoiled < 4) good = false;
        if (spoiled == 0) offer.expiry = uint40(time);
        if (spoiled == 1) revision += 1;
        if (spoiled == 2) id = keccak256(abi.encode(id));
        address hand = spoiled == 3 ? address(0) : signer;
        offer.signature = _sign(hand, _digest(keccak256(abi.encode(OFFER_TYPEHASH, id, revision, offer.expiry))));
    }

    /// @dev Whether `operator` holds `right` for the order now.
    function _holds(Order storage order, address operator, uint8 right) internal view returns (bool) {
        OrderTerms storage terms = order.terms;
        OperatorGrant storage grant = grants[_key(terms.seller, operator, terms.token, PolicyId.unwrap(terms.policyId))];
        if (grant.rights & right == 0 || time >= grant.expiry || terms.price > grant.maxPrice) return false;
        address payTo = payTos[terms.seller];
        return terms.payTo == (payTo == address(0) ? terms.seller : payTo);
    }

    /// @dev Somebody who may hold a right of the seller's.
    function _operatorFor(Order storage order) internal returns (address operator) {
        operator = lastOperator[order.terms.seller];
        if (operator == address(0) || _oneIn(4)) operator = _party();
    }

    function _key(address seller, address operator, address token, bytes32 policyId) internal pure returns (bytes32) {
        return keccak256(abi.encode(seller, operator, token, policyId));
    }

    // ----------------------------------------------------------------------------------------------------------- drafts

    /// @dev Terms that nobody opened yet: old ones, or new ones.
    /// @param token what they should be in; `TOKENS`: any
    function _pickDraft(uint256 token) internal returns (Order storage) {
        if (_oneIn(40) && orders.length != 0) return orders[_draw(orders.length)]; // opened before, perhaps
        if (drafts.length > 12) _forgetDraft(orders[drafts[0]]);
        if (drafts.length != 0 && _oneIn(5)) return orders[drafts[_draw(drafts.length)]];
        return _write(token == TOKENS || _oneIn(12) ? _draw(TOKENS) : token);
    }

    function _write(uint256 token) private returns (Order storage order) {
        uint256 place = orders.length;
        order = orders.push();
        drafts.push(place);
        order.place = place;
        order.policy = inUse[_draw(SLOTS)];
        OrderTerms storage terms = order.terms;
        terms.buyer = _party();
        terms.refundTo = _oneIn(2) ? terms.buyer : _party();
        terms.seller = _party();
        if (terms.seller == terms.buyer) terms.seller = people[(numberOf[terms.buyer]) % PARTIES];
        terms.payTo = _oneIn(3) ? _party() : terms.seller;
        terms.token = tokens[token];
        order.token = token;
        terms.price = uint128(_price());
        terms.units = uint16(1 + (_oneIn(3) ? 0 : _oneIn(8) ? _draw(65_535) : _draw(12)));
        terms.policyId = PolicyId.wrap(policyIds[order.policy]);
        terms.openBy = uint40(time + _draw(2 days));
        terms.salt = bytes32(place);
        if (_oneIn(24)) _spoil(order);
        OrderTerms memory copy = terms;
        order.id = _digest(keccak256(abi.encode(TERMS_TYPEHASH, copy)));
        require(OrderId.unwrap(escrow.toId(copy)) == order.id, "forward: another order id than EIP-712's");
    }

    function _spoil(Order storage order) private {
        OrderTerms storage terms = order.terms;
        uint256 what = _draw(11);
        if (what == 0) terms.buyer = terms.seller;
        else if (what == 1) terms.buyer = address(0);
        else if (what == 2) terms.seller = address(0);
        else if (what == 3) terms.refundTo = address(escrow);
        else if (what == 4) terms.payTo = terms.token;
        else if (what == 5) terms.refundTo = address(0);
        else if (what == 6) terms.price = 0;
        else if (what == 7) terms.price = uint128(MAX_PRICE + 1);
        else if (what == 8) terms.units = 0;
        else if (what == 9) terms.policyId = PolicyId.wrap(bytes32(what));
        else (terms.token, order.token) = (people[0], TOKENS); // an account without code
    }

    function _forgetDraft(Order storage order) private {
        for (uint256 i; i < drafts.length; ++i) {
            if (drafts[i] != order.place) continue;
            drafts[i] = drafts[drafts.length - 1];
            drafts.pop();
            return;
        }
    }

    function _price() internal returns (uint256) {
        uint256 size = _draw(8);
        if (size < 3) return 1 + _draw(50);
        if (size < 7) return 1 + _draw(1e24);
        return 1 + _draw(MAX_PRICE);
    }

    /// @dev Mostly what is due.
    function _value(uint256 due) internal returns (uint256) {
        return _oneIn(24) ? _draw(2 * due + 2) : due;
    }

    // --------------------------------------------------------------------------------------------------------- policies

    function _registerPolicy() private returns (uint256 p) {
        Policy memory policy;
        policy.platform = _party();
        policy.acceptWindow = uint32(5 minutes + _window());
        policy.deliverWindow = uint32(5 minutes + _window());
        policy.inspectWindow = uint32(1 hours + _window());
        policy.negotiateWindow = uint32(1 hours + _window());
        policy.platformFeeBps = uint16(_draw(1_001));
        policy.cancelFeeBps = uint16(_oneIn(4) ? 8_191 : _draw(5_001));
        policy.sellerBondBps = uint16(_oneIn(4) ? 0 : _draw(5_001));
        policy.disputeBondBps = uint16(_oneIn(4) ? 0 : _draw(5_001));
        policy.silenceShareBps = uint16(_draw(10_001));
        policy.feeReceiver = _party();
        policy.effectiveFrom = uint40(_oneIn(6) ? time + _draw(1 days) : time);
        if (!_oneIn(5)) _appoint(policy);
        uint256 reviewBy = time + 30 days + _draw(336 days);

        p = policies.length;
        policies.push(policy);
        policyIds.push(keccak256(abi.encode(policy)));
        reviewBys.push(reviewBy);
        retired.push(false);
        bool success =
            _call(policy.platform, 0, abi.encodeCall(IKamengEscrow.registerPolicy, (policy, uint40(reviewBy))));
        require(success, "forward: a policy was refused");
    }

    function _appoint(Policy memory policy) private {
        policy.mediateWindow = uint32(1 days + _window());
        policy.mediator = _party();
        if (_oneIn(2)) {
            policy.backupMediator = _party();
            if (policy.backupMediator == policy.mediator) policy.backupMediator = address(0);
        }
        uint256 smaller = policy.sellerBondBps < policy.disputeBondBps ? policy.sellerBondBps : policy.disputeBondBps;
        policy.mediationFeeBps = uint16(_draw(smaller + 1));
    }

    function _window() private returns (uint256) {
        return _oneIn(8) ? _draw(89 days) : _draw(1 days);
    }

    // ------------------------------------------------------------------------------------------------------------ calls

    function _call(address caller, uint256 value, bytes memory data) internal returns (bool success) {
        vm.prank(caller);
        (success,) = address(escrow).call{value: value}(data);
    }
}
