"""What tokens call themselves is asked once, by one, and a silent node holds nobody else up for long."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import cast

import pytest

from kameng_escrow.client import EscrowClient
from kameng_escrow.domain.order import NATIVE
from kameng_escrow.errors import EscrowError
from kameng_escrow.service import currencies
from kameng_escrow.service.currencies import Currencies

TOKEN = "0x" + "11" * 20


class Asked:
    """A client whose node answers once it may."""

    def __init__(self, error: Exception | None = None) -> None:
        self.questions = 0
        self.begun = threading.Event()
        self.may_answer = threading.Event()
        self._error = error

    def symbol(self, token: str) -> str:
        assert token == TOKEN
        self.questions += 1
        self.begun.set()
        assert self.may_answer.wait(60)
        if self._error is not None:
            raise self._error
        return "KUSD"

    def decimals(self, token: str) -> int:
        assert token == TOKEN
        return 6


def made(asked: Asked) -> Currencies:
    return Currencies(cast(EscrowClient, asked), "BNB")


def told(found: Currencies, token: str = TOKEN) -> tuple[str | None, int | None]:
    currency = found.of(token)
    assert currency.token == token
    return currency.symbol, currency.decimals


def test_the_chain_s_coin_is_known_without_asking() -> None:
    asked = Asked()
    assert told(made(asked), NATIVE) == ("BNB", 18)
    assert asked.questions == 0


def test_of_several_who_need_it_at_once_one_asks_and_all_hear_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(currencies, "_PATIENCE", 60.0)
    asked = Asked()
    found = made(asked)
    with ThreadPoolExecutor(5) as pool:
        first = pool.submit(told, found)
        assert asked.begun.wait(60)
        others = [pool.submit(told, found) for _ in range(4)]
        asked.may_answer.set()
        assert [one.result() for one in (first, *others)] == [("KUSD", 6)] * 5
    assert told(found) == ("KUSD", 6)
    assert asked.questions == 1


def test_a_silent_node_keeps_nobody_but_who_asks_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(currencies, "_PATIENCE", 0.0)
    asked = Asked()
    found = made(asked)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(told, found)
        assert asked.begun.wait(60)
        assert told(found) == (None, None)
        asked.may_answer.set()
        assert first.result() == ("KUSD", 6)
    assert told(found) == ("KUSD", 6)


def test_after_no_answer_nobody_asks_for_a_while() -> None:
    asked = Asked(EscrowError("no node answers"))
    asked.may_answer.set()
    found = made(asked)
    assert [told(found) for _ in range(3)] == [(None, None)] * 3
    assert asked.questions == 1


def test_a_mistake_of_ours_leaves_nobody_waiting() -> None:
    asked = Asked(ZeroDivisionError())
    asked.may_answer.set()
    found = made(asked)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            found.of(TOKEN)
    assert asked.questions == 2
