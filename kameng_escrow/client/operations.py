# ruff: noqa: ARG001, ARG002
# mypy: disable-error-code=unreachable
"""Operations written once, as steps, that the synchronous client calls and the asynchronous one awaits.

`read` makes an operation of a generator of steps. `write` makes one that sends what the steps planned and returns a
`Receipt`; its `prepared` is the operation that returns the unsigned transaction instead.
"""

from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from typing import Any, Concatenate, Generic, ParamSpec, Self, TypeVar, overload

from kameng_escrow.chain.steps import Steps

from .results import Receipt, UnsignedTransaction

P = ParamSpec("P")
T = TypeVar("T")


class Calling:
    """A client whose operations return."""

    def _run(self, steps: Steps[T]) -> T:
        raise NotImplementedError


class Awaiting:
    """A client whose operations are awaited."""

    async def _run(self, steps: Steps[T]) -> T:
        raise NotImplementedError


class Operation(Generic[P, T]):
    """A method of both clients: `client.name(…)` on one, `await client.name(…)` on the other."""

    def __init__(self, steps: Callable[Concatenate[Any, P], Steps[T]]) -> None:
        self._steps = steps

    @overload
    def __get__(self, client: None, owner: type) -> Self: ...
    @overload
    def __get__(self, client: Calling, owner: type) -> Callable[P, T]: ...
    @overload
    def __get__(self, client: Awaiting, owner: type) -> Callable[P, Coroutine[Any, Any, T]]: ...
    def __get__(self, client: Any, owner: type) -> Any:
        raise NotImplementedError


class Write(Operation[P, Receipt]):
    """An operation that sends a transaction and waits for its receipt."""


class Stream(Generic[P, T]):
    """An operation with many results: `for` on one client, `async for` on the other."""

    def __init__(self, steps: Callable[Concatenate[Any, P], Any]) -> None:
        self._steps = steps

    @overload
    def __get__(self, client: None, owner: type) -> Self: ...
    @overload
    def __get__(self, client: Calling, owner: type) -> Callable[P, Iterator[T]]: ...
    @overload
    def __get__(self, client: Awaiting, owner: type) -> Callable[P, AsyncIterator[T]]: ...
    def __get__(self, client: Any, owner: type) -> Any:
        raise NotImplementedError


def read(steps: Callable[Concatenate[Any, P], Steps[T]]) -> Operation[P, T]:
    return Operation(steps)


def write(steps: Callable[Concatenate[Any, P], Steps[Any]]) -> Write[P]:
    return Write(steps)


def prepared(writing: Write[P]) -> Operation[P, UnsignedTransaction]:
    """The same operation, but it returns the unsigned transaction for a wallet and sends nothing."""
    raise NotImplementedError
