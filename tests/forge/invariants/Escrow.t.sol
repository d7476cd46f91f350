// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Money} from "./Money.sol";

/// @dev Everybody, and everything that anybody can do: the target of the random calls.
contract Market is Money {}

/**
 * @dev Random calls by everybody against the artifact that ships. The promises are checked within every call, where the
 *      call and what it should have done are known (`Books.turn`); a broken one fails the call, and forge is told to
 *      let no call fail. No call is wasted either: each tries something that the table allows, or something that it
 *      forbids, and knows which.
 */
contract EscrowInvariants {
    Market private market;
    address[] private targets;

    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    function setUp() external {
        market = new Market();
        targets.push(address(market));
    }

    function targetContracts() external view returns (address[] memory) {
        return targets;
    }

    function excludeSelectors() external view returns (FuzzSelector[] memory excluded) {
        bytes4[] memory selectors = new bytes4[](3);
        selectors[0] = market.checkAll.selector;
        selectors[1] = market.endAll.selector;
        selectors[2] = market.emptyOut.selector;
        excluded = new FuzzSelector[](1);
        excluded[0] = FuzzSelector(address(market), selectors);
    }

    /// @dev Every order, account, token and policy, not only those that the last call touched.
    function invariant_allPromisesHold() external {
        market.checkAll();
    }

    /// @dev From where the run has come to, everything can be ended and everybody paid.
    function afterInvariant() external {
        market.endAll(uint256(uint160(address(this))));
        market.checkAll();
        market.emptyOut();
        market.checkAll();
    }
}
