// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Fault, IKamengEscrow, OrderId, OrderTerms, Outcome, Policy, PolicyId, State} from "./IKamengEscrow.sol";
import {OrderSlot} from "./libraries/OrderSlot.sol";
import {PolicySlot} from "./libraries/PolicySlot.sol";
import {Shares} from "./libraries/Shares.sol";

/// @dev An order's slot, decoded.
struct OrderStatus {
    State state;
    Outcome outcome; // None while open
    Fault fault; // None while open
    uint40 deadline; // Unix seconds from which anyone may settle; once Closed: when it closed; in None: zero
    uint16 disputedUnits;
    uint24 revision;
}

/// @dev How an order ends: what goes where, in base units.
struct Closing {
    Outcome outcome;
    Fault fault;
    uint256 toBuyer; // to refundTo
    uint256 toSeller; // to payTo
    uint256 platformFee; // accrues to the policy
    uint256 bondReturned; // to the seller's bond balance
}

/// @dev What the clock will do with an open order if nobody acts before.
struct NextAction {
    State state;
    uint40 dueAt; // Unix seconds from which anyone may settle; zero: never, the order is not open
    bool due; // whether that is now
    Closing closing; // what settling pays; zeros where dueAt is zero
}

/**
 * @title  Read-only companion of the escrow
 * @notice Answers for many orders at once, at one block. It keeps nothing and may be deployed by anyone, anywhere.
 */
contract KamengLens {
    IKamengEscrow public immutable escrow;

    constructor(IKamengEscrow escrow_) {
        escrow = escrow_;
    }

    /// @notice Where each order stands; State.None for an unknown id.
    function stateOf(OrderId[] calldata orderIds) external view returns (OrderStatus[] memory statuses) {
        statuses = new OrderStatus[](orderIds.length);
        for (uint256 i; i < orderIds.length; ++i) {
            OrderSlot slot = _slot(orderIds[i]);
            statuses[i] = OrderStatus(
                slot.state(),
                slot.outcome(),
                slot.fault(),
                uint40(slot.deadline()),
                slot.disputedUnits(),
                slot.revision()
            );
        }
    }

    /// @notice From which Unix second on anyone may settle each order; zero where it is not open.
    function dueAt(OrderId[] calldata orderIds) external view returns (uint40[] memory times) {
        times = new uint40[](orderIds.length);
        for (uint256 i; i < orderIds.length; ++i) {
            times[i] = _dueAt(_slot(orderIds[i]));
        }
    }

    /// @notice What the clock will do with each order, when, and what that pays to whom.
    function nextAction(OrderTerms[] calldata terms) external view returns (NextAction[] memory actions) {
        actions = new NextAction[](terms.length);
        for (uint256 i; i < terms.length; ++i) {
            OrderSlot slot = _slot(escrow.toId(terms[i]));
            NextAction memory action = actions[i];
            action.state = slot.state();
            action.dueAt = _dueAt(slot);
            if (action.dueAt == 0) continue;
            action.due = block.timestamp >= action.dueAt;
            Closing memory closing = action.closing;
            (
                closing.outcome,
                closing.fault,
                closing.toBuyer,
                closing.toSeller,
                closing.platformFee,
                closing.bondReturned
            ) = Shares.timeout(slot, terms[i].price, terms[i].units);
        }
    }

    /// @notice A registered policy, the last second at which it takes new orders without a review, and whether it is
    ///         retired. Reverts PolicyUnknown.
    function policyOf(PolicyId policyId) external view returns (Policy memory policy, uint40 reviewBy, bool retired) {
        (uint256 raw, address platform, address mediator, address backupMediator, address feeReceiver) =
            escrow.policyRecordOf(policyId);
        PolicySlot slot = PolicySlot.wrap(raw);
        if (!slot.exists()) revert IKamengEscrow.PolicyUnknown(policyId);
        policy = slot.unpack();
        policy.platform = platform;
        policy.mediator = mediator;
        policy.backupMediator = backupMediator;
        policy.feeReceiver = feeReceiver;
        return (policy, uint40(slot.reviewBy()), slot.retired());
    }

    function _slot(OrderId orderId) private view returns (OrderSlot) {
        return OrderSlot.wrap(escrow.slotOf(orderId));
    }

    function _dueAt(OrderSlot slot) private pure returns (uint40) {
        State state = slot.state();
        return state == State.None || state == State.Closed ? 0 : uint40(slot.deadline());
    }
}
