// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IKamengEscrow, Policy, PolicyField, PolicyId} from "../IKamengEscrow.sol";
import {PolicySlot, PolicySlotLib} from "../libraries/PolicySlot.sol";

/// @dev The register of policies. Nothing here holds money.
abstract contract Policies is IKamengEscrow {
    struct PolicyRecord {
        PolicySlot slot;
        address platform;
        address mediator;
        address backupMediator;
        address feeReceiver;
    }

    uint256 internal constant MIN_ACTION_WINDOW = 5 minutes;
    uint256 internal constant MIN_TALK_WINDOW = 1 hours;
    uint256 internal constant MIN_MEDIATE_WINDOW = 1 days;
    uint256 internal constant MAX_WINDOW = 90 days;
    uint256 internal constant MAX_PLATFORM_FEE_BPS = 1_000;
    uint256 internal constant MAX_BPS = 5_000;
    /// @dev As cancelFeeBps: no cancelling once accepted. The largest number that fits beside the others.
    uint256 internal constant NO_CANCEL = 8_191;
    uint256 internal constant MAX_REVIEW_PERIOD = 366 days;

    mapping(PolicyId policyId => PolicyRecord) internal _policies;

    /// @inheritdoc IKamengEscrow
    function registerPolicy(Policy calldata policy, uint40 reviewBy) external returns (PolicyId policyId) {
        if (policy.platform != msg.sender) revert Unauthorized(msg.sender, policy.platform);
        policyId = PolicyId.wrap(keccak256(abi.encode(policy)));
        if (_policies[policyId].slot.exists()) revert PolicyExists(policyId);
        _checkWindows(policy);
        _checkShares(policy);
        _checkAddresses(policy);
        _checkRange(PolicyField.EffectiveFrom, policy.effectiveFrom, 0, type(uint32).max);
        _checkReviewBy(reviewBy, block.timestamp);

        _policies[policyId] = PolicyRecord(
            PolicySlotLib.pack(policy, reviewBy),
            policy.platform,
            policy.mediator,
            policy.backupMediator,
            policy.feeReceiver
        );
        emit PolicyRegistered(policyId, msg.sender, policy, reviewBy);
    }

    /// @inheritdoc IKamengEscrow
    function reviewPolicy(PolicyId policyId, uint40 reviewBy) external {
        PolicySlot slot = _ownPolicy(policyId);
        if (slot.retired()) revert PolicyIsRetired(policyId);
        _checkReviewBy(reviewBy, slot.reviewBy() + 1);
        _policies[policyId].slot = slot.reviewed(reviewBy);
        emit PolicyReviewed(policyId, reviewBy);
    }

    /// @inheritdoc IKamengEscrow
    function retirePolicy(PolicyId policyId) external {
        PolicySlot slot = _ownPolicy(policyId);
        if (slot.retired()) revert PolicyIsRetired(policyId);
        _policies[policyId].slot = slot.retire();
        emit PolicyRetired(policyId);
    }

    /// @inheritdoc IKamengEscrow
    function policyRecordOf(PolicyId policyId)
        external
        view
        returns (uint256 slot, address platform, address mediator, address backupMediator, address feeReceiver)
    {
        PolicyRecord storage record = _policies[policyId];
        slot = PolicySlot.unwrap(record.slot);
        (platform, mediator) = (record.platform, record.mediator);
        (backupMediator, feeReceiver) = (record.backupMediator, record.feeReceiver);
    }

    /// @dev The policy, if it takes new orders now.
    function _livePolicy(PolicyId policyId) internal view returns (PolicySlot slot) {
        slot = _policies[policyId].slot;
        if (!slot.exists()) revert PolicyUnknown(policyId);
        if (slot.retired()) revert PolicyIsRetired(policyId);
        if (block.timestamp < slot.effectiveFrom()) revert PolicyNotEffective(block.timestamp, slot.effectiveFrom());
        if (block.timestamp > slot.reviewBy()) revert PolicyReviewOverdue(block.timestamp, slot.reviewBy());
    }

    function _ownPolicy(PolicyId policyId) private view returns (PolicySlot slot) {
        PolicyRecord storage record = _policies[policyId];
        slot = record.slot;
        if (!slot.exists()) revert PolicyUnknown(policyId);
        if (record.platform != msg.sender) revert Unauthorized(msg.sender, record.platform);
    }

    function _checkWindows(Policy calldata policy) private pure {
        _checkRange(PolicyField.AcceptWindow, policy.acceptWindow, MIN_ACTION_WINDOW, MAX_WINDOW);
        _checkRange(PolicyField.DeliverWindow, policy.deliverWindow, MIN_ACTION_WINDOW, MAX_WINDOW);
        _checkRange(PolicyField.InspectWindow, policy.inspectWindow, MIN_TALK_WINDOW, MAX_WINDOW);
        _checkRange(PolicyField.NegotiateWindow, policy.negotiateWindow, MIN_TALK_WINDOW, MAX_WINDOW);
        if (policy.mediator == address(0)) {
            _checkRange(PolicyField.MediateWindow, policy.mediateWindow, 0, 0);
        } else {
            _checkRange(PolicyField.MediateWindow, policy.mediateWindow, MIN_MEDIATE_WINDOW, MAX_WINDOW);
        }
    }

    function _checkShares(Policy calldata policy) private pure {
        _checkRange(PolicyField.PlatformFee, policy.platformFeeBps, 0, MAX_PLATFORM_FEE_BPS);
        if (policy.cancelFeeBps != NO_CANCEL) _checkRange(PolicyField.CancelFee, policy.cancelFeeBps, 0, MAX_BPS);
        _checkRange(PolicyField.SellerBond, policy.sellerBondBps, 0, MAX_BPS);
        _checkRange(PolicyField.DisputeBond, policy.disputeBondBps, 0, MAX_BPS);
        uint256 smallerBond =
            policy.sellerBondBps < policy.disputeBondBps ? policy.sellerBondBps : policy.disputeBondBps;
        uint256 maxMediationFee = policy.mediator == address(0) ? 0 : smallerBond;
        _checkRange(PolicyField.MediationFee, policy.mediationFeeBps, 0, maxMediationFee);
        _checkRange(PolicyField.SilenceShare, policy.silenceShareBps, 0, 10_000);
    }

    function _checkAddresses(Policy calldata policy) private view {
        address backup = policy.backupMediator;
        if (policy.feeReceiver == address(0)) revert InvalidAddress(policy.feeReceiver);
        if (policy.feeReceiver == address(this)) revert InvalidAddress(policy.feeReceiver);
        if (policy.mediator == address(this)) revert InvalidAddress(policy.mediator);
        if (backup == address(this)) revert InvalidAddress(backup);
        // The backup is another than the mediator, and there is none without a mediator.
        if (backup != address(0)) {
            if (backup == policy.mediator || policy.mediator == address(0)) revert InvalidAddress(backup);
        }
    }

    function _checkReviewBy(uint256 reviewBy, uint256 min) private view {
        _checkRange(PolicyField.ReviewBy, reviewBy, min, block.timestamp + MAX_REVIEW_PERIOD);
    }

    function _checkRange(PolicyField field, uint256 value, uint256 min, uint256 max) private pure {
        if (value < min || value > max) revert PolicyOutOfBounds(field, value, min, max);
    }
}
