"""Compiles the contracts of a checkout into the artifacts that the wheel ships.

Each contract is compiled from its own sources and nothing else. So its bytecode does not change
when an unrelated file does (the IR pipeline numbers what it is given), its hash covers exactly
what it is made of, and only what changed needs compiling again.
"""

import hashlib
import json
import posixpath
import re
import subprocess
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from kameng_escrow.chain.artifacts import Artifact
from kameng_escrow.chain.solc import SOLC_VERSION, Solc, resolve_solc
from kameng_escrow.errors import CompilationFailed

# What the wheel ships, and the only place that says so: the contracts, and the tokens of the demo.
SHIPPED = (
    "IKamengEscrow",
    "KamengEscrow",
    "KamengLens",
    "KamengCart",
    "KamengDeposits",
    "KamengAutomation",
    "TestToken",
    "AuthorizedToken",
    "BlockingToken",
)

OPTIMIZER_RUNS = 800
# The compiler's usual Yul steps less "F", which copies a function for every constant that it is called with: without
# those copies the core is a fifth smaller, which leaves room for more ways to pay.
YUL_STEPS = (
    "dhfoDgvulfnTUtnIf[xa[r]EscLMVcul[j]Trpeul xa[r]cL gvifM CTUca[r]LSsTOtfDnca[r]Iulc]jmul[jul] VcTOcul jmul:fDnTOcmu"
)
EVM_VERSION = "cancun"
REMAPPINGS = {"@openzeppelin/contracts/": "node_modules/@openzeppelin/contracts/"}

# Without the metadata trailer, the bytecode depends on the code alone: not on comments or paths.
SETTINGS: Mapping[str, Any] = {
    "viaIR": True,
    "optimizer": {
        "enabled": True,
        "runs": OPTIMIZER_RUNS,
        "details": {"yul": True, "yulDetails": {"stackAllocation": True, "optimizerSteps": YUL_STEPS}},
    },
    "evmVersion": EVM_VERSION,
    "metadata": {"appendCBOR": False, "bytecodeHash": "none"},
    "remappings": [f"{prefix}={target}" for prefix, target in REMAPPINGS.items()],
}

ARTIFACTS = Path("kameng_escrow/artifacts")  # inside a checkout

_OUTPUT = [
    "abi",
    "evm.bytecode.object",
    "evm.deployedBytecode.object",
    "evm.deployedBytecode.immutableReferences",
]
_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
_IMPORT = re.compile(r"""^\s*import\b[^;"']*["']([^"']+)["']""", re.MULTILINE)
_DEFINITION = r"^\s*(?:abstract\s+)?(?:contract|interface|library)\s+{name}\b"


def find_root(start: Path | None = None) -> Path:
    """The checkout that `start` (default: the current folder) or this package lies in.

    Raises:
        CompilationFailed: neither does; the wheel has no Solidity sources.
    """
    for place in ((start or Path.cwd()).resolve(), Path(__file__).resolve()):
        for folder in (place, *place.parents):
            if (folder / "contracts" / "KamengEscrow.sol").is_file():
                return folder
    raise CompilationFailed(
        "There are no contracts here to compile. Run this in a checkout of kameng_escrow; "
        "the installed package carries its contracts already compiled."
    )


def compile_contracts(
    root: Path,
    names: Iterable[str] = SHIPPED,
    *,
    solc: Solc | None = None,
    report: Callable[[str], None] | None = None,
) -> list[Artifact]:
    """Compiles contracts of the checkout at `root`, in the order of `names`.

    `report` is called with a sentence before each slow step.

    Raises:
        CompilerUnavailable: no compiler of the pinned version.
        CompilationFailed: a source is missing, or the compiler reported an error,
            or a warning about our own sources.
    """
    say = report or (lambda _: None)
    compiler = solc or resolve_solc(root, report=report)
    artifacts = []
    for name in names:
        say(f"Compiling {name} with solc {compiler.version} ({compiler.kind}) ...")
        artifacts.append(_compile(root, name, compiler))
    return artifacts


def write_artifacts(artifacts: Iterable[Artifact], folder: Path) -> list[Path]:
    """Writes one JSON file per artifact, and returns the files whose content changed."""
    folder.mkdir(parents=True, exist_ok=True)
    changed = []
    for artifact in artifacts:
        path, text = folder / f"{artifact.name}.json", artifact.to_json()
        if not path.exists() or path.read_text("utf-8") != text:
            path.write_text(text, "utf-8")
            changed.append(path)
    return changed


def source_hash(root: Path, name: str) -> str:
    """What `Artifact.source_hash` would be if `name` were compiled now. Needs no compiler.

    Raises:
        CompilationFailed: a source is missing.
    """
    return _hash(standard_input(root, name))


def stale_artifacts(root: Path) -> list[str]:
    """The shipped contracts whose committed artifact is missing or older than the sources."""
    stale = []
    for name in SHIPPED:
        path = root / ARTIFACTS / f"{name}.json"
        if not path.exists() or json.loads(path.read_text("utf-8"))["sourceHash"] != source_hash(root, name):
            stale.append(name)
    return stale


def find_source(root: Path, name: str) -> str:
    """The path, relative to `root`, of the file under contracts/ that defines `name`.

    Raises:
        CompilationFailed: no file does.
    """
    files = sorted((root / "contracts").rglob("*.sol"))
    files = [file for file in files if ".cache" not in file.parts]
    files.sort(key=lambda file: file.stem != name)  # most contracts have a file of their own
    definition = re.compile(_DEFINITION.format(name=re.escape(name)), re.MULTILINE)
    for file in files:
        if definition.search(_COMMENT.sub("", file.read_text("utf-8"))):
            return file.relative_to(root).as_posix()
    raise CompilationFailed(f"No file in {root / 'contracts'} defines {name}.")


def source_closure(root: Path, entry: str) -> dict[str, str]:
    """The text of `entry` and of all that it imports, by path relative to `root`, sorted.

    Raises:
        CompilationFailed: an import names a file that is not there.
    """
    sources: dict[str, str] = {}
    waiting = [entry]
    while waiting:
        path = waiting.pop()
        if path in sources:
            continue
        try:
            text = (root / path).read_text("utf-8")
        except FileNotFoundError as error:
            hint = "; run `npm ci`" if path.startswith("node_modules/") else ""
            raise CompilationFailed(f"{path} is missing in {root}{hint}.") from error
        sources[path] = text
        waiting += [_resolve(path, name) for name in _IMPORT.findall(_COMMENT.sub("", text))]
    return dict(sorted(sources.items()))


def _resolve(importer: str, name: str) -> str:
    if name.startswith("."):
        return posixpath.normpath(posixpath.join(posixpath.dirname(importer), name))
    for prefix, target in REMAPPINGS.items():
        if name.startswith(prefix):
            return target + name.removeprefix(prefix)
    return name


def standard_input(root: Path, name: str) -> dict[str, Any]:
    """What the compiler is given for a contract, in its standard JSON: whoever repeats it gets the same bytecode.

    Raises:
        CompilationFailed: a source is missing.
    """
    entry = find_source(root, name)
    sources = source_closure(root, entry)
    return {
        "language": "Solidity",
        "sources": {path: {"content": text} for path, text in sources.items()},
        "settings": {**SETTINGS, "outputSelection": {entry: {name: _OUTPUT}}},
    }


def _hash(standard_input: Mapping[str, Any]) -> str:
    text = json.dumps([SOLC_VERSION, standard_input], sort_keys=True, separators=(",", ":"))
    return "0x" + hashlib.sha256(text.encode()).hexdigest()


def _compile(root: Path, name: str, solc: Solc) -> Artifact:
    given = standard_input(root, name)
    entry = next(iter(given["settings"]["outputSelection"]))
    output = _run(solc, given)
    problems = [
        problem["formattedMessage"]
        for problem in output.get("errors", ())
        if problem["severity"] == "error" or _is_our_warning(problem)
    ]
    if problems:
        raise CompilationFailed(f"{entry} does not compile cleanly:\n\n" + "\n".join(problems))
    contract = output["contracts"][entry][name]
    deployed = contract["evm"]["deployedBytecode"]
    references = deployed.get("immutableReferences", {})  # by variable
    places = (place for group in references.values() for place in group)
    return Artifact(
        name=name,
        abi=tuple(contract["abi"]),
        bytecode="0x" + contract["evm"]["bytecode"]["object"],
        deployed_bytecode="0x" + deployed["object"],
        immutables=tuple(sorted((place["start"], place["length"]) for place in places)),
        compiler=solc.version,
        settings=SETTINGS,
        sources={
            path: "0x" + hashlib.sha256(source["content"].encode()).hexdigest()
            for path, source in given["sources"].items()
        },
        source_hash=_hash(given),
    )


def _is_our_warning(problem: Mapping[str, Any]) -> bool:
    """Whether it warns of our own code; what a dependency is warned of is not ours to change."""
    place = problem.get("sourceLocation", {}).get("file", "contracts/")
    return problem["severity"] == "warning" and str(place).startswith("contracts/")


def _run(solc: Solc, standard_input: Mapping[str, Any]) -> dict[str, Any]:
    try:
        done = subprocess.run(
            [solc.path, "--standard-json"],
            input=json.dumps(standard_input),
            capture_output=True,
            text=True,
            encoding="utf-8",
        )
    except OSError as error:
        raise CompilationFailed(f"{solc.path} does not run: {error}.") from error
    if done.returncode != 0:
        raise CompilationFailed(f"{solc.path} failed: {done.stderr.strip() or done.returncode}")
    try:
        output: dict[str, Any] = json.loads(done.stdout)
    except json.JSONDecodeError as error:
        raise CompilationFailed(
            f"{solc.path} answered with something that is not JSON: {done.stdout[:200]!r}"
        ) from error
    return output
