// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IKamengEscrow, OrderId, OrderTerms} from "../IKamengEscrow.sol";
import {IERC3009WithBytes, IPermit2} from "../interfaces/ISignedTransfers.sol";
import {CappedCall} from "../libraries/CappedCall.sol";
import {TokenCall} from "../libraries/TokenCall.sol";
import {TypedData} from "../libraries/TypedData.sol";
import {IERC3009} from "@openzeppelin/contracts/interfaces/draft-IERC3009.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";

/**
 * @dev Money in: exactly the amount asked for, or nothing; measured by this contract's balance, under the lock. Whoever
 *      collects makes sure that the payer is msg.sender, or signed for this very order: the payer, the token, the amount
 *      and the order are in what is signed, so that a relayer can change none of them.
 */
abstract contract Intake is IKamengEscrow, ReentrancyGuardTransient {
    address internal constant NATIVE = address(0);
    /// @dev At the same address on every chain.
    IPermit2 private constant PERMIT2 = IPermit2(0x000000000022D473030F116dDEE9F6B43aC78BA3);

    /// @dev Enough for a token behind a proxy.
    uint256 internal constant BALANCE_GAS = 100_000;

    /// @dev In the native coin as the call's value, else by allowance.
    function _collect(address token, address from, uint256 amount) internal {
        if (token == NATIVE) {
            if (msg.value != amount) revert WrongValue(msg.value, amount);
        } else {
            if (msg.value != 0) revert WrongValue(msg.value, 0);
            if (amount != 0) _pull(token, from, amount);
        }
    }

    /// @dev By an EIP-2612 permit of `from` for exactly `amount`. Whether the permit was accepted is not asked: somebody
    ///      may have brought it here before. What counts is the allowance.
    function _collectPermitted(address token, address from, uint256 amount, uint256 deadline, bytes calldata signature)
        internal
    {
        // A bond of zero by the order's policy, which nobody can make one more.
        // slither-disable-next-line incorrect-equality
        if (amount == 0) return;
        _permit(token, from, amount, deadline, signature);
        _pull(token, from, amount);
    }

    /// @dev By an EIP-3009 authorization of `from` under `nonce`, valid from the start. Two forms are in use: 65 bytes
    ///      go as v, r and s, which every such token takes; what else a smart wallet signs with goes as bytes.
    function _collectAuthorized(
        address token,
        address from,
        uint256 amount,
        bytes32 nonce,
        uint256 validBefore,
        bytes calldata signature
    ) internal {
        // A bond of zero by the order's policy, which nobody can make one more.
        // slither-disable-next-line incorrect-equality
        if (amount == 0) return;
        bytes memory input;
        if (signature.length == 65) {
            (uint8 v, bytes32 r, bytes32 s) = ECDSA.parseCalldata(signature);
            input = abi.encodeCall(
                IERC3009.receiveWithAuthorization, (from, address(this), amount, 0, validBefore, nonce, v, r, s)
            );
        } else {
            input = abi.encodeCall(
                IERC3009WithBytes.receiveWithAuthorization,
                (from, address(this), amount, 0, validBefore, nonce, signature)
            );
        }
        _pullBy(token, input, token, from, amount);
    }

    /// @dev By a Permit2 signature of `from` over the transfer and the terms.
    function _collectByPermit2(
        OrderTerms calldata terms,
        address from,
        uint256 nonce,
        uint256 deadline,
        bytes calldata signature
    ) internal {
        bytes memory input = abi.encodeCall(
            IPermit2.permitWitnessTransferFrom,
            (
                IPermit2.PermitTransferFrom(IPermit2.TokenPermissions(terms.token, terms.price), nonce, deadline),
                IPermit2.SignatureTransferDetails(address(this), terms.price),
                from,
                TypedData.hashTerms(terms),
                TypedData.PERMIT2_WITNESS,
                signature
            )
        );
        _pullBy(address(PERMIT2), input, terms.token, from, terms.price);
    }

    function _permit(address token, address from, uint256 amount, uint256 deadline, bytes calldata signature)
        private
        nonReentrant
    {
        (uint8 v, bytes32 r, bytes32 s) = ECDSA.parseCalldata(signature);
        // Whatever it answers: the allowance decides.
        // slither-disable-next-line unused-return
        CappedCall.call(
            token, 0, gasleft(), abi.encodeCall(IERC20Permit.permit, (from, address(this), amount, deadline, v, r, s))
        );
    }

    function _pull(address token, address from, uint256 amount) private nonReentrant {
        uint256 before = _balanceBefore(token);
        // Some tokens answer nothing where others answer true.
        (bool success, uint256 size, uint256 word) = TokenCall.transferFrom(token, from, address(this), amount);
        if (!success || (size != 0 && word != 1)) revert PullFailed(token, from, amount);
        _requireReceived(token, before, amount);
    }

    /// @dev `target` is told to move the token from `from` to here.
    function _pullBy(address target, bytes memory input, address token, address from, uint256 amount)
        private
        nonReentrant
    {
        if (target.code.length == 0) revert TokenHasNoCode(target);
        uint256 before = _balanceBefore(token);
        // Whatever it answers: what arrived decides.
        // slither-disable-next-line unused-return
        (bool success,,) = CappedCall.call(target, 0, gasleft(), input);
        if (!success) revert PullFailed(token, from, amount);
        _requireReceived(token, before, amount);
    }

    /// @dev Zero where the token does not answer, which then must not have been for want of code.
    function _balanceBefore(address token) private view returns (uint256) {
        (bool success, uint256 size, uint256 word) = TokenCall.balanceOf(token, address(this), BALANCE_GAS);
        if (size == 0 && token.code.length == 0) revert TokenHasNoCode(token);
        return success && size > 0x1f ? word : 0;
    }

    function _requireReceived(address token, uint256 before, uint256 amount) private view {
        unchecked {
            // Wraps for a token that took instead of giving: equally wrong.
            uint256 received = _ownBalance(token, 0) - before;
            if (received != amount) revert WrongAmountReceived(token, received, amount);
        }
    }

    /// @dev `unknown` where the token does not answer, so that a broken token holds up no other.
    function _ownBalance(address token, uint256 unknown) internal view returns (uint256) {
        (bool success, uint256 size, uint256 word) = TokenCall.balanceOf(token, address(this), BALANCE_GAS);
        return success && size > 0x1f ? word : unknown;
    }
}
