// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {CappedCall} from "../libraries/CappedCall.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

/// @dev Balances of the native coin (token zero) and of tokens that may not answer.
library Balances {
    uint256 private constant BALANCE_GAS = 100_000; // as the escrow grants

    /// @dev In base units; `unknown` where the token does not say.
    function balanceOf(address account, address token, uint256 unknown) internal view returns (uint256) {
        if (token == address(0)) return account.balance;
        (bool success, uint256 size, uint256 word) =
            CappedCall.staticCall(token, BALANCE_GAS, abi.encodeCall(IERC20.balanceOf, (account)));
        return success && size > 0x1f ? word : unknown;
    }
}
