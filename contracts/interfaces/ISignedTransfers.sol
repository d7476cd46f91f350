// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @dev What EIP-3009 tokens that admit smart wallets take beside v, r and s, as USDC does since its version 2.2.
interface IERC3009WithBytes {
    function receiveWithAuthorization(
        address from,
        address to,
        uint256 value,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 nonce,
        bytes calldata signature
    ) external;
}

/// @dev The part of Uniswap's Permit2 that moves a token by one signature over the transfer and a witness.
interface IPermit2 {
    struct TokenPermissions {
        address token;
        uint256 amount; // base units; the most that may be moved
    }

    struct PermitTransferFrom {
        TokenPermissions permitted;
        uint256 nonce; // any the owner has not used: a bit in a bitmap
        uint256 deadline; // Unix seconds; the last second at which it may be used
    }

    struct SignatureTransferDetails {
        address to;
        uint256 requestedAmount; // base units
    }

    function permitWitnessTransferFrom(
        PermitTransferFrom calldata permit,
        SignatureTransferDetails calldata transferDetails,
        address owner,
        bytes32 witness,
        string calldata witnessTypeString,
        bytes calldata signature
    ) external;
}
