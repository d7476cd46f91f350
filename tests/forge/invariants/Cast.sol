// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IKamengEscrow} from "../../../contracts/IKamengEscrow.sol";
import {AuthorizedToken} from "../../../contracts/test/AuthorizedToken.sol";
import {BlockingToken} from "../../../contracts/test/BlockingToken.sol";
import {MoodyToken} from "../../../contracts/test/MoodyToken.sol";
import {Permit2Double} from "../../../contracts/test/Permit2Double.sol";
import {Receiver} from "../../../contracts/test/Receiver.sol";
import {ReenteringToken} from "../../../contracts/test/ReenteringToken.sol";
import {TestToken} from "../../../contracts/test/TestToken.sol";
import {Wallet} from "../../../contracts/test/Wallet.sol";
import {vm} from "./Vm.sol";

/**
 * @dev Who takes part, and how tokens and receivers behave just now.
 *
 *      Anybody may be buyer, seller, payer, operator, mediator, platform or receiver of any order, in any mixture: four
 *      accounts with keys, two contract wallets, two receivers with moods, and a stranger, who is never a party but
 *      relays and settles. All of them have given the escrow and Permit2 unlimited allowance of every token, all the
 *      time, so that any pull from the wrong account would go through; but of the token that knows permits and
 *      authorizations, only every other one, so that the others pay by signature or not at all.
 */
abstract contract Cast {
    uint256 internal constant PEOPLE = 9;
    uint256 internal constant PARTIES = 8; // without the stranger
    uint256 internal constant STRANGER = 8;

    // Tokens by their place in `tokens`.
    uint256 internal constant TOKENS = 5;
    uint256 internal constant NATIVE = 0;
    uint256 internal constant BLOCKING = 1;
    uint256 internal constant REENTERING = 2;
    uint256 internal constant MOODY = 3;
    uint256 internal constant AUTHORIZED = 4;

    uint256 internal constant RICHES = 1 << 200; // base units, far above what all orders together can cost
    uint256 private constant CURVE_ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141;
    uint256 private constant GENERATOR_X = 0x79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798;
    string private constant SHIPPED = "kameng_escrow/artifacts/KamengEscrow.json";

    IKamengEscrow public immutable escrow;
    BlockingToken internal immutable blocking;
    ReenteringToken internal immutable reentering;
    MoodyToken internal immutable moody;
    AuthorizedToken internal immutable authorized;
    address internal constant PERMIT2 = 0x000000000022D473030F116dDEE9F6B43aC78BA3;

    address[PEOPLE] internal people;
    uint256[PEOPLE] internal keys; // of the account, or of the wallet's owner; zero: signs nothing
    address[TOKENS] internal tokens;
    mapping(address account => uint256 number) internal numberOf; // one more than the place in `people`

    bool internal stealing; // the moody token answers true and moves less than asked
    bool internal refusing; // the moody token pays nobody
    bool internal closedHand; // the moody token can't be pulled
    bool internal skimming; // but for less than a hundred base units, of which it keeps no part

    uint256 private _random;

    constructor() {
        string memory path = vm.envOr("KAMENG_ARTIFACT", SHIPPED);
        bytes memory code = vm.parseJsonBytes(vm.readFile(path), ".bytecode");
        address created;
        assembly ("memory-safe") {
            created := create(0, add(code, 0x20), mload(code))
        }
        require(created != address(0), "the artifact does not deploy");
        escrow = IKamengEscrow(created);
        blocking = new BlockingToken("Blocking", "BLK", 6);
        reentering = new ReenteringToken();
        moody = new MoodyToken();
        authorized = new AuthorizedToken("Authorized", "AUTH", 6);
        vm.etch(PERMIT2, address(new Permit2Double()).code);
        tokens = [address(0), address(blocking), address(reentering), address(moody), address(authorized)];
        for (uint256 i; i < PEOPLE; ++i) {
            people[i] = _person(i);
            numberOf[people[i]] = i + 1;
            vm.deal(people[i], RICHES);
            for (uint256 t = 1; t < TOKENS; ++t) {
                TestToken(tokens[t]).mint(people[i], RICHES);
                _approve(t, i, PERMIT2, type(uint256).max);
                if (t != AUTHORIZED) _approve(t, i, created, type(uint256).max);
            }
            _resetAllowance(i);
        }
    }

    function _person(uint256 i) private returns (address) {
        if (i == 6 || i == 7) return address(new Receiver());
        keys[i] = i + 1;
        address owner = vm.addr(i + 1);
        return i == 4 || i == 5 ? address(new Wallet(owner)) : owner;
    }

    function _approve(uint256 token, uint256 person, address spender, uint256 amount) private {
        vm.prank(people[person]);
        TestToken(tokens[token]).approve(spender, amount);
    }

    /// @dev What permits change.
    function _resetAllowance(uint256 person) internal {
        _approve(AUTHORIZED, person, address(escrow), person % 2 == 0 ? type(uint256).max : 0);
    }

    // --------------------------------------------------------------------------------------------------------- chance

    /// @dev All that is random in a turn comes from one seed, so that a turn can be repeated from its call alone.
    function _shuffle(uint256 seed) internal {
        _random = uint256(keccak256(abi.encode(seed, _random)));
    }

    function _draw(uint256 below) internal returns (uint256) {
        unchecked {
            // As PCG steps; the upper half of the word is random enough to choose by.
            _random = _random * 0x2360ed051fc65da44385df649fccf645 + 0x5851f42d4c957f2d14057b7ef767814f;
            return (_random >> 128) % below;
        }
    }

    function _oneIn(uint256 n) internal returns (bool) {
        return _draw(n) == 0;
    }

    function _anyone() internal returns (address) {
        return people[_draw(PEOPLE)];
    }

    /// @dev The place in `people`; only of those.
    function _who(address account) internal view returns (uint256) {
        return numberOf[account] - 1;
    }

    function _party() internal returns (address) {
        return people[_draw(PARTIES)];
    }

    // ----------------------------------------------------------------------------------------------------- signatures

    function _canSign(address account) internal view returns (bool) {
        uint256 number = numberOf[account];
        return number != 0 && keys[number - 1] != 0;
    }

    /// @dev Whether it has a key of its own, as permits and most authorizations need.
    function _hasKey(address account) internal view returns (bool) {
        return _canSign(account) && account.code.length == 0;
    }

    /// @dev The account's own signature, or its owner's where it is a wallet; somebody's where it has none.
    function _sign(address account, bytes32 digest) internal view returns (bytes memory) {
        uint256 number = numberOf[account];
        uint256 key = number == 0 ? 0 : keys[number - 1];
        return _signWith(key == 0 ? 77 : key, digest);
    }

    /// @dev ECDSA with the nonce one, whose point is the generator: a handful of operations where forge's own takes a
    ///      tenth of a millisecond. It gives the key away, which is no secret here.
    function _signWith(uint256 key, bytes32 digest) private pure returns (bytes memory) {
        uint256 s = addmod(uint256(digest), mulmod(GENERATOR_X, key, CURVE_ORDER), CURVE_ORDER);
        bool high = s > CURVE_ORDER / 2;
        return abi.encodePacked(GENERATOR_X, high ? CURVE_ORDER - s : s, uint8(high ? 28 : 27));
    }

    // ---------------------------------------------------------------------------------------------------------- moods

    /// @dev Whether a pull of `amount` from `from` goes through now, given that all are rich and have approved.
    function _gives(uint256 token, address from, uint256 amount) internal view returns (bool) {
        if (token == BLOCKING) return !blocking.isBlocked(from) && !blocking.isBlocked(address(escrow));
        if (token == MOODY) return !closedHand || (skimming && amount < 100);
        if (token == AUTHORIZED) return authorized.allowance(from, address(escrow)) >= amount;
        return true;
    }

    /// @dev Whether a payment to `to` goes through now.
    function _takes(uint256 token, address to) internal view returns (bool) {
        if (token == BLOCKING) return !blocking.isBlocked(to) && !blocking.isBlocked(address(escrow));
        if (token == MOODY) return !refusing;
        if (token == REENTERING || token == AUTHORIZED) return true;
        uint256 i = _who(to);
        if (i != 6 && i != 7) return true;
        Receiver.Mood mood = Receiver(payable(to)).mood();
        return mood != Receiver.Mood.Refusing && mood != Receiver.Mood.Burning && mood != Receiver.Mood.Bombing;
    }

    function _changeMoods() internal {
        uint256 what = _draw(4);
        if (what == 0) _setMoodyToken(_oneIn(3) ? 0 : _draw(18));
        else if (what == 1) blocking.setBlocked(_oneIn(12) ? address(escrow) : _anyone(), _oneIn(2));
        else if (what == 2) _setReceiver(people[6 + _draw(2)], _draw(7));
        else reentering.aim(_oneIn(3) ? address(0) : address(escrow), _intrusion(address(0)));
    }

    function _setReceiver(address receiver, uint256 mood) private {
        if (Receiver.Mood(mood) == Receiver.Mood.Reentering) {
            Receiver(payable(receiver)).aim(address(escrow), _intrusion(receiver));
        } else {
            Receiver(payable(receiver)).setMood(Receiver.Mood(mood));
        }
    }

    /// @dev What a payment in progress calls the escrow with; `own`: a receiver after its own money.
    function _intrusion(address own) internal virtual returns (bytes memory);

    /// @dev Every way to behave under which the escrow can still be solvent. Left out: moving more than asked out of
    ///      the escrow, and moving it while hiding all balances, which no escrow can survive.
    function _setMoodyToken(uint256 way) private {
        MoodyToken.Mood pull = MoodyToken.Mood.Fair;
        MoodyToken.Mood push = MoodyToken.Mood.Fair;
        MoodyToken.Sight sight = MoodyToken.Sight.Clear;
        (refusing, stealing, closedHand, skimming) = (false, false, false, way == 2);
        if (way < 7) {
            // Pays, whatever it answers.
            push = [
                MoodyToken.Mood.Fair,
                MoodyToken.Mood.Silent,
                MoodyToken.Mood.Denying,
                MoodyToken.Mood.Short,
                MoodyToken.Mood.Odd,
                MoodyToken.Mood.Flooding,
                MoodyToken.Mood.Hungry
            ][way];
            pull = [
                MoodyToken.Mood.Fair,
                MoodyToken.Mood.Silent,
                MoodyToken.Mood.Skimming,
                MoodyToken.Mood.Generous,
                MoodyToken.Mood.Robbing,
                MoodyToken.Mood.Pretending,
                MoodyToken.Mood.Denying
            ][way];
            closedHand = way > 1;
        } else if (way < 14) {
            // Pays nobody, and says so or breaks.
            push = [
                MoodyToken.Mood.Refusing,
                MoodyToken.Mood.Reverting,
                MoodyToken.Mood.Burning,
                MoodyToken.Mood.Bombing,
                MoodyToken.Mood.Shrugging,
                MoodyToken.Mood.Mumbling,
                MoodyToken.Mood.Breaking
            ][way - 7];
            refusing = true;
            closedHand = push == MoodyToken.Mood.Breaking; // its balances can't be read from the first push on
            if (closedHand) sight = MoodyToken.Sight.Reverting;
        } else if (way < 16) {
            // Says that it pays, and keeps some or all.
            push = way == 14 ? MoodyToken.Mood.Pretending : MoodyToken.Mood.Skimming;
            stealing = true;
        } else {
            // Answers rightly, and hides its balances.
            push = way == 16 ? MoodyToken.Mood.Fair : MoodyToken.Mood.Refusing;
            sight = MoodyToken.Sight(1 + _draw(4));
            refusing = way == 17;
            closedHand = true;
        }
        moody.setMoods(pull, push);
        moody.setSight(sight);
    }

    /// @dev From now on nobody can be paid, and everybody tries to get in the way.
    function _turnHostile() internal {
        blocking.setBlocked(address(escrow), true);
        _setMoodyToken(7 + _draw(6));
        for (uint256 i = 6; i < PARTIES; ++i) {
            _setReceiver(people[i], 1 + _draw(3));
        }
        reentering.aim(address(escrow), _intrusion(address(0)));
    }

    function _makePeace() internal {
        blocking.setBlocked(address(escrow), false);
        _setMoodyToken(0);
        reentering.aim(address(0), "");
        for (uint256 i; i < PEOPLE; ++i) {
            blocking.setBlocked(people[i], false);
            if (i == 6 || i == 7) _setReceiver(people[i], 0);
        }
    }

    /// @dev What `account` has of a token, whatever the token says.
    function _balance(uint256 token, address account) internal view returns (uint256) {
        if (token == NATIVE) return account.balance;
        if (token == MOODY) return moody.trueBalanceOf(account);
        return TestToken(tokens[token]).balanceOf(account);
    }
}
