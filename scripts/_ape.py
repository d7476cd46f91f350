"""Between ape and the package: the network that ape is connected to, and the account that ape signs with.

Ape chooses where and who. What is done there, and every check of it, is the package's: the code that `kameng` runs.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import click
from ape import accounts
from ape.api import AccountAPI, ProviderAPI
from eth_tester.exceptions import TransactionFailed
from eth_utils.crypto import keccak
from eth_utils.exceptions import ValidationError
from web3 import Web3
from web3.exceptions import Web3Exception
from web3.providers.base import JSONBaseProvider
from web3.providers.eth_tester import EthereumTesterProvider
from web3.types import RPCEndpoint, RPCResponse

from kameng_escrow.chain import rpc
from kameng_escrow.chain.connection import Connection
from kameng_escrow.chain.steps import run
from kameng_escrow.errors import EscrowError

LOCAL_CHAINS = (1_337, 31_337)  # what development chains call themselves


def web3_of(provider: ProviderAPI) -> Web3:
    """The network that ape is connected to, in plain JSON-RPC."""
    return Web3(TesterProvider(provider.web3)) if ends_with_us(provider) else provider.web3


def connection_of(provider: ProviderAPI) -> Connection:
    return Connection(web3_of(provider))


def chain_id_of(provider: ProviderAPI) -> int:
    return run(rpc.chain_id(), connection_of(provider))


def is_public(provider: ProviderAPI) -> bool:
    """Whether real money may be on the chain: then nothing is sent unless that was asked for.

    By what the node says: ape calls any node local that is named as one.
    """
    return chain_id_of(provider) not in LOCAL_CHAINS


def ends_with_us(provider: ProviderAPI) -> bool:
    """Whether the chain lives in this process alone."""
    return isinstance(provider.web3.provider, EthereumTesterProvider)


def signer_for(provider: ProviderAPI, account: AccountAPI | None, *, send: bool) -> "ApeSigner | None":
    """The account that was chosen; on a local network, else its first test account.

    Raises `click.UsageError` where something is to be sent and nobody signs.
    """
    if account is None and not is_public(provider):
        account = accounts.test_accounts[0]
    if account is None and send:
        raise click.UsageError("Sending needs an account: --account ALIAS (`ape accounts list` names them).")
    return None if account is None else ApeSigner(account)


class TesterProvider(JSONBaseProvider):
    """Ape's `test` network, an EVM in this process, as a node: it takes and gives what JSON-RPC does."""

    def __init__(self, w3: Web3) -> None:
        super().__init__()
        self._tester = w3

    def make_request(self, method: RPCEndpoint, params: Any) -> RPCResponse:
        if method == "eth_estimateGas":
            params = params[:1]  # eth-tester knows no pending block, and mines at once
        try:
            # With the middleware that eth-tester needs, and without what web3 does for people.
            return {"jsonrpc": "2.0", "id": 1, "result": _json(self._tester.manager.request_blocking(method, params))}
        except TransactionFailed as error:
            return _failed(3, "execution reverted", str(error.args[0]))
        except (ValidationError, Web3Exception, ValueError, TypeError) as error:
            data = getattr(error, "data", None)
            return _failed(-32_000, str(error), data)


def _failed(code: int, message: str, data: Any) -> RPCResponse:
    error: Any = {"code": code, "message": message}
    if isinstance(data, str) and data.startswith("0x"):
        error["data"] = data
    return {"jsonrpc": "2.0", "id": 1, "error": error}


def _json(value: Any) -> Any:
    if isinstance(value, bytes):
        return "0x" + bytes(value).hex()
    if isinstance(value, Mapping):
        return {name: _json(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_json(part) for part in value]
    return hex(value) if isinstance(value, int) and not isinstance(value, bool) else value


class ApeSigner:
    """An account of ape as the package's senders take one; ape asks its owner before it signs."""

    def __init__(self, account: AccountAPI) -> None:
        self._account = account
        self.address = str(account.address)

    def sign_transaction(self, transaction: Mapping[str, Any]) -> Any:
        """Raises `click.Abort` where the owner declines."""
        ecosystem = self._account.provider.network.ecosystem
        unsigned = ecosystem.create_transaction(**transaction)
        signed = self._account.sign_transaction(unsigned)
        if signed is None:
            raise click.Abort()
        raw = bytes(signed.serialize_transaction())
        return SimpleNamespace(raw_transaction=raw, hash=keccak(raw))


@contextmanager
def sentences() -> Iterator[None]:
    """What goes wrong, as ape shows errors: one sentence and exit code 1."""
    try:
        yield
    except EscrowError as error:
        raise click.ClickException(error.message) from error
    except OSError as error:
        raise click.ClickException(f"The system refused: {error.strerror or error}.") from error


def coins(wei: int) -> str:
    """Whole coins, exactly: 1500000000000000000 → "1.5"."""
    whole, rest = divmod(wei, 10**18)
    return f"{whole}.{rest:018}".rstrip("0").rstrip(".")
