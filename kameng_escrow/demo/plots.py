"""How each story of the demo is lived: who does what, in which order. What they mean is told in `endings.py`."""

from collections.abc import Callable

from kameng_escrow.domain.order import NATIVE
from kameng_escrow.domain.states import State

from .play import Play, begin
from .stage import HOUR, Stage

ETHER, USDT = 10**18, 10**6  # base units


def coin(buyer: int, seller: int, price: int, units: int = 1) -> Callable[[Stage], Play]:
    """An order in the native coin."""
    return lambda stage: begin(
        stage,
        buyer=stage.cast.buyers[buyer],
        seller=stage.cast.sellers[seller],
        token=NATIVE,
        price=price,
        units=units,
    )


def token(buyer: int, seller: int, price: int, units: int = 1, *, mediated: bool = True) -> Callable[[Stage], Play]:
    """An order in the 6-decimal token."""
    return lambda stage: begin(
        stage,
        buyer=stage.cast.buyers[buyer],
        seller=stage.cast.sellers[seller],
        token=stage.token,
        price=price,
        units=units,
        policy_id=stage.mediated if mediated else stage.unmediated,
    )


# ---------------------------------------------------------------------------------------------------- without a dispute


def confirmed(play: Play) -> None:
    play.open_with_offer()
    play.deliver()
    play.confirm()


def released(play: Play) -> None:
    play.delivered()
    play.until_deadline()
    play.settle()


def expired(play: Play) -> None:
    play.open()
    play.until_deadline()
    play.settle()


def undelivered(play: Play) -> None:
    play.open()
    play.accept()
    play.until_deadline()
    play.settle()


def cancelled_early(play: Play) -> None:
    play.open()
    play.do(play.buyer, lambda client, terms: client.cancel(terms, expected=State.Opened))


def cancelled_late(play: Play) -> None:
    play.open()
    play.accept()
    play.do(play.buyer, lambda client, terms: client.cancel(terms, expected=State.Accepted))


def declined_early(play: Play) -> None:
    play.open()
    play.do(play.seller, lambda client, terms: client.decline(terms, expected=State.Opened))


def declined_late(play: Play) -> None:
    play.open()
    play.accept()
    play.do(play.seller, lambda client, terms: client.decline(terms, expected=State.Accepted))


def intervened(play: Play) -> None:
    play.open()
    play.accept()
    play.do(play.stage.cast.platform, lambda client, terms: client.intervene(terms, expected=State.Accepted))


def refunded(play: Play) -> None:
    play.delivered()
    play.do(play.seller, lambda client, terms: client.refund(terms, expected=State.Delivered))


# ------------------------------------------------------------------------------------------------------- with a dispute


def partly_agreed(play: Play) -> None:
    play.delivered()
    play.dispute(3)
    play.pause(2 * HOUR)
    play.agree(24 * USDT)


def recommitted(play: Play) -> None:
    play.delivered()
    play.dispute(2)
    play.do(play.seller, lambda client, terms: client.recommit(terms, commitment="0x" + "c0de" * 16))
    play.pause(HOUR)
    play.confirm(State.Disputed)


def ruled(play: Play) -> None:
    play.delivered()
    play.dispute(4)
    play.until_mediation()
    award = play.terms.price * 3 // 4
    play.do(play.stage.cast.mediator, lambda client, terms: client.rule(terms, to_buyer=award))


def ruled_by_backup(play: Play) -> None:
    play.delivered()
    play.dispute(1)
    play.until_mediation(second_half=True)
    play.do(play.stage.cast.backup, lambda client, terms: client.rule(terms, to_buyer=0))


def conceded(play: Play) -> None:
    play.delivered()
    play.dispute(1)
    play.until_mediation()
    play.do(play.seller, lambda client, terms: client.concede(terms))


def defaulted(play: Play) -> None:
    play.delivered()
    play.dispute(1)
    play.until_deadline()
    play.settle()


# ------------------------------------------------------------------------------------------------ ways around obstacles


def blocked(play: Play) -> None:
    stage = play.stage
    play.delivered()
    stage.set_blocked(play.terms.pay_to, True)
    play.confirm()
    play.pause(3 * HOUR)
    play.withdraw_credit(play.seller, stage.cast.bot.address)
    stage.set_blocked(play.terms.pay_to, False)


def gasless(play: Play) -> None:
    play.open(payer=play.stage.cast.relayer)
    play.accept()
    play.deliver()
    play.confirm_through(play.stage.cast.relayer)


def by_operator(play: Play) -> None:
    bot = play.stage.cast.bot
    play.open()
    play.accept(by=bot)
    play.deliver(by=bot)
    play.confirm()


def leave_open(stage: Stage) -> list[Play]:
    """Three orders that are still alive, for whoever wants to look around."""
    opened = coin(0, 0, ETHER // 8)(stage)
    opened.open()
    delivered = token(1, 0, 58 * USDT)(stage)
    delivered.delivered()
    disputed = token(0, 1, 90 * USDT, 3)(stage)
    disputed.delivered()
    disputed.dispute(1)
    return [opened, delivered, disputed]
