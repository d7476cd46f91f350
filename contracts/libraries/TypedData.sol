// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Action, IKamengEscrow, OrderId, OrderTerms, Split, State, Verb} from "../IKamengEscrow.sol";

/// @dev EIP-712 hashes of what is signed. The domain is name "KamengEscrow", version "1", chain id, contract.
library TypedData {
    bytes32 internal constant ORDER_TERMS_TYPEHASH = keccak256(
        "OrderTerms(address buyer,address refundTo,address seller,address payTo,address token,uint128 price,uint16 units,bytes32 policyId,bytes32 listing,uint40 openBy,bytes32 salt)"
    );
    bytes32 internal constant OFFER_TYPEHASH = keccak256("Offer(bytes32 orderId,uint24 revision,uint40 expiry)");
    bytes32 internal constant SPLIT_TYPEHASH = keccak256(
        "Split(bytes32 orderId,uint8 state,uint16 disputedUnits,uint24 revision,uint256 toBuyer,uint40 expiry)"
    );
    bytes32 internal constant ACTION_TYPEHASH = keccak256(
        "Action(bytes32 orderId,uint8 verb,uint8 state,uint8 role,address signer,uint256 number,bytes32 content,uint40 expiry)"
    );

    /// @dev What follows "PermitWitnessTransferFrom(…,uint256 deadline," in the type that a payer by Permit2 signs.
    string internal constant PERMIT2_WITNESS =
        "OrderTerms witness)OrderTerms(address buyer,address refundTo,address seller,address payTo,address token,uint128 price,uint16 units,bytes32 policyId,bytes32 listing,uint40 openBy,bytes32 salt)TokenPermissions(address token,uint256 amount)";

    /**
     * @dev The digest of the terms under `domain`: a wallet that signs the terms as typed data signs the order's id.
     *      Equal to MessageHashUtils.toTypedDataHash(domain, hashTerms(terms)).
     */
    function toId(OrderTerms calldata terms, bytes32 domain) internal pure returns (OrderId id) {
        bytes32 typeHash = ORDER_TERMS_TYPEHASH;
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore(free, typeHash)
            calldatacopy(add(free, 0x20), terms, 0x160) // 11 words
            let structHash := keccak256(free, 0x180)
            mstore(free, shl(240, 0x1901))
            mstore(add(free, 0x02), domain)
            mstore(add(free, 0x22), structHash)
            id := keccak256(free, 0x42)
        }
    }

    /**
     * @dev Equal to keccak256(abi.encode(ORDER_TERMS_TYPEHASH, terms)), but copies the calldata as it stands. Terms with
     *      dirty padding hash to an id under which nothing can be opened, since opening reads, and so checks, every
     *      field.
     */
    function hashTerms(OrderTerms calldata terms) internal pure returns (bytes32 structHash) {
        bytes32 typeHash = ORDER_TERMS_TYPEHASH;
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore(free, typeHash)
            calldatacopy(add(free, 0x20), terms, 0x160) // 11 words
            structHash := keccak256(free, 0x180)
        }
    }

    /// @dev Equal to `emit OrderOpened(id, terms, payer, state)` for terms whose fields have been checked.
    function emitOpened(OrderId id, OrderTerms calldata terms, address payer, State state) internal {
        bytes32 topic = IKamengEscrow.OrderOpened.selector;
        assembly ("memory-safe") {
            let free := mload(0x40)
            calldatacopy(free, terms, 0x160)
            mstore(add(free, 0x160), payer)
            mstore(add(free, 0x180), state)
            log2(free, 0x1a0, topic, id)
        }
    }

    /// @dev Under which nonce a buyer authorizes the dispute bond of an order: another than the price's.
    function disputeNonce(OrderId orderId) internal pure returns (bytes32) {
        return keccak256(abi.encode(orderId, Verb.Dispute));
    }

    /// @dev Equal to keccak256(abi.encode(OFFER_TYPEHASH, orderId, revision, expiry)), encoded where memory is free.
    function offer(OrderId orderId, uint256 revision, uint256 expiry) internal pure returns (bytes32 structHash) {
        bytes32 typeHash = OFFER_TYPEHASH;
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore(free, typeHash)
            mstore(add(free, 0x20), orderId)
            mstore(add(free, 0x40), revision)
            mstore(add(free, 0x60), expiry)
            structHash := keccak256(free, 0x80)
        }
    }

    function split(OrderId orderId, Split calldata s) internal pure returns (bytes32) {
        return keccak256(abi.encode(SPLIT_TYPEHASH, orderId, s.state, s.disputedUnits, s.revision, s.toBuyer, s.expiry));
    }

    function action(OrderId orderId, Action calldata a) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(ACTION_TYPEHASH, orderId, a.verb, a.state, a.role, a.signer, a.number, a.content, a.expiry)
        );
    }
}
