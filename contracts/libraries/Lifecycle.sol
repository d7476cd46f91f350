// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {State, Verb} from "../IKamengEscrow.sol";

/// @dev Which verb of a party or operator is possible in which state, until when, and by whom: the table at the head of
///      IKamengEscrow.sol as bits. A row is a verb, its bits are states.
library Lifecycle {
    uint8 internal constant ACCEPT = 1;
    uint8 internal constant DELIVER = 2;
    uint8 internal constant DECLINE = 4;
    uint8 internal constant REFUND = 8;
    uint8 internal constant ALL_RIGHTS = 15;

    uint256 private constant NONE = 1 << uint256(State.None);
    uint256 private constant OPENED = 1 << uint256(State.Opened);
    uint256 private constant ACCEPTED = 1 << uint256(State.Accepted);
    uint256 private constant DELIVERED = 1 << uint256(State.Delivered);
    uint256 private constant DISPUTED = 1 << uint256(State.Disputed);

    uint256 private constant POSSIBLE = (OPENED << 8 * uint256(Verb.Accept)) | (ACCEPTED << 8 * uint256(Verb.Deliver))
        | (ACCEPTED | DELIVERED | DISPUTED) << 8 * uint256(Verb.Confirm)
        | (OPENED | ACCEPTED) << 8 * uint256(Verb.Cancel) | (OPENED | ACCEPTED) << 8 * uint256(Verb.Decline)
        | (DELIVERED | DISPUTED) << 8 * uint256(Verb.Refund) | DELIVERED << 8 * uint256(Verb.Dispute)
        | DISPUTED << 8 * uint256(Verb.Concede)
        | (NONE | OPENED | ACCEPTED | DELIVERED | DISPUTED) << 8 * uint256(Verb.Revise)
        | DISPUTED << 8 * uint256(Verb.Recommit);

    /// @dev Where not marked: any time.
    uint256 private constant BEFORE_DEADLINE = (OPENED << 8 * uint256(Verb.Accept))
        | (ACCEPTED << 8 * uint256(Verb.Deliver)) | ACCEPTED << 8 * uint256(Verb.Cancel)
        | ACCEPTED << 8 * uint256(Verb.Decline) | DELIVERED << 8 * uint256(Verb.Dispute)
        | DISPUTED << 8 * uint256(Verb.Concede);
    uint256 private constant BEFORE_MEDIATION = (DISPUTED << 8 * uint256(Verb.Confirm))
        | (DISPUTED << 8 * uint256(Verb.Refund)) | DISPUTED << 8 * uint256(Verb.Recommit);

    /// @dev A byte a verb: the right that an operator needs for it; zero: no operator may.
    uint256 private constant RIGHTS = (uint256(ACCEPT) << 8 * uint256(Verb.Accept))
        | (uint256(DELIVER) << 8 * uint256(Verb.Deliver)) | (uint256(DECLINE) << 8 * uint256(Verb.Decline))
        | (uint256(REFUND) << 8 * uint256(Verb.Refund)) | (uint256(REFUND) << 8 * uint256(Verb.Concede))
        | (uint256(DELIVER) << 8 * uint256(Verb.Recommit));

    uint256 private constant BUYERS = (1 << uint256(Verb.Confirm)) | (1 << uint256(Verb.Cancel))
        | (1 << uint256(Verb.Dispute)) | (1 << uint256(Verb.Concede)) | (1 << uint256(Verb.Revise));
    uint256 private constant SELLERS = (1 << uint256(Verb.Accept)) | (1 << uint256(Verb.Deliver))
        | (1 << uint256(Verb.Decline)) | (1 << uint256(Verb.Refund)) | (1 << uint256(Verb.Concede))
        | (1 << uint256(Verb.Revise)) | (1 << uint256(Verb.Recommit));

    /// @dev Where a verb's bit for a state lies in the tables.
    function bit(Verb verb, State state) internal pure returns (uint256) {
        return 1 << (8 * uint256(verb) + uint256(state));
    }

    function possible(uint256 bit_) internal pure returns (bool) {
        return POSSIBLE & bit_ != 0;
    }

    /// @dev Only while t < d.
    function beforeDeadline(uint256 bit_) internal pure returns (bool) {
        return BEFORE_DEADLINE & bit_ != 0;
    }

    /// @dev Only while t < n.
    function beforeMediation(uint256 bit_) internal pure returns (bool) {
        return BEFORE_MEDIATION & bit_ != 0;
    }

    function forBuyer(Verb verb) internal pure returns (bool) {
        return (BUYERS >> uint256(verb)) & 1 != 0;
    }

    function forSeller(Verb verb) internal pure returns (bool) {
        return (SELLERS >> uint256(verb)) & 1 != 0;
    }

    function rightFor(Verb verb) internal pure returns (uint8) {
        return uint8(RIGHTS >> 8 * uint256(verb));
    }
}
