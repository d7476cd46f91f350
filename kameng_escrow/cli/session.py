"""What a command works with: its settings, its screen, and the parts it asks for, opened when asked and closed once."""

import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING, Self

from ..errors import EscrowError
from ..settings import Settings
from .forms import Currency, refuse_key
from .problems import KeyMissing
from .screen import Screen

if TYPE_CHECKING:  # loading web3 takes longer than most commands that do without it
    from eth_account.signers.local import LocalAccount

    from ..chain.deployments import Deployment
    from ..chain.nodes import Node
    from ..client import EscrowClient
    from ..delivery import DeliverySecret
    from ..store import Book, Store

NATIVE = "0x0000000000000000000000000000000000000000"


class Session:
    """One run of one command."""

    def __init__(self, settings: Settings, screen: Screen) -> None:
        self.settings = settings
        self.screen = screen
        self._open = ExitStack()
        self._node: Node | None = None
        self._client: EscrowClient | None = None
        self._acting: EscrowClient | None = None
        self._store: Store | None = None
        self._currencies: dict[str, Currency] = {}

    def node(self) -> "Node":
        """Raises as `bootstrap.connect`."""
        from .. import bootstrap

        if self._node is None:
            self._node = self._open.enter_context(bootstrap.connect(self.settings))
        return self._node

    def client(self) -> "EscrowClient":
        """A client that reads. Raises as `bootstrap.connect` and `find_deployment`."""
        from .. import bootstrap

        if self._client is None:
            self._client = self._open.enter_context(bootstrap.make_client(self.settings, self.node()))
        return self._client

    def signer(self) -> "LocalAccount":
        """The account of the key file. Raises as `bootstrap.signer`."""
        from .. import bootstrap

        if self.settings.key_file is not None:
            refuse_key(self.settings.key_file.name)  # a key where its file's name belongs
        return bootstrap.signer(self.settings, self.ask_passphrase)

    def delivery_key(self) -> "DeliverySecret | str":
        """What opens the buyer's deliveries: a secret, or one order's identity. Raises as `bootstrap.delivery_key`."""
        from .. import bootstrap

        return bootstrap.delivery_key(self.settings, self.ask_passphrase)

    def passphrase(self) -> str:
        """The passphrase in the settings' file, or what the terminal answers. Raises `SettingError`, `KeyMissing`."""
        from .. import bootstrap

        return bootstrap.passphrase(self.settings, self.ask_passphrase)

    def acting(self, *, watched: bool = True) -> "EscrowClient":
        """A client that signs and sends. Raises as `signer` and `client`; the key comes first, it asks nobody.

        From then on a terminal shows that something is under way, unless the command shows that itself.
        """
        if self._acting is None:
            account = self.signer()
            if watched:
                self._open.enter_context(self.screen.waiting())
            self._acting = self.client().acting_as(account)
        return self._acting

    def deployment(self) -> "Deployment":
        """The contract in use, as the node knows it."""
        return self.client().deployment()

    def store(self) -> "Store":
        from .. import bootstrap

        if self._store is None:
            self._store = self._open.enter_context(bootstrap.open_store(self.settings))
        return self._store

    def book(self) -> "Book":
        """What the store knows of the contract, without asking the node."""
        from .. import bootstrap

        return bootstrap.choose_book(self.store(), self.settings)

    def currency(self, token: str) -> Currency:
        """How to write amounts of a token; in base units where no node is there to ask."""
        if token not in self._currencies:
            self._currencies[token] = self._ask_currency(token)
        return self._currencies[token]

    def _ask_currency(self, token: str) -> Currency:
        if token == NATIVE:
            return Currency(token, "ETH", 18)
        try:
            client = self.client()
            return Currency(token, client.symbol(token), client.decimals(token))
        except EscrowError:
            return Currency(token, f"({token[:8]}…)", 0)

    def ask_passphrase(self) -> str:
        """From the terminal. Raises `KeyMissing` where there is none."""
        if not sys.stdin.isatty():
            raise KeyMissing(
                "密钥文件需要口令，而这里没有终端可问：请用 KAMENG_KEY_PASSPHRASE_FILE 指定口令文件。",
                "The key file needs a passphrase and there is no terminal to ask: set KAMENG_KEY_PASSPHRASE_FILE.",
            )
        import getpass

        return getpass.getpass(self.screen.say("密钥文件的口令：", "Passphrase of the key file: "))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()
