// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Fault, IKamengEscrow, OrderId, OrderTerms, Outcome, PolicyId, State, Verb} from "../IKamengEscrow.sol";
import {Addresses} from "../libraries/Addresses.sol";
import {CappedCall} from "../libraries/CappedCall.sol";
import {Lifecycle} from "../libraries/Lifecycle.sol";
import {OrderSlot} from "../libraries/OrderSlot.sol";
import {Payouts, PayoutsLib} from "../libraries/Payouts.sol";
import {Terms} from "../libraries/Terms.sol";
import {TokenCall} from "../libraries/TokenCall.sol";
import {TypedData} from "../libraries/TypedData.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";

/// @title  Every block of assembly of the core beside the plain Solidity that it stands for
/// @notice For tests. Each function answers twice: what the core computes, and what the plain reference does.
contract Equalities {
    struct Payout {
        address token;
        address to;
        uint256 amount;
    }

    struct Answer {
        bool success;
        uint256 size;
        uint256 word;
    }

    // ------------------------------------------------------------------------------------------------------- terms

    function requireClean(OrderTerms calldata terms) external pure {
        Terms.requireClean(terms);
    }

    /// @dev The plain reference: reading every field checks its padding.
    function readEveryField(OrderTerms calldata terms) external pure returns (OrderTerms memory) {
        return terms;
    }

    function fields(OrderTerms calldata terms) external pure returns (OrderTerms memory ours, OrderTerms memory plain) {
        plain = terms;
        ours = OrderTerms(
            Terms.buyer(terms),
            Terms.refundTo(terms),
            Terms.seller(terms),
            Terms.payTo(terms),
            Terms.token(terms),
            uint128(Terms.price(terms)),
            uint16(Terms.units(terms)),
            Terms.policyId(terms),
            terms.listing,
            uint40(Terms.openBy(terms)),
            terms.salt
        );
    }

    function hashTerms(OrderTerms calldata terms) external pure returns (bytes32 ours, bytes32 plain) {
        ours = TypedData.hashTerms(terms);
        plain = keccak256(abi.encode(TypedData.ORDER_TERMS_TYPEHASH, terms));
    }

    function toId(OrderTerms calldata terms, bytes32 domain) external pure returns (OrderId ours, bytes32 plain) {
        ours = TypedData.toId(terms, domain);
        plain = MessageHashUtils.toTypedDataHash(domain, keccak256(abi.encode(TypedData.ORDER_TERMS_TYPEHASH, terms)));
    }

    function hashOffer(OrderId id, uint24 revision, uint40 expiry) external pure returns (bytes32 ours, bytes32 plain) {
        ours = TypedData.offer(id, revision, expiry);
        plain = keccak256(abi.encode(TypedData.OFFER_TYPEHASH, id, revision, expiry));
    }

    function emitOpened(OrderId id, OrderTerms calldata terms, address payer, State state) external {
        TypedData.emitOpened(id, terms, payer, state);
        emit IKamengEscrow.OrderOpened(id, terms, payer, state);
    }

    function canReceive(address to, address token) external view returns (bool ours, bool plain) {
        ours = Addresses.canReceive(to, token);
        plain = to != address(0) && to != address(this) && to != token;
    }

    // ------------------------------------------------------------------------------------------------ slots, tables

    function isIn(State actual, State expected, uint248 rest) external pure returns (bool ours, bool plain) {
        OrderSlot slot = OrderSlot.wrap((uint256(actual) << 248) | rest);
        ours = slot.isIn(expected) && slot.state() == expected;
        plain = actual == expected;
    }

    function opened(uint256 slot, uint168 snapshot, State to, uint40 deadline)
        external
        pure
        returns (uint256 ours, uint256 plain)
    {
        ours = OrderSlot.unwrap(OrderSlot.wrap(slot).opened(snapshot, to, deadline));
        uint256 revision = slot & (uint256(type(uint24).max) << 184);
        plain = (uint256(to) << 248) | (uint256(deadline) << 208) | revision | snapshot;
    }

    function moved(uint256 slot, State to, uint40 deadline) external pure returns (uint256 ours, uint256 plain) {
        ours = OrderSlot.unwrap(OrderSlot.wrap(slot).moved(to, deadline));
        plain = (uint256(to) << 248) | (uint256(deadline) << 208) | (slot & ((1 << 208) - 1));
    }

    function closed(uint256 slot, Outcome outcome, Fault fault, uint40 timestamp)
        external
        pure
        returns (uint256 ours, uint256 plain)
    {
        ours = OrderSlot.unwrap(OrderSlot.wrap(slot).closed(outcome, fault, timestamp));
        uint256 kept = (slot >> 168) & ((1 << 40) - 1);
        plain = (uint256(State.Closed) << 248) | (uint256(timestamp) << 208) | (kept << 168) | (uint256(fault) << 8)
            | uint256(outcome);
    }

    function bit(Verb verb, State state) external pure returns (uint256 ours, uint256 plain) {
        ours = Lifecycle.bit(verb, state);
        plain = 1 << (8 * uint256(verb) + uint256(state));
    }

    // ---------------------------------------------------------------------------------------------------- payouts

    /// @dev `wanted` payouts are gathered on either side. Memory around the core's list must stay as it was.
    function gather(Payout[] calldata wanted) external pure returns (Payout[] memory ours, Payout[] memory plain) {
        Payouts list = PayoutsLib.create(wanted.length);
        bytes32[] memory beside = new bytes32[](1);
        plain = new Payout[](wanted.length);
        uint256 count;
        for (uint256 i; i < wanted.length; ++i) {
            Payout calldata next = wanted[i];
            list.add(next.token, next.to, next.amount);
            if (count != 0 && plain[count - 1].token == next.token && plain[count - 1].to == next.to) {
                plain[count - 1].amount += next.amount;
            } else {
                plain[count++] = next;
            }
        }
        ours = new Payout[](wanted.length);
        for (uint256 i; i < list.count(); ++i) {
            (ours[i].token, ours[i].to, ours[i].amount) = list.get(i);
        }
        assert(list.count() == count && beside.length == 1 && beside[0] == 0);
    }

    // ----------------------------------------------------------------------------------------------------- calls

    function balanceOf(address token, address account) external view returns (Answer memory ours, Answer memory plain) {
        (ours.success, ours.size, ours.word) = TokenCall.balanceOf(token, account, 100_000);
        (plain.success, plain.size, plain.word) =
            CappedCall.staticCall(token, 100_000, abi.encodeCall(IERC20.balanceOf, (account)));
    }

    function transfer(address token, address to, uint256 amount)
        external
        returns (Answer memory ours, Answer memory plain)
    {
        (ours.success, ours.size, ours.word) = TokenCall.transfer(token, to, amount, 100_000);
        (plain.success, plain.size, plain.word) =
            CappedCall.call(token, 0, 100_000, abi.encodeCall(IERC20.transfer, (to, amount)));
    }

    function transferFrom(address token, address from, address to, uint256 amount)
        external
        returns (Answer memory ours, Answer memory plain)
    {
        (ours.success, ours.size, ours.word) = TokenCall.transferFrom(token, from, to, amount);
        (plain.success, plain.size, plain.word) =
            CappedCall.call(token, 0, gasleft(), abi.encodeCall(IERC20.transferFrom, (from, to, amount)));
    }

    function cappedCall(address target, bytes calldata input)
        external
        returns (Answer memory ours, Answer memory plain)
    {
        (ours.success, ours.size, ours.word) = CappedCall.call(target, 0, gasleft(), input);
        plain = _plain(target, input);
    }

    function cappedStaticCall(address target, bytes calldata input)
        external
        returns (Answer memory ours, Answer memory plain)
    {
        (ours.success, ours.size, ours.word) = CappedCall.staticCall(target, gasleft(), input);
        plain = _plain(target, input);
    }

    function _plain(address target, bytes calldata input) private returns (Answer memory answer) {
        bytes memory data;
        (answer.success, data) = target.call(input);
        answer.size = data.length;
        if (data.length > 0x1f) answer.word = uint256(bytes32(data));
    }
}

/// @title  Answers every call with a hash of all that came with it
/// @notice For tests. The last byte of the input says how: how many bytes of it, and if that is odd, by reverting.
contract Echo {
    fallback() external payable {
        bytes32 hash = keccak256(msg.data);
        uint256 size = msg.data.length == 0 ? 0 : uint8(msg.data[msg.data.length - 1]);
        bytes memory answer = bytes.concat(hash, hash, hash, hash, hash, hash, hash, hash);
        assembly ("memory-safe") {
            if and(size, 1) { revert(add(answer, 0x20), size) }
            return(add(answer, 0x20), size)
        }
    }
}
