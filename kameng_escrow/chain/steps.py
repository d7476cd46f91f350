"""One description of what to ask a node, run by the synchronous and the asynchronous client alike.

An operation is a generator of steps: it yields what it needs from outside, as a function of the `Connection`, and is
resumed with the answer. `run` gets the answer by calling, `run_async` by awaiting; the operation is written once.
"""

import inspect
from collections.abc import Callable, Generator
from typing import Any, TypeVar

T = TypeVar("T")

Step = Callable[[Any], Any]  # given the connection: the answer, or an awaitable of it
Steps = Generator[Step, Any, T]


def run(steps: Steps[T], connection: object) -> T:
    """Runs an operation to its end, calling. Raises whatever the operation raises."""
    answer: Any = None
    failure: BaseException | None = None
    while True:
        try:
            step = steps.send(answer) if failure is None else steps.throw(failure)
        except StopIteration as end:
            result: T = end.value
            return result
        answer, failure = None, None
        try:
            answer = step(connection)
        except BaseException as error:  # the operation decides what it means, and must get to clean up
            failure = error


async def run_async(steps: Steps[T], connection: object) -> T:
    """Runs an operation to its end, awaiting. Raises whatever the operation raises."""
    answer: Any = None
    failure: BaseException | None = None
    while True:
        try:
            step = steps.send(answer) if failure is None else steps.throw(failure)
        except StopIteration as end:
            result: T = end.value
            return result
        answer, failure = None, None
        try:
            answer = step(connection)
            if inspect.isawaitable(answer):
                answer = await answer
        except BaseException as error:
            failure = error
