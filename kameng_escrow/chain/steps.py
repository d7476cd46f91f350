# ruff: noqa: ARG001, ARG002
# mypy: disable-error-code=unreachable
"""One description of what to ask a node, run by the synchronous and the asynchronous client alike.

An operation is a generator: it yields what it needs from outside and is resumed with the answer. `run` answers by
calling, `run_async` by awaiting. The operation itself is written once.
"""

import inspect
from collections.abc import Callable, Generator
from typing import Any, TypeVar

T = TypeVar("T")

Ask = Callable[[Any], Any]  # given the surroundings (see client/connection.py), the answer, or an awaitable of it
Steps = Generator[Ask, Any, T]


def run(steps: Steps[T], surroundings: object) -> T:
    """Runs an operation to its end, calling. Raises whatever the operation raises."""
    answer: Any = None
    failure: BaseException | None = None
    while True:
        try:
            ask = steps.throw(failure) if failure is not None else steps.send(answer)
        except StopIteration as end:
            result: T = end.value
            return result
        answer, failure = None, None
        try:
            answer = ask(surroundings)
        except BaseException as error:  # the operation decides what it means, and must get to clean up
            failure = error


async def run_async(steps: Steps[T], surroundings: object) -> T:
    """Runs an operation to its end, awaiting. Raises whatever the operation raises."""
    answer: Any = None
    failure: BaseException | None = None
    while True:
        try:
            ask = steps.throw(failure) if failure is not None else steps.send(answer)
        except StopIteration as end:
            result: T = end.value
            return result
        answer, failure = None, None
        try:
            answer = ask(surroundings)
            if inspect.isawaitable(answer):
                answer = await answer
        except BaseException as error:
            failure = error
