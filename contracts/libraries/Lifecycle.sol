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

    // The states in which each verb is possible, a byte a verb.
    uint256 private constant ACCEPT_IN = OPENED << (8 * uint256(Verb.Accept));
    uint256 private constant DELIVER_IN = ACCEPTED << (8 * uint256(Verb.Deliver));
    uint256 private constant CONFIRM_IN = (ACCEPTED | DELIVERED | DISPUTED) << (8 * uint256(Verb.Confirm));
    uint256 private constant CANCEL_IN = (OPENED | ACCEPTED) << (8 * uint256(Verb.Cancel));
    uint256 private constant DECLINE_IN = (OPENED | ACCEPTED) << (8 * uint256(Verb.Decline));
    uint256 private constant REFUND_IN = (DELIVERED | DISPUTED) << (8 * uint256(Verb.Refund));
    uint256 private constant DISPUTE_IN = DELIVERED << (8 * uint256(Verb.Dispute));
    uint256 private constant CONCEDE_IN = DISPUTED << (8 * uint256(Verb.Concede));
    uint256 private constant REVISE_IN = (NONE | OPENED | ACCEPTED | DELIVERED | DISPUTED)
        << (8 * uint256(Verb.Revise));
    uint256 private constant RECOMMIT_IN = DISPUTED << (8 * uint256(Verb.Recommit));
    uint256 private constant POSSIBLE = ACCEPT_IN | DELIVER_IN | CONFIRM_IN | CANCEL_IN | DECLINE_IN | REFUND_IN
        | DISPUTE_IN | CONCEDE_IN | REVISE_IN | RECOMMIT_IN;

    // Which of them only while t < d, which only while t < n; the others at any time.
    uint256 private constant LATE_CANCEL = ACCEPTED << (8 * uint256(Verb.Cancel));
    uint256 private constant LATE_DECLINE = ACCEPTED << (8 * uint256(Verb.Decline));
    uint256 private constant BEFORE_DEADLINE =
        ACCEPT_IN | DELIVER_IN | DISPUTE_IN | CONCEDE_IN | LATE_CANCEL | LATE_DECLINE;
    uint256 private constant LATE_CONFIRM = DISPUTED << (8 * uint256(Verb.Confirm));
    uint256 private constant LATE_REFUND = DISPUTED << (8 * uint256(Verb.Refund));
    uint256 private constant BEFORE_MEDIATION = RECOMMIT_IN | LATE_CONFIRM | LATE_REFUND;

    // The right that an operator needs, a byte a verb; zero: no operator may.
    uint256 private constant ACCEPT_RIGHT = uint256(ACCEPT) << (8 * uint256(Verb.Accept));
    uint256 private constant DELIVER_RIGHT = uint256(DELIVER) << (8 * uint256(Verb.Deliver));
    uint256 private constant DECLINE_RIGHT = uint256(DECLINE) << (8 * uint256(Verb.Decline));
    uint256 private constant REFUND_RIGHT = uint256(REFUND) << (8 * uint256(Verb.Refund));
    uint256 private constant CONCEDE_RIGHT = uint256(REFUND) << (8 * uint256(Verb.Concede));
    uint256 private constant RECOMMIT_RIGHT = uint256(DELIVER) << (8 * uint256(Verb.Recommit));
    uint256 private constant RIGHTS =
        ACCEPT_RIGHT | DELIVER_RIGHT | DECLINE_RIGHT | REFUND_RIGHT | CONCEDE_RIGHT | RECOMMIT_RIGHT;

    // Whose verbs they are, a bit a verb.
    uint256 private constant EITHERS = (1 << uint256(Verb.Concede)) | (1 << uint256(Verb.Revise));
    uint256 private constant BUYERS =
        (1 << uint256(Verb.Confirm)) | (1 << uint256(Verb.Cancel)) | (1 << uint256(Verb.Dispute)) | EITHERS;
    uint256 private constant SELLERS = (1 << uint256(Verb.Accept)) | (1 << uint256(Verb.Deliver))
        | (1 << uint256(Verb.Decline)) | (1 << uint256(Verb.Refund)) | (1 << uint256(Verb.Recommit)) | EITHERS;

    uint256 private constant ENDINGS = (1 << uint256(Verb.Confirm)) | (1 << uint256(Verb.Cancel))
        | (1 << uint256(Verb.Decline)) | (1 << uint256(Verb.Refund));

    /// @dev Where a verb's bit for a state lies in the tables.
    function bit(Verb verb, State state) internal pure returns (uint256) {
        return 1 << (8 * _number(verb) + _number(state));
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
        return (BUYERS >> _number(verb)) & 1 != 0;
    }

    function forSeller(Verb verb) internal pure returns (bool) {
        return (SELLERS >> _number(verb)) & 1 != 0;
    }

    function rightFor(Verb verb) internal pure returns (uint8) {
        return uint8(RIGHTS >> 8 * _number(verb));
    }

    /// @dev Whether all that the verb can do is close the order: rows 4, 7, 8, 11, 12, 14 and 15.
    function ends(Verb verb) internal pure returns (bool) {
        return (ENDINGS >> _number(verb)) & 1 != 0;
    }

    /// @dev Equal to uint256(verb), without the range check: whoever decoded the verb has made it.
    function _number(Verb verb) private pure returns (uint256 index) {
        assembly ("memory-safe") {
            index := verb
        }
    }

    /// @dev Equal to uint256(state); likewise.
    function _number(State state) private pure returns (uint256 index) {
        assembly ("memory-safe") {
            index := state
        }
    }
}
