"""Operations written once, as steps, that the synchronous client calls and the asynchronous one awaits.

`read` makes an operation of steps, `write` one that sends the calls that steps planned and returns a `Receipt`,
`prepared` makes of a write one that returns the unsigned transaction instead, `stream` one with many results.
"""

from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from functools import update_wrapper
from types import MethodType
from typing import Any, Concatenate, Generic, ParamSpec, Self, TypeVar, overload

from kameng_escrow.chain.calls import Call
from kameng_escrow.chain.connection import AsyncConnection, Connection
from kameng_escrow.chain.sender import UnsignedTransaction
from kameng_escrow.chain.steps import Steps, run, run_async

from .results import Receipt

P = ParamSpec("P")
T = TypeVar("T")
C = TypeVar("C")

Page = tuple[Sequence[T], C | None]  # some of the results, and where the next are; None: these were the last


class Calling:
    """A client whose operations return."""

    _connection: Connection

    def _run(self, steps: Steps[T]) -> T:
        return run(steps, self._connection)

    def plan(self, writing: "Write[P]", /, *args: P.args, **kwargs: P.kwargs) -> tuple[Call, ...]:
        """The calls of an operation, as `client.plan(EscrowClient.open, terms)`: what must come before, such as an
        allowance, and last the operation itself. Nothing is sent, nor tried. Raises as the operation does.
        """
        return tuple(self._run(writing.plan(self, *args, **kwargs)))

    def prepare(self, writing: "Write[P]", /, *args: P.args, **kwargs: P.kwargs) -> tuple[UnsignedTransaction, ...]:
        """The transactions of an operation for a wallet, unsigned, in their order; the last one is tried first. Without
        nonces and fees, which a wallet knows better, and with gas only for the first: what it makes possible can't be
        estimated before. Raises as the operation does.
        """
        return self._run(_prepare_each(self, writing.plan(self, *args, **kwargs)))

    def _stream(self, page: Callable[[C | None], Steps[Page[T, C]]]) -> Iterator[T]:
        cursor: C | None = None
        while True:
            results, cursor = run(page(cursor), self._connection)
            yield from results
            if cursor is None:
                return


class Awaiting:
    """A client whose operations are awaited."""

    _connection: AsyncConnection

    async def _run(self, steps: Steps[T]) -> T:
        return await run_async(steps, self._connection)

    async def plan(self, writing: "Write[P]", /, *args: P.args, **kwargs: P.kwargs) -> tuple[Call, ...]:
        """As the synchronous client's."""
        return tuple(await self._run(writing.plan(self, *args, **kwargs)))

    async def prepare(
        self, writing: "Write[P]", /, *args: P.args, **kwargs: P.kwargs
    ) -> tuple[UnsignedTransaction, ...]:
        """As the synchronous client's."""
        return await self._run(_prepare_each(self, writing.plan(self, *args, **kwargs)))

    async def _stream(self, page: Callable[[C | None], Steps[Page[T, C]]]) -> AsyncIterator[T]:
        cursor: C | None = None
        while True:
            results, cursor = await run_async(page(cursor), self._connection)
            for result in results:
                yield result
            if cursor is None:
                return


class Operation(Generic[P, T]):
    """A method of both clients: `client.name(…)` on one, `await client.name(…)` on the other."""

    def __init__(self, steps: Callable[Concatenate[Any, P], Steps[T]]) -> None:
        self.__doc__ = steps.__doc__

        def operate(client: Calling | Awaiting, *args: P.args, **kwargs: P.kwargs) -> Any:
            return client._run(steps(client, *args, **kwargs))

        self._operate = update_wrapper(operate, steps)

    @overload
    def __get__(self, client: None, owner: type) -> Self: ...
    @overload
    def __get__(self, client: Calling, owner: type) -> Callable[P, T]: ...
    @overload
    def __get__(self, client: Awaiting, owner: type) -> Callable[P, Coroutine[Any, Any, T]]: ...
    def __get__(self, client: Any, owner: type) -> Any:
        return self if client is None else MethodType(self._operate, client)


class Write(Operation[P, Receipt]):
    """An operation that sends a transaction and waits until it is mined."""

    def __init__(self, plan: Callable[Concatenate[Any, P], Steps[Sequence[Call]]]) -> None:
        self.plan = plan

        def perform(client: Any, /, *args: P.args, **kwargs: P.kwargs) -> Steps[Receipt]:
            calls = yield from plan(client, *args, **kwargs)
            receipt: Receipt = yield from client._perform(calls)
            return receipt

        super().__init__(update_wrapper(perform, plan))


class Stream(Generic[P, T]):
    """An operation with many results: `for` on one client, `async for` on the other."""

    def __init__(self, page: Callable[Concatenate[Any, Any, P], Steps[Page[T, Any]]]) -> None:
        self.__doc__ = page.__doc__

        def operate(client: Calling | Awaiting, *args: P.args, **kwargs: P.kwargs) -> Any:
            def next_page(cursor: Any) -> Steps[Page[T, Any]]:
                return page(client, cursor, *args, **kwargs)

            return client._stream(next_page)

        operate.__doc__, operate.__name__ = page.__doc__, page.__name__
        self._operate = operate

    @overload
    def __get__(self, client: None, owner: type) -> Self: ...
    @overload
    def __get__(self, client: Calling, owner: type) -> Callable[P, Iterator[T]]: ...
    @overload
    def __get__(self, client: Awaiting, owner: type) -> Callable[P, AsyncIterator[T]]: ...
    def __get__(self, client: Any, owner: type) -> Any:
        return self if client is None else MethodType(self._operate, client)


def _prepare_each(client: Any, plan: Steps[Sequence[Call]]) -> Steps[tuple[UnsignedTransaction, ...]]:
    calls = yield from plan
    transactions: tuple[UnsignedTransaction, ...] = yield from client._prepare_each(calls)
    return transactions


def read(steps: Callable[Concatenate[Any, P], Steps[T]]) -> Operation[P, T]:
    """Makes an operation of steps."""
    return Operation(steps)


def write(plan: Callable[Concatenate[Any, P], Steps[Sequence[Call]]]) -> Write[P]:
    """Makes an operation of steps that plan calls: what must come before, such as an allowance, and the call itself."""
    return Write(plan)


def prepared(writing: Write[P]) -> Operation[P, UnsignedTransaction]:
    """The same operation, but it returns the unsigned transaction for a wallet and sends nothing."""

    def prepare(client: Any, /, *args: P.args, **kwargs: P.kwargs) -> Steps[UnsignedTransaction]:
        calls = yield from writing.plan(client, *args, **kwargs)
        transaction: UnsignedTransaction = yield from client._prepare(calls)
        return transaction

    update_wrapper(prepare, writing.plan)
    prepare.__doc__ = (
        f"The unsigned transaction of `{writing.plan.__name__}` for a wallet: nothing is sent. What comes before it, "
        "such as an allowance, is not part of it (see `prepare_approve`). Raises as it does."
    )
    return Operation(prepare)


def stream(page: Callable[Concatenate[Any, C | None, P], Steps[Page[T, C]]]) -> Stream[P, T]:
    """Makes an operation with many results of steps for one page of them."""
    return Stream(page)
