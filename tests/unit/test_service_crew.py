"""Workers in one process end together."""

import threading

import pytest

from kameng_escrow.service.crew import Crew


def test_everybody_is_told_to_end_and_waited_for() -> None:
    ended: list[str] = []

    def work(stop: threading.Event) -> None:
        stop.wait()
        ended.append(threading.current_thread().name)

    with Crew(threading.Event(), lambda: pytest.fail("nobody failed")) as crew:
        crew.start("one", work)
        crew.start("two", work)
    assert sorted(ended) == ["one", "two"]
    assert crew.failures == []


@pytest.mark.parametrize("failure", [None, ValueError("no")])
def test_one_that_ends_by_itself_ends_the_others(failure: Exception | None) -> None:
    called = threading.Event()

    def work(_: threading.Event) -> None:
        if failure is not None:
            raise failure

    with Crew(threading.Event(), called.set) as crew:
        crew.start("patient", lambda stop: stop.wait())
        crew.start("hasty", work)
        assert called.wait(30)
    assert crew.failures == [("hasty", failure)]
