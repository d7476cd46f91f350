"""A process that takes a place, says so, and then holds it until it is killed, or is told to write on stdin.

Arguments: the store's URL or path, the role, the scope. Prints "took N" when it has the place; after each line on stdin
it writes under its term and prints "wrote" or "deposed".
"""

import sys
import threading

from kameng_escrow.store import Deposed, Leadership, Store


def main() -> None:
    url, role, scope = sys.argv[1:]
    with Store.open(url) as store, Leadership(store, role, scope, beat_seconds=0.2) as leadership:
        term = leadership.wait(threading.Event(), poll_seconds=0.05)
        assert term is not None
        say(f"took {term.number}")
        for _ in sys.stdin:
            try:
                with store.under(term).writing():
                    pass
            except Deposed:
                say("deposed")
            else:
                say("wrote")


def say(words: str) -> None:
    print(words, flush=True)  # noqa: T201 - it is what the test reads


if __name__ == "__main__":
    main()
