// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IKamengEscrow, OperatorGrant, OrderTerms, PolicyId} from "../IKamengEscrow.sol";
import {Lifecycle} from "../libraries/Lifecycle.sol";
import {Terms} from "../libraries/Terms.sol";

/// @dev What sellers let others do for them. Operators act within a grant, and never decide where money goes.
abstract contract Sellers is IKamengEscrow {
    mapping(bytes32 key => OperatorGrant) private _grants;
    mapping(address seller => address) private _payTo;

    /// @inheritdoc IKamengEscrow
    function registerPayTo(address payTo) external {
        if (payTo == address(0) || payTo == address(this)) revert InvalidAddress(payTo);
        _payTo[msg.sender] = payTo;
        emit PayToRegistered(msg.sender, payTo);
    }

    /// @inheritdoc IKamengEscrow
    function setOperator(address operator, address token, PolicyId policyId, OperatorGrant calldata grant) external {
        if (operator == address(0)) revert InvalidAddress(operator);
        if (grant.rights > Lifecycle.ALL_RIGHTS) revert UnknownRights(grant.rights, Lifecycle.ALL_RIGHTS);
        _grants[_key(msg.sender, operator, token, policyId)] = grant;
        emit OperatorSet(msg.sender, operator, token, policyId, grant.rights, grant.expiry, grant.maxPrice);
    }

    /// @inheritdoc IKamengEscrow
    function operatorOf(address seller, address operator, address token, PolicyId policyId)
        external
        view
        returns (OperatorGrant memory)
    {
        return _grants[_key(seller, operator, token, policyId)];
    }

    /// @inheritdoc IKamengEscrow
    function payToOf(address seller) public view returns (address payTo) {
        payTo = _payTo[seller];
        if (payTo == address(0)) payTo = seller;
    }

    /// @dev Reverts unless `operator` holds `right` for an order of these terms now.
    function _requireRight(OrderTerms calldata terms, address operator, uint8 right) internal view {
        OperatorGrant storage grant =
            _grants[_key(Terms.seller(terms), operator, Terms.token(terms), Terms.policyId(terms))];
        if (grant.rights & right == 0) revert NoRight(operator, right);
        if (block.timestamp >= grant.expiry) revert Expired(block.timestamp, grant.expiry);
        if (Terms.price(terms) > grant.maxPrice) revert PriceAboveGrant(Terms.price(terms), grant.maxPrice);
        address registered = payToOf(Terms.seller(terms));
        if (Terms.payTo(terms) != registered) revert PayToNotRegistered(Terms.payTo(terms), registered);
    }

    function _key(address seller, address operator, address token, PolicyId policyId) private pure returns (bytes32) {
        return keccak256(abi.encode(seller, operator, token, policyId));
    }
}
