"""The demo: real orders on a real EVM, through every ending that they can have, and the books checked at the end.

`stage.py` builds the world, `play.py` is one order being lived, `endings.py` are the stories, `audit.py` checks the
mirror and the money, `run.py` puts it together. Nothing here prints: `kameng demo` shows it.
"""

from .run import Demo, DemoResult, OrderResult, WrongEnding

__all__ = ["Demo", "DemoResult", "OrderResult", "WrongEnding"]
