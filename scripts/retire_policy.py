"""ape run retire_policy ID: no new orders under a policy of the account; open ones go on as they were.

On a public network it only says whether the contract would take it, until it is told to --broadcast.
"""

import click
from ape.api import AccountAPI, ProviderAPI
from ape.cli import ConnectedProviderCommand, account_option, network_option

from kameng_escrow.cli.forms import parse_hash
from scripts._ape import sentences
from scripts._policies import Escrow


@click.command(cls=ConnectedProviderCommand)
@click.argument("policy", metavar="ID")
@network_option()
@account_option(prompt=None)
@click.option("--broadcast/--dry-run", default=None, help="Really send; left out: on local networks only.")
@click.option("--contract", metavar="ADDRESS", help="The escrow; left out, the one at the address of every chain.")
def cli(
    policy: str, provider: ProviderAPI, account: AccountAPI | None, broadcast: bool | None, contract: str | None
) -> None:
    """Retire the policy with this ID."""
    with sentences():
        Escrow(provider, account, contract, broadcast).call("retirePolicy", parse_hash(policy, "policy"))
