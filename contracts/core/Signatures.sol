// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IKamengEscrow, OrderId, OrderTerms} from "../IKamengEscrow.sol";
import {TypedData} from "../libraries/TypedData.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";

/// @dev What is signed, and by whom.
abstract contract Signatures is IKamengEscrow {
    bytes32 private constant DOMAIN_TYPEHASH =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
    bytes32 private constant NAME_HASH = keccak256("KamengEscrow");
    bytes32 private constant VERSION_HASH = keccak256("1");

    uint256 private immutable CHAIN_ID;
    /// @dev The domain at deployment. Order ids keep it for ever, so that a fork that changes the chain id does not
    ///      orphan open orders; what is signed follows the current chain id, so that nothing is replayed across it.
    bytes32 private immutable ORDER_DOMAIN;

    constructor() {
        CHAIN_ID = block.chainid;
        ORDER_DOMAIN = _buildDomain();
    }

    /// @inheritdoc IKamengEscrow
    function eip712Domain()
        external
        view
        returns (bytes1, string memory, string memory, uint256, address, bytes32, uint256[] memory)
    {
        return (hex"0f", "KamengEscrow", "1", block.chainid, address(this), 0, new uint256[](0));
    }

    /// @inheritdoc IKamengEscrow
    function toId(OrderTerms calldata terms) external view returns (OrderId) {
        return _toId(terms);
    }

    function _toId(OrderTerms calldata terms) internal view returns (OrderId) {
        return TypedData.toId(terms, ORDER_DOMAIN);
    }

    function _requireLive(uint256 expiry) internal view {
        if (block.timestamp >= expiry) revert Expired(block.timestamp, expiry);
    }

    /// @dev A key's own signature first, whatever code its account carries (EIP-7702); then ERC-1271.
    function _requireSignature(address signer, bytes32 structHash, bytes calldata signature) internal view {
        bytes32 digest =
            MessageHashUtils.toTypedDataHash(block.chainid == CHAIN_ID ? ORDER_DOMAIN : _buildDomain(), structHash);
        // Where it recovers nobody, `recovered` is zero; why, is of no account.
        // slither-disable-next-line unused-return
        (address recovered,,) = ECDSA.tryRecoverCalldata(digest, signature);
        if (recovered == signer && signer != address(0)) return;
        if (!SignatureChecker.isValidERC1271SignatureNowCalldata(signer, digest, signature)) {
            revert InvalidSignature(signer, digest);
        }
    }

    function _buildDomain() private view returns (bytes32) {
        return keccak256(abi.encode(DOMAIN_TYPEHASH, NAME_HASH, VERSION_HASH, block.chainid, address(this)));
    }
}
