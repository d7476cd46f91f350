"""`python -m docs.generators`: writes what differs, and says what it wrote."""

import sys

from .pages import rendered
from .text import ROOT


def main() -> None:
    for path, text in rendered().items():
        if not path.exists() or path.read_text("utf-8") != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
            sys.stdout.write(f"wrote {path.relative_to(ROOT)}\n")


main()
