// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IKamengEscrow, Offer, OrderId, OrderTerms} from "../IKamengEscrow.sol";
import {CappedCall} from "../libraries/CappedCall.sol";
import {Balances} from "./Balances.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";

/// @dev One order to open.
struct CartItem {
    OrderTerms terms;
    Offer offer; // the seller's promise; expiry zero: none, the order waits to be accepted
}

/// @dev An EIP-2612 permit of the caller for the cart. One that fails is passed over: it may have been used already,
///      and the allowance decides.
struct CartPermit {
    address token;
    uint256 value; // base units
    uint256 deadline; // Unix seconds
    bytes signature; // 65 bytes r ‖ s ‖ v
}

/**
 * @title  Cart
 * @notice Opens several orders in one transaction: all of them, or none. The caller pays: in a token by an allowance to
 *         this contract, or a permit, of the prices' sum; in the native coin by the value sent.
 * @dev    The cart is the orders' payer, and that is all it is: who acts and who is paid stands in the terms, which may
 *         not name the cart. It holds nothing between transactions. What a token moves into it beyond what the orders
 *         took goes back to the caller before the call ends; what was sent here otherwise is nobody's and stays.
 */
contract KamengCart is ReentrancyGuardTransient {
    using SafeERC20 for IERC20;

    address private constant NATIVE = address(0);

    /// @dev What the orders take of one token.
    struct Purse {
        address token;
        uint256 total; // base units
        uint256 before; // what was here before the caller paid
    }

    /// @notice The escrow in which the orders are opened.
    IKamengEscrow public immutable escrow;

    constructor(IKamengEscrow escrow_) {
        escrow = escrow_;
    }

    /**
     * @notice Opens every order of the list, in its order.
     * @dev    Reverts NothingToPay for an empty list, InvalidAddress for terms that name the cart, WrongValue,
     *         TokenHasNoCode, PullFailed, WrongAmountReceived, as `IKamengEscrow.open` or `openWithOffer`, and
     *         PushFailed where the caller refuses what is left.
     */
    function open(CartItem[] calldata items, CartPermit[] calldata permits)
        external
        payable
        nonReentrant
        returns (OrderId[] memory orderIds)
    {
        if (items.length == 0) revert IKamengEscrow.NothingToPay();
        (Purse[] memory purses, uint256 count, uint256 value) = _add(items);
        if (msg.value != value) revert IKamengEscrow.WrongValue(msg.value, value);
        for (uint256 i; i < permits.length; ++i) {
            _permit(permits[i]);
        }
        for (uint256 i; i < count; ++i) {
            _pull(purses[i]);
        }

        orderIds = new OrderId[](items.length);
        for (uint256 i; i < items.length; ++i) {
            orderIds[i] = _open(items[i]);
        }
        for (uint256 i; i < count; ++i) {
            _giveBack(purses[i]);
        }
    }

    /// @dev The sums by token, each token once, and the native coin's apart.
    function _add(CartItem[] calldata items)
        private
        view
        returns (Purse[] memory purses, uint256 count, uint256 value)
    {
        purses = new Purse[](items.length);
        for (uint256 i; i < items.length; ++i) {
            OrderTerms calldata terms = items[i].terms;
            if (terms.buyer == address(this) || terms.refundTo == address(this) || terms.payTo == address(this)) {
                revert IKamengEscrow.InvalidAddress(address(this));
            }
            if (terms.token == NATIVE) {
                value += terms.price;
                continue;
            }
            uint256 place;
            while (place < count && purses[place].token != terms.token) ++place;
            if (place == count) purses[count++].token = terms.token;
            purses[place].total += terms.price;
        }
    }

    function _permit(CartPermit calldata permit) private {
        (uint8 v, bytes32 r, bytes32 s) = ECDSA.parseCalldata(permit.signature);
        bytes memory input =
            abi.encodeCall(IERC20Permit.permit, (msg.sender, address(this), permit.value, permit.deadline, v, r, s));
        // Whatever it answers: the allowance decides.
        // slither-disable-next-line unused-return
        CappedCall.call(permit.token, 0, gasleft(), input);
    }

    function _pull(Purse memory purse) private {
        address token = purse.token;
        if (token.code.length == 0) revert IKamengEscrow.TokenHasNoCode(token);
        purse.before = Balances.balanceOf(address(this), token, 0);
        if (!IERC20(token).trySafeTransferFrom(msg.sender, address(this), purse.total)) {
            revert IKamengEscrow.PullFailed(token, msg.sender, purse.total);
        }
        unchecked {
            // Wraps for a token that took instead of giving: equally wrong.
            uint256 received = Balances.balanceOf(address(this), token, 0) - purse.before;
            if (received != purse.total) {
                revert IKamengEscrow.WrongAmountReceived(token, received, purse.total);
            }
        }
        // Whatever it answers: where it did nothing, the escrow's pull fails and says so.
        // slither-disable-next-line unused-return
        CappedCall.call(token, 0, gasleft(), abi.encodeCall(IERC20.approve, (address(escrow), purse.total)));
    }

    function _open(CartItem calldata item) private returns (OrderId) {
        OrderTerms calldata terms = item.terms;
        uint256 value = terms.token == NATIVE ? terms.price : 0;
        return item.offer.expiry == 0
            ? escrow.open{value: value}(terms)
            : escrow.openWithOffer{value: value}(terms, item.offer);
    }

    function _giveBack(Purse memory purse) private {
        uint256 left = Balances.balanceOf(address(this), purse.token, 0);
        if (left <= purse.before) return;
        left -= purse.before;
        if (!IERC20(purse.token).trySafeTransfer(msg.sender, left)) {
            revert IKamengEscrow.PushFailed(purse.token, msg.sender, left);
        }
    }
}
