// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

/// @title  The least that an escrow with the same data can do: no checks, one slot an order, one event a step
/// @notice A floor for the gas benchmark, not an escrow: it believes everybody.
contract BareEscrow {
    struct Terms {
        address buyer;
        address refundTo;
        address seller;
        address payTo;
        address token;
        uint128 price;
        uint16 units;
        bytes32 policyId;
        bytes32 listing;
        uint40 openBy;
        bytes32 salt;
    }

    mapping(bytes32 orderId => uint256) private _orders;
    mapping(address token => uint256) private _fees;

    event Opened(bytes32 indexed orderId, Terms terms);
    event Closed(bytes32 indexed orderId, uint256 toSeller, uint256 fee);

    function open(Terms calldata terms) external payable {
        bytes32 id = keccak256(abi.encode(terms));
        _orders[id] = 1;
        emit Opened(id, terms);
        if (terms.token != address(0)) IERC20(terms.token).transferFrom(msg.sender, address(this), terms.price);
    }

    function confirm(Terms calldata terms) external {
        bytes32 id = keccak256(abi.encode(terms));
        _orders[id] = 2;
        uint256 fee = terms.price / 100;
        _fees[terms.token] += fee;
        emit Closed(id, terms.price - fee, fee);
        if (terms.token != address(0)) {
            IERC20(terms.token).transfer(terms.payTo, terms.price - fee);
        } else {
            (bool paid,) = terms.payTo.call{value: terms.price - fee}("");
            require(paid);
        }
    }
}
