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
        Breaking, // moves nothing, answers false, and its balances can't be read afterwards
        Mending, // moves nothing, answers false, and its balances can be read again afterwards
        Hungry, // moves if it has 200,000 gas to spend, else answers false
        Shrugging, // moves nothing, answers a single byte
        Mumbling, // moves nothing, answers two
        Stinting, // moves one per cent less, answers false
        Squandering, // moves one base unit more, answers false
        Hushing // moves nothing, answers false, and its balances are answered with nothing afterwards
    }

    /// What `balanceOf` does.
    enum Sight {
        Clear, // answers
        Reverting, // gives a reason
        Burning, // uses up all gas
        Silent, // answers nothing
        Bombing // reverts with 192,000 bytes
    }

    error NotInTheMood();

    event Transfer(address indexed from, address indexed to, uint256 value);

    mapping(address account => uint256) private _balances;
    mapping(address owner => mapping(address spender => uint256)) public allowance;
    Mood public pullMood;
    Mood public pushMood;
    Sight public sight;

    function mint(address to, uint256 amount) external {
        _balances[to] += amount;
        emit Transfer(address(0), to, amount);
    }

    function setMoods(Mood pull, Mood push) external {
        (pullMood, pushMood) = (pull, push);
    }

    function setSight(Sight sight_) external {
        sight = sight_;
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
        if (sight == Sight.Reverting) revert NotInTheMood();
        if (sight == Sight.Burning) _burn();
        if (sight == Sight.Silent) _answer(0, 0);
        if (sight == Sight.Bombing) _bomb();
        return _balances[account];
    }

    /// @notice The balance, whatever the mood.
    function trueBalanceOf(address account) external view returns (uint256) {
        return _balances[account];
    }

    function _perform(Mood mood, address from, address to, uint256 amount) private {
        if (mood == Mood.Hungry && !_eat()) _answer(0, 32);
        if (mood == Mood.Reverting) revert NotInTheMood();
        if (mood == Mood.Burning) _burn();
        if (mood == Mood.Bombing) _bomb();
        if (mood == Mood.Skimming || mood == Mood.Stinting) amount -= amount / 100;
        if (mood == Mood.Generous || mood == Mood.Squandering) amount += 1;
        if (mood == Mood.Breaking) sight = Sight.Reverting;
        if (mood == Mood.Mending) sight = Sight.Clear;
        if (mood == Mood.Hushing) sight = Sight.Silent;
        bool breaks = mood == Mood.Breaking || mood == Mood.Mending || mood == Mood.Hushing;
        bool refuses = mood == Mood.Refusing || breaks;
        bool keeps = refuses || mood == Mood.Pretending || mood == Mood.Shrugging || mood == Mood.Mumbling;
        if (mood == Mood.Robbing) _move(to, from, amount);
        else if (!keeps) _move(from, to, amount);

        if (mood == Mood.Silent) _answer(0, 0);
        if (mood == Mood.Short || mood == Mood.Shrugging) _answer(1, 1);
        if (mood == Mood.Odd || mood == Mood.Mumbling) _answer(2, 32);
        if (mood == Mood.Flooding) _answer(1, 200_032);
        bool denies = mood == Mood.Denying || mood == Mood.Stinting || mood == Mood.Squandering;
        _answer(refuses || denies ? 0 : 1, 32);
    }

    function _move(address from, address to, uint256 amount) private {
        _balances[from] -= amount;
        _balances[to] += amount;
        emit Transfer(from, to, amount);
    }

    /// @dev Memory for 8,000 words costs 149,000 gas.
    function _eat() private view returns (bool) {
        if (gasleft() < 200_000) return false;
        assembly ("memory-safe") {
            mstore(255968, 1)
        }
        return true;
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
