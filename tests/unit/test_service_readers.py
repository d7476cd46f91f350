"""What is read goes through few threads, which can be begun again."""

import asyncio
import threading

import pytest

from kameng_escrow.service.readers import Readers


def test_no_more_go_at_once_than_there_are_threads() -> None:
    readers = Readers(2)
    both = threading.Barrier(2)
    going: list[int] = []
    most: list[int] = []

    def read(number: int) -> int:
        going.append(number)
        most.append(len(going))
        both.wait(60)  # which two reach together, and no third
        going.remove(number)
        return number * number

    async def all_of_them() -> list[int]:
        return await asyncio.gather(*(readers.run(read, number) for number in range(6)))

    assert asyncio.run(all_of_them()) == [0, 1, 4, 9, 16, 25]
    assert max(most) <= 2
    readers.stop()


def test_what_is_raised_comes_back_and_a_stop_is_no_end() -> None:
    readers = Readers(1)

    def fail() -> None:
        raise LookupError("nothing there")

    async def once() -> str:
        with pytest.raises(LookupError, match="nothing there"):
            await readers.run(fail)
        return await readers.run(lambda: threading.current_thread().name)

    for _ in range(2):
        assert asyncio.run(once()).startswith("reader")
        readers.stop()
    readers.stop()
