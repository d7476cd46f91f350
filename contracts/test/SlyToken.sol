// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {TestToken} from "./TestToken.sol";

/// @title  A token that behaves in rehearsals and uses up all its gas in blocks
/// @notice Nodes rehearse with the randomness of a block that is there already, and the next one has another: a token
///         that has seen the one knows the other.
contract SlyToken is TestToken {
    address public immutable issuer = msg.sender;
    uint256 public seen; // the randomness of rehearsals; zero: it is no different from others

    error NotIssuer(address account);

    constructor(string memory name, string memory symbol, uint8 decimals_) TestToken(name, symbol, decimals_) {}

    function beSly() external {
        if (msg.sender != issuer) revert NotIssuer(msg.sender);
        seen = block.prevrandao;
    }

    function _update(address from, address to, uint256 value) internal override {
        if (seen != 0 && block.prevrandao != seen) _burn();
        super._update(from, to, value);
    }

    function _burn() private pure {
        assembly ("memory-safe") {
            invalid()
        }
    }
}
