"""What registering and retiring a policy have in common: one call of an escrow, sent or only told."""

from typing import Any

import click
from ape.api import AccountAPI, ProviderAPI

from kameng_escrow.chain.artifacts import load_artifact
from kameng_escrow.chain.calls import escrow_call
from kameng_escrow.chain.connection import Connection
from kameng_escrow.chain.deployments import verify_code
from kameng_escrow.chain.parts import CORE, core_address
from kameng_escrow.chain.sender import Sender
from kameng_escrow.chain.steps import run
from kameng_escrow.domain.inputs import parse_address
from scripts._ape import ApeSigner, chain_id_of, coins, connection_of, is_public, signer_for


class Escrow:
    """The escrow that a policy belongs to, and who calls it."""

    def __init__(
        self, provider: ProviderAPI, account: AccountAPI | None, contract: str | None, broadcast: bool | None
    ) -> None:
        """Raises `NoDeployment`, `CodeMismatch` where there is none, and `click.UsageError` where nobody signs."""
        self.sends = not is_public(provider) if broadcast is None else broadcast
        signer = signer_for(provider, account, send=True)  # its address matters to a dry run too
        assert isinstance(signer, ApeSigner)
        self.signer = signer
        self.connection: Connection = connection_of(provider)
        self.address = parse_address(contract, "--contract") if contract else core_address()
        run(verify_code(self.address, load_artifact(CORE)), self.connection)
        self._sender = Sender(signer, chain_id=chain_id_of(provider))

    def call(self, function: str, *arguments: Any) -> bool:
        """Sends a call; where it is not to be sent, says what it would cost. Whether it was sent.

        Raises the contract's refusal, and what sending raises.
        """
        call = escrow_call(self.address, function, *arguments)
        if self.sends:
            receipt = run(self._sender.send(call), self.connection)
            click.echo(f"Sent in transaction {receipt['transactionHash']}.")
            return True
        ready = run(self._sender.prepare(call), self.connection)
        price = ready.get("maxFeePerGas", ready.get("gasPrice"))
        click.echo(
            f"The contract would take it, for {coins(ready['gas'] * price)} of the chain's coin at most. "
            "Nothing was sent: this was a dry run. Send with --broadcast."
        )
        return False
