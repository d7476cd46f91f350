// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @title  A token that moves and answers as its tester likes
/// @notice Not an ERC-20 in good faith: a collection of the ways in which tokens behave. Never deploy it where money
///         is real.
contract MoodyToken {
    /// What `transfer`, or `transferFrom`, does.
    enum Mood {
        Fair, // moves, answers true
        Silent, // moves, answers nothing
        Denying, // moves, answers false
        Refusing, // moves nothing, answers false
        Reverting, // moves nothing, gives a reason
        Pretending, // moves nothing, answers true
        Skimming, // moves one per cent less, answers true
        Generous, // moves one base unit more, answers true
        Robbing, // moves the wrong way, answers true
        Short, // moves, answers a single byte
        Odd, // moves, answers two
        Burning, // uses up all gas
        Bombing, // moves nothing, reverts with as much data as the gas allows
        Flooding, // moves, answers true and 200,000 bytes more
        Breaking // moves nothing, answers false, and its balances can't be read afterwards
    }

    error NotInTheMood();

    event Transfer(address indexed from, address indexed to, uint256 value);

    mapping(address account => uint256) private _balances;
    mapping(address owner => mapping(address spender => uint256)) public allowance;
    Mood public pullMood;
    Mood public pushMood;
    bool public broken;

    function mint(address to, uint256 amount) external {
        _balances[to] += amount;
        emit Transfer(address(0), to, amount);
    }

    function setMoods(Mood pull, Mood push) external {
        (pullMood, pushMood) = (pull, push);
    }

    /// @notice Makes `balanceOf` revert.
    function setBroken(bool broken_) external {
        broken = broken_;
    }

    function approve(address spender, uint256 amount) external returns (bool) {
        allowance[msg.sender][spender] = amount;
        return true;
    }

    function transfer(address to, uint256 amount) external {
        _perform(pushMood, msg.sender, to, amount);
    }

    function transferFrom(address from, address to, uint256 amount) external {
        allowance[from][msg.sender] -= amount;
        _perform(pullMood, from, to, amount);
    }

    function balanceOf(address account) external view returns (uint256) {
        if (broken) revert NotInTheMood();
        return _balances[account];
    }

    /// @notice The balance, whatever the mood.
    function trueBalanceOf(address account) external view returns (uint256) {
        return _balances[account];
    }

    function _perform(Mood mood, address from, address to, uint256 amount) private {
        if (mood == Mood.Reverting) revert NotInTheMood();
        if (mood == Mood.Burning) _burn();
        if (mood == Mood.Bombing) _bomb();
        if (mood == Mood.Skimming) amount -= amount / 100;
        if (mood == Mood.Generous) amount += 1;
        if (mood == Mood.Breaking) broken = true;
        if (mood == Mood.Robbing) _move(to, from, amount);
        else if (mood != Mood.Refusing && mood != Mood.Pretending && mood != Mood.Breaking) _move(from, to, amount);

        if (mood == Mood.Silent) _answer(0, 0);
        if (mood == Mood.Short) _answer(1, 1);
        if (mood == Mood.Odd) _answer(2, 32);
        if (mood == Mood.Flooding) _answer(1, 200_032);
        _answer(mood == Mood.Denying || mood == Mood.Refusing || mood == Mood.Breaking ? 0 : 1, 32);
    }

    function _move(address from, address to, uint256 amount) private {
        _balances[from] -= amount;
        _balances[to] += amount;
        emit Transfer(from, to, amount);
    }

    function _burn() private pure {
        assembly ("memory-safe") {
            invalid()
        }
    }

    /// @dev Memory for 6,000 words costs 88,313 gas, within what the escrow lets a token spend.
    function _bomb() private pure {
        assembly {
            revert(0, 192000)
        }
    }

    /// @dev Ends the call.
    function _answer(uint256 word, uint256 size) private pure {
        assembly {
            mstore(0, word)
            return(0, size)
        }
    }
}
