"""Two solvers at once, as one for Halmos: what Yices answers in an instant Z3 may never, and the other way round.

    python -m bench.verify.portfolio FILE.smt2

Prints what the first of them prints that comes to an answer.
"""

import subprocess
import sys
import time
from pathlib import Path

BIN = Path(sys.executable).parent
SOLVERS = (
    (BIN / "yices-smt2", "--smt2-model-format", "--bvconst-in-decimal"),
    (BIN / "z3",),
)


def main(file: str) -> int:
    started = [
        subprocess.Popen([*command, file], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        for command in SOLVERS
    ]
    waiting = list(started)
    try:
        while waiting:
            for process in list(waiting):
                if process.poll() is None:
                    continue
                waiting.remove(process)
                assert process.stdout is not None
                answer = process.stdout.read()
                verdict = answer.partition("\n")[0].strip()
                if verdict in ("sat", "unsat"):
                    sys.stdout.write(answer if verdict == "sat" else "unsat\n")
                    return 0
            time.sleep(0.01)
        sys.stdout.write("unknown\n")
        return 0
    finally:
        for process in started:
            process.kill()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
