"""From settings to the chain: its nodes, the contract in use, and the keys that sign and open.

`bootstrap` has these names, too.
"""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from eth_account.signers.local import LocalAccount

from .chain.adoption import adopting
from .chain.connection import Connection
from .chain.deployments import Deployment, load_deployment, load_deployments, save_deployment
from .chain.errors import DamagedRecord, NoDeployment, RecordsClosed, WrongChain
from .chain.nodes import Node, RpcNode
from .chain.parts import core_address
from .chain.several import SeveralNodes
from .chain.steps import run
from .chain.transport import sense_demanded
from .client import EscrowClient
from .domain.inputs import parse_address
from .keyfile import read_key
from .settings import SettingError, Settings

if TYPE_CHECKING:
    from .delivery import DeliverySecret


def connect(settings: Settings) -> Node:
    """The node at `rpc_url`; with `rpc_fallbacks`, that one and those as one (`SeveralNodes`).

    Raises:
        WrongChain: it serves another chain than `chain_id` asks for, as do all others.
        NodeError: none answers.
    """
    nodes = [RpcNode(url, timeout_seconds=settings.timeout) for url in (settings.rpc_url, *settings.rpc_fallbacks)]
    node = SeveralNodes(nodes, settings.chain_id) if len(nodes) > 1 else nodes[0]
    try:
        served = _chain_id(node)
        if settings.chain_id is not None and served != settings.chain_id:
            raise WrongChain(settings.chain_id, served)
    except BaseException:
        node.close()
        raise
    return node


def find_deployment(settings: Settings, node: Node) -> Deployment:
    """The record of the contract in use: the file that `contract` names, the record of the address that it names, or
    the newest record of the node's chain.

    Where nothing is recorded, the chain is asked: for the contract at the address, or for this package's at the address
    that it has on every chain. What it answers is checked, and recorded if the folder can be written.

    Raises:
        NoDeployment: there is no such record, and no such contract.
        RecordsClosed: no contract is named, and the folder of records can't be looked into.
        CodeMismatch: there is another contract at the address.
        BlockUnknown: the node can't say when the contract was deployed.
        RecordDisagrees: it was not deployed in the block that `contract` names.
        DamagedRecord: a file is not a record.
        WrongChain: the record is of another chain.
        Malformed: `contract` is neither a file nor an address.
    """
    chain_id = _chain_id(node)
    first = node.request("eth_getBlockByNumber", "0x0", False)
    with sense_demanded():
        genesis = str(first["hash"]).lower() if first is not None else None  # some nodes keep no early blocks
    if settings.contract is not None and settings.contract.endswith(".json"):
        deployment = _record(Path(settings.contract).expanduser())
        if deployment.chain_id != chain_id:
            raise WrongChain(deployment.chain_id, chain_id)
        if genesis is not None and deployment.genesis != genesis:
            raise WrongChain(deployment.genesis, genesis)
        return deployment
    address, block = named_contract(settings)
    try:
        return load_deployment(chain_id, address=address, genesis=genesis, folder=settings.deployments)
    except NoDeployment as missing:
        # Whose own contract may be recorded in there is not given another one.
        unknown = isinstance(missing, RecordsClosed) or not _has_code(node, core_address())
        if address is None and unknown:
            raise
    deployment = run(adopting(address or core_address(), block=block), Connection(node.w3))
    with suppress(OSError):  # then the chain is asked again next time
        save_deployment(deployment, settings.deployments)
    return deployment


def named_contract(settings: Settings) -> tuple[str | None, int | None]:
    """The address that `contract` names, or the record in the file that it names, and the block of its deployment; None
    for what it does not say.

    Raises:
        Malformed, SettingError: it is neither an address, ADDRESS@BLOCK, nor a file.
        NoDeployment, DamagedRecord: there is no record in that file.
    """
    if settings.contract is None:
        return None, None
    if settings.contract.endswith(".json"):
        record = _record(Path(settings.contract).expanduser())
        return record.address, record.block
    address, _, block = settings.contract.partition("@")
    return parse_address(address, "KAMENG_CONTRACT"), _block_number(block) if block else None


def _block_number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise SettingError(
            "KAMENG_CONTRACT",
            f"After the @ of KAMENG_CONTRACT comes the number of the block, not {text!r}.",
            f"KAMENG_CONTRACT 的 @ 之后应是区块号，而不是 {text!r}。",
        )
    return int(text)


def _has_code(node: Node, address: str) -> bool:
    return len(str(node.request("eth_getCode", address, "latest"))) > 2


def _chain_id(node: Node) -> int:
    with sense_demanded():
        return int(node.request("eth_chainId"), 16)


def recorded_deployment(settings: Settings) -> Deployment:
    """As `find_deployment`, for whoever asks no node: the newest record that fits `contract` and `chain_id`.

    Raises:
        NoDeployment: there is no such record.
        DamagedRecord: a file is not a record.
    """
    wanted = settings.contract
    if wanted is not None and wanted.endswith(".json"):
        return _record(Path(wanted).expanduser())
    for record in load_deployments(settings.deployments):
        if settings.chain_id is not None and record.chain_id != settings.chain_id:
            continue
        if wanted is None or record.address.lower() == wanted.partition("@")[0].lower():
            return record
    raise NoDeployment("No deployment is recorded here: run `kameng deploy`, or name a record with KAMENG_CONTRACT.")


def _record(path: Path) -> Deployment:
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError as error:
        raise NoDeployment(f"There is no deployment record at {path}.") from error
    except (OSError, UnicodeDecodeError) as error:
        raise DamagedRecord(f"The deployment record {path} can't be read: {error}.") from error
    return Deployment.from_json(text)


def make_client(settings: Settings, node: Node, *, account: LocalAccount | None = None) -> EscrowClient:
    """A client of the contract in use; read only without an account. Raises as `find_deployment`."""
    return EscrowClient(
        node=node,
        contract=find_deployment(settings, node),
        account=account,
        timeout_seconds=settings.timeout,
    )


def signer(settings: Settings, ask_passphrase: Callable[[], str]) -> LocalAccount:
    """The account of the key file. `ask_passphrase` is asked where a keystore has no passphrase file.

    Raises:
        SettingError: no key file is named, or the passphrase's can't be read.
        KeyFileUnusable: the key can't be had from it.
    """
    if settings.key_file is None:
        raise SettingError(
            "KAMENG_KEY_FILE",
            "This needs a signature, and no key is named: set KAMENG_KEY_FILE or --key-file to a key file.",
            "这一步需要签名，但没有指定密钥：请用 KAMENG_KEY_FILE 或 --key-file 指向密钥文件。",
        )
    return read_key(settings.key_file, lambda: passphrase(settings, ask_passphrase))


def delivery_key(settings: Settings, ask_passphrase: Callable[[], str]) -> "DeliverySecret | str":
    """What opens a buyer's deliveries: the secret, or one order's identity, in the delivery key's file; where none is
    named, the secret that is derived from the account of the key file.

    Raises:
        DeliveryKeyUnusable: it can't be had from the delivery key's file.
        SettingError, KeyFileUnusable: as `signer`.
    """
    from .delivery.key_files import read_delivery_key
    from .delivery.keys import secret_of_account

    if settings.delivery_key_file is not None:
        return read_delivery_key(settings.delivery_key_file, lambda: passphrase(settings, ask_passphrase))
    return secret_of_account(signer(settings, ask_passphrase))


def relayer_signer(settings: Settings, ask_passphrase: Callable[[], str]) -> LocalAccount:
    """The account of the relayer's key file. Raises as `signer`."""
    if settings.relayer_key_file is None:
        raise SettingError(
            "KAMENG_RELAYER_KEY_FILE",
            "A relayer sends from an account of its own, and no key is named: set KAMENG_RELAYER_KEY_FILE or "
            "--relayer-key-file to a key file.",
            "中继程序要用自己的账户发送，但没有指定密钥：请用 KAMENG_RELAYER_KEY_FILE 或 --relayer-key-file "
            "指向密钥文件。",
        )
    where = "KAMENG_RELAYER_PASSPHRASE_FILE"
    return read_key(
        settings.relayer_key_file, lambda: _passphrase_in(settings.relayer_passphrase_file, where, ask_passphrase)
    )


def passphrase(settings: Settings, ask: Callable[[], str]) -> str:
    """The passphrase in the settings' file, or what `ask` answers. Raises `SettingError`."""
    return _passphrase_in(settings.passphrase_file, "KAMENG_KEY_PASSPHRASE_FILE", ask)


def _passphrase_in(path: Path | None, setting: str, ask: Callable[[], str]) -> str:
    if path is None:
        return ask()
    try:
        return path.read_text("utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not UTF-8"
        raise SettingError(
            setting,
            f"The passphrase file {path} can't be read: {reason}.",
            f"口令文件 {path} 读不了：{reason}。",
        ) from error
