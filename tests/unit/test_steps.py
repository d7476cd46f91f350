"""Operations as steps: run by calling or by awaiting, with the same results, errors and clean-up."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from kameng_escrow.chain.steps import Steps, run, run_async


class Answers:
    """A connection that answers at once."""

    def ask(self, question: int) -> int:
        if question < 0:
            raise ValueError(question)
        return question * 2


class AsyncAnswers(Answers):
    """A connection whose answers are awaited."""

    async def ask(self, question: int) -> int:  # type: ignore[override]
        await asyncio.sleep(0)
        return super().ask(question)


def both(steps: Callable[[], Steps[Any]]) -> list[Any]:
    """What an operation comes to in both ways."""
    return [run(steps(), Answers()), asyncio.run(run_async(steps(), AsyncAnswers()))]


def test_answers_go_back_to_the_operation() -> None:
    def operation() -> Steps[list[int]]:
        first = yield lambda connection: connection.ask(1)
        second = yield lambda connection: connection.ask(first + 10)
        return [first, second]

    assert both(operation) == [[2, 24], [2, 24]]


def test_an_operation_may_ask_nothing() -> None:
    def operation() -> Steps[str]:
        return "done"
        yield

    assert both(operation) == ["done", "done"]


def test_a_failure_is_raised_where_it_was_asked_and_may_be_handled() -> None:
    def operation() -> Steps[str]:
        try:
            yield lambda connection: connection.ask(-1)
        except ValueError as error:
            doubled = yield lambda connection: connection.ask(4)
            return f"{error} {doubled}"
        return "not refused"

    assert both(operation) == ["-1 8", "-1 8"]


def test_a_failure_that_nobody_handles_comes_out_after_the_clean_up() -> None:
    cleaned: list[int] = []

    def operation() -> Steps[None]:
        try:
            yield lambda connection: connection.ask(-1)
        finally:
            cleaned.append((yield lambda connection: connection.ask(3)))

    for way in (lambda: run(operation(), Answers()), lambda: asyncio.run(run_async(operation(), AsyncAnswers()))):
        with pytest.raises(ValueError, match="-1"):
            way()
    assert cleaned == [6, 6]


def test_a_cancelled_task_lets_the_operation_clean_up() -> None:
    cleaned = []

    class Never:
        async def ask(self) -> None:
            await asyncio.Event().wait()

    def operation() -> Steps[None]:
        try:
            yield lambda connection: connection.ask()
        finally:
            cleaned.append(True)

    async def cancel() -> None:
        task = asyncio.create_task(run_async(operation(), Never()))
        await asyncio.sleep(0)
        task.cancel()
        await task

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(cancel())
    assert cleaned == [True]
