"""Records of what was deployed where: small JSON files that people may keep, send and check."""

import json
import os
import sys
import tempfile
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from web3 import Web3

from kameng_escrow.domain.inputs import check_address, check_hash, check_uint
from kameng_escrow.errors import EscrowError

from . import rpc
from .artifacts import Artifact, load_artifact
from .connection import Connection
from .errors import CodeMismatch, DamagedRecord, NoDeployment, RecordsClosed, WrongChain
from .steps import Steps, run

FOLDER_VARIABLE = "KAMENG_DEPLOYMENTS"


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """One escrow with its lens and its other companions on one chain."""

    chain_id: int
    genesis: str  # hash of block 0: tells local chains of the same chain id apart
    address: str  # the escrow
    lens: str
    transaction: str | None  # hash of the escrow's deployment; None: another contract's doing, which no block tells
    block: int  # number of its block: where the mirror begins
    deployer: str | None  # who sent that transaction; None where it is
    source_hash: str  # of everything the compiler was given, 0x-hex
    compiler: str  # its version
    deployed_at: int  # Unix seconds of the block
    periphery: Mapping[str, str] = field(default_factory=dict, hash=False)  # other companions: contract → address

    def __post_init__(self) -> None:
        check_uint(self.chain_id, 256, "chain_id")
        check_uint(self.block, 64, "block")
        check_uint(self.deployed_at, 40, "deployed_at")
        for name in ("address", "lens"):
            check_address(getattr(self, name), name)
        for name in ("genesis", "source_hash"):
            check_hash(getattr(self, name), name)
        if self.transaction is not None:
            check_hash(self.transaction, "transaction")
        if self.deployer is not None:
            check_address(self.deployer, "deployer")
        for name, address in self.periphery.items():
            check_address(address, name)

    def to_json(self) -> str:
        """The record as a file: `deployed_at` as ISO-8601 with Z."""
        time = datetime.fromtimestamp(self.deployed_at, UTC).isoformat().replace("+00:00", "Z")
        return json.dumps(asdict(self) | {"deployed_at": time}, indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The reverse of `to_json`. Raises `DamagedRecord` where the text is no record."""
        try:
            document = json.loads(text)
            time = datetime.fromisoformat(document["deployed_at"])
            if time.tzinfo is None:
                raise DamagedRecord(
                    "This is no deployment record: deployed_at does not say its time zone.",
                    "这不是部署记录：deployed_at 没有写明时区。",
                )
            values = {one.name: document[one.name] for one in fields(cls) if one.name != "periphery"}
            values["periphery"] = dict(document.get("periphery", {}))  # records of version 0.1.0 have none
            return cls(**values | {"deployed_at": int(time.timestamp())})
        except DamagedRecord:
            raise
        except KeyError as error:
            raise DamagedRecord(
                f"This is no deployment record: {error.args[0]} is missing.",
                f"这不是部署记录：缺少 {error.args[0]}。",
            ) from error
        except (ValueError, TypeError, EscrowError) as error:
            raise DamagedRecord(
                f"This is no deployment record: {error}", f"这不是部署记录：{getattr(error, 'message_zh', error)}"
            ) from error


# -------------------------------------------------------------------------------------------------------------- files


def default_folder() -> Path:
    """Where records are kept: the folder in KAMENG_DEPLOYMENTS if set, else one in the user's data folder."""
    if chosen := os.environ.get(FOLDER_VARIABLE):
        return Path(chosen).expanduser()
    home = Path.home()
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = home / "Library" / "Application Support"
    else:
        base = Path(os.environ.get("XDG_DATA_HOME") or home / ".local" / "share")
    return base / "kameng_escrow" / "deployments"


def save_deployment(deployment: Deployment, folder: Path | None = None) -> Path:
    """Writes the record, whole or not at all, and returns its path. The folder is made where it does not exist.

    Raises:
        OSError: the folder can't be written.
    """
    folder = default_folder() if folder is None else folder
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{deployment.chain_id}-{deployment.address}-{deployment.genesis[2:10]}.json"
    handle, temporary = tempfile.mkstemp(dir=folder, prefix=".", suffix=".tmp")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(deployment.to_json())
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(0o644)  # mkstemp's own is for secrets, and this is none
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    return path


def load_deployments(folder: Path | None = None) -> tuple[Deployment, ...]:
    """Every record of the folder, newest first; none where there is no folder.

    Raises:
        RecordsClosed: the folder can't be looked into.
        DamagedRecord: a file in it can't be read, or is not a record.
    """
    folder = default_folder() if folder is None else folder
    try:
        paths = sorted(path for path in folder.iterdir() if path.suffix == ".json")
    except (FileNotFoundError, NotADirectoryError):
        return ()
    except OSError as error:
        raise RecordsClosed(
            f"The folder of deployment records {folder} can't be looked into ({error.strerror}): allow it, or name "
            "another one (KAMENG_DEPLOYMENTS).",
            f"存放部署记录的文件夹 {folder} 无法读取（{error.strerror}）：请开放权限，或用 KAMENG_DEPLOYMENTS "
            "指定另一个。",
        ) from error
    found = []
    for path in paths:
        try:
            found.append(Deployment.from_json(path.read_text("utf-8")))
        except OSError as error:
            raise DamagedRecord(
                f"{path} can't be read ({error.strerror}): allow it, or move it away.",
                f"{path} 无法读取（{error.strerror}）：请开放权限，或把它移走。",
            ) from error
        except (DamagedRecord, UnicodeDecodeError) as error:
            raise DamagedRecord(
                f"{path} is damaged: remove it, or put it right. {error}",
                f"{path} 已损坏：请删除或修复它。{getattr(error, 'message_zh', error)}",
            ) from error
    return tuple(sorted(found, key=lambda deployment: deployment.deployed_at, reverse=True))


def load_deployment(
    chain_id: int, *, address: str | None = None, genesis: str | None = None, folder: Path | None = None
) -> Deployment:
    """The newest record of the chain (with that address, with that genesis hash).

    Raises:
        NoDeployment: there is none; `RecordsClosed`, the folder can't be looked into.
        DamagedRecord: a file in the folder is not a record.
    """
    folder = default_folder() if folder is None else folder
    of_chain = [one for one in load_deployments(folder) if one.chain_id == chain_id]
    for deployment in of_chain:
        if address in (None, deployment.address) and genesis in (None, deployment.genesis):
            return deployment
    if of_chain and address is None:
        raise NoDeployment(
            f"The records in {folder} for chain {chain_id} are of another chain of that number, one that has since "
            "been started anew: deploy again (`kameng deploy`).",
            f"{folder} 里链 {chain_id} 的记录属于同一链号的另一条链（那条链已重新启动）：请重新部署（kameng deploy）。",
        )
    at = "" if address is None else f" at {address}"
    at_zh = "" if address is None else f"（{address}）"
    raise NoDeployment(
        f"No deployment{at} on chain {chain_id} is recorded in {folder}: deploy one (`kameng deploy`), or put its "
        "record there.",
        f"{folder} 里没有链 {chain_id} 的部署记录{at_zh}：请部署一个（kameng deploy），或把它的记录放进去。",
    )


# ------------------------------------------------------------------------------------------------------- verification


def verify_deployment(deployment: Deployment, w3: Web3) -> None:
    """Checks that the node serves the record's chain, and that escrow and lens there are the packaged contracts.

    Raises:
        WrongChain: another chain id, or another genesis block.
        NoDeployment: there is no code at an address.
        CodeMismatch: there is other code.
        NodeError: the node can't be asked.
    """
    run(verifying(deployment), Connection(w3))


def verifying(deployment: Deployment) -> Steps[None]:
    """`verify_deployment` as steps."""
    yield from check_chain(deployment)
    yield from verify_code(deployment.address, load_artifact("KamengEscrow"))
    yield from verify_code(deployment.lens, load_artifact("KamengLens"))
    for name, address in deployment.periphery.items():
        yield from verify_code(address, load_artifact(name))
    watched = yield from rpc.view("KamengLens", deployment.lens, "escrow")
    if watched != deployment.address:
        raise CodeMismatch(
            f"The lens at {deployment.lens} is of the escrow {watched}, not of {deployment.address}.",
            f"查询合约 {deployment.lens} 属于托管合约 {watched}，而不是 {deployment.address}。",
        )


def check_chain(deployment: Deployment) -> Steps[None]:
    """Checks that the node serves the record's chain, not one of the same number. Raises `WrongChain`."""
    chain_id = yield from rpc.chain_id()
    if chain_id != deployment.chain_id:
        raise WrongChain(deployment.chain_id, chain_id)
    genesis = (yield from rpc.block(0)).hash
    if genesis != deployment.genesis:
        raise WrongChain(
            f"{deployment.chain_id} with the genesis {deployment.genesis}", f"{chain_id} with the genesis {genesis}"
        )


def verify_code(address: str, artifact: Artifact, immutables: Collection[bytes] | None = None) -> Steps[None]:
    """Checks that the packaged contract is at the address. Raises as `verify_deployment`.

    `immutables`: the words that may stand where the deployment filled something in; left out, any.
    """
    found = yield from rpc.code(address)
    if not found:
        raise NoDeployment(
            f"There is no contract at {address}: check the address, and that the node serves the right chain.",
            f"{address} 上没有合约：请核对地址，以及节点连的是不是正确的链。",
        )
    if not _is_made_of(found, artifact, immutables):
        raise CodeMismatch(
            f"The code at {address} is not that of this package's {artifact.name}: it was made by another version, "
            "or is something else. Don't send money there.",
            f"{address} 上的代码不是本软件包的 {artifact.name}：它出自别的版本，或根本是别的东西。不要往那里转钱。",
        )


def _is_made_of(code: bytes, artifact: Artifact, immutables: Collection[bytes] | None) -> bool:
    expected = bytes.fromhex(artifact.deployed_bytecode[2:])
    filled_in = (code[start : start + length] for start, length in artifact.immutables)
    return _masked(code, artifact) == _masked(expected, artifact) and (
        immutables is None or all(word in immutables for word in filled_in)
    )


def _masked(code: bytes, artifact: Artifact) -> bytes:
    """Without the values that were filled in at deployment."""
    masked = bytearray(code)
    for start, length in artifact.immutables:
        masked[start : start + length] = bytes(len(masked[start : start + length]))
    return bytes(masked)
