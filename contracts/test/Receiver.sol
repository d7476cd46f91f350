// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @title  A contract that receives the native coin as its tester likes
contract Receiver {
    enum Mood {
        Welcoming, // takes it
        Refusing, // reverts
        Burning, // uses up all gas
        Bombing, // reverts with as much data as the gas allows
        Flooding, // takes it, and answers 48,000 bytes
        Reentering, // takes it, and calls on
        Hungry // takes it if it gets 40,500 gas to spend
    }

    error NotWelcome();

    // In one slot that is never empty, so that noting what happened costs little of the gas that a payment brings.
    Mood public mood;
    address public target;
    bool public called;
    bool public succeeded;
    bytes4 public reason;
    bytes public input;

    function setMood(Mood mood_) external {
        mood = mood_;
    }

    /// @notice What to call when paid, in the mood `Reentering`.
    function aim(address target_, bytes calldata input_) external {
        (mood, target, input, called, succeeded, reason) = (Mood.Reentering, target_, input_, false, false, 0);
    }

    /// @notice Calls as this contract.
    function execute(address to, uint256 value, bytes calldata data) external payable returns (bytes memory) {
        (bool success, bytes memory result) = to.call{value: value}(data);
        if (!success) {
            assembly ("memory-safe") {
                revert(add(result, 0x20), mload(result))
            }
        }
        return result;
    }

    receive() external payable {
        if (mood == Mood.Welcoming) return;
        if (mood == Mood.Refusing) revert NotWelcome();
        if (mood == Mood.Burning) _burn();
        if (mood == Mood.Bombing) _answer(false);
        if (mood == Mood.Flooding) _answer(true);
        if (mood == Mood.Hungry) _eat();
        if (mood == Mood.Reentering) _call();
    }

    function _call() private {
        called = true;
        bytes memory data = input;
        address to = target;
        bool success;
        bytes4 why;
        assembly ("memory-safe") {
            success := call(gas(), to, 0, add(data, 0x20), mload(data), 0, 0x20)
            if iszero(success) { if gt(returndatasize(), 3) { why := mload(0) } }
        }
        (succeeded, reason) = (success, why);
    }

    function _burn() private pure {
        assembly ("memory-safe") {
            invalid()
        }
    }

    /// @dev Memory for 3,850 words costs 40,500 gas.
    function _eat() private pure {
        assembly ("memory-safe") {
            mstore(123168, 1)
        }
    }

    /// @dev Memory for 1,500 words costs 8,894 gas, within what the escrow lets a receiver spend.
    function _answer(bool success) private pure {
        assembly {
            if success { return(0, 48000) }
            revert(0, 48000)
        }
    }
}
