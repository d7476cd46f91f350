// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {CappedCall} from "../../../contracts/libraries/CappedCall.sol";
import {vm} from "./Cheats.sol";

/// @dev Answers, or reverts with, the first `size` bytes of two words.
contract Answering {
    fallback() external payable {
        (uint256 size, bool refuses, bytes32 one, bytes32 two) = abi.decode(msg.data, (uint256, bool, bytes32, bytes32));
        bytes memory answer = abi.encodePacked(one, two);
        assembly ("memory-safe") {
            if refuses { revert(add(answer, 0x20), size) }
            return(add(answer, 0x20), size)
        }
    }
}

/**
 * @notice The assembly of `CappedCall` tells of a call what Solidity's own low-level call tells.
 * @dev    Bounds: answers of 0, 31, 32, 33 and 64 bytes, of any content, given or reverted with, with any value that
 *         the caller has. Halmos does not count gas: the caps are left to the tests.
 */
contract CallsProof {
    Answering private immutable TARGET = new Answering();

    receive() external payable {}

    function _check(uint256 size, bool refuses, bytes32 one, bytes32 two, uint64 value) private {
        vm.deal(address(this), type(uint96).max);
        bytes memory input = abi.encode(size, refuses, one, two);
        (bool success, uint256 length, uint256 word) = CappedCall.call(address(TARGET), value, 100_000, input);
        (bool expected, bytes memory answer) = address(TARGET).call{value: value, gas: 100_000}(input);
        assert(success == expected && length == answer.length);
        assert(word == (answer.length < 32 ? 0 : uint256(bytes32(answer))));
        (success, length, word) = CappedCall.staticCall(address(TARGET), 100_000, input);
        (expected, answer) = address(TARGET).staticcall{gas: 100_000}(input);
        assert(success == expected && length == answer.length);
        assert(word == (answer.length < 32 ? 0 : uint256(bytes32(answer))));
    }

    function check_no_answer(bool refuses, bytes32 one, bytes32 two, uint64 value) external {
        _check(0, refuses, one, two, value);
    }

    function check_a_short_answer(bool refuses, bytes32 one, bytes32 two, uint64 value) external {
        _check(31, refuses, one, two, value);
    }

    function check_a_word(bool refuses, bytes32 one, bytes32 two, uint64 value) external {
        _check(32, refuses, one, two, value);
    }

    function check_more_than_a_word(bool refuses, bytes32 one, bytes32 two, uint64 value) external {
        _check(33, refuses, one, two, value);
    }

    function check_two_words(bool refuses, bytes32 one, bytes32 two, uint64 value) external {
        _check(64, refuses, one, two, value);
    }
}
