"""ape run register_policy FILE: registers a policy, for ever and unchangeable, as the account's platform.

On a public network it only says whether the contract would take it, until it is told to --broadcast.
"""

from pathlib import Path

import click
from ape.api import AccountAPI, ProviderAPI
from ape.cli import ConnectedProviderCommand, account_option, network_option

from kameng_escrow.chain import rpc
from kameng_escrow.chain.steps import run
from kameng_escrow.cli.forms import parse_time
from kameng_escrow.cli.policies import read_policy
from kameng_escrow.domain.policy import validate_policy
from kameng_escrow.domain.policy_check import check_policy
from kameng_escrow.domain.typed_data import policy_id
from scripts._ape import sentences
from scripts._policies import Escrow


@click.command(cls=ConnectedProviderCommand)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@network_option()
@account_option(prompt=None)
@click.option("--broadcast/--dry-run", default=None, help="Really send; left out: on local networks only.")
@click.option("--contract", metavar="ADDRESS", help="The escrow; left out, the one at the address of every chain.")
@click.option("--review-by", default="180d", metavar="TIME", help="When the next review is due: 180d, or a time.")
@click.option("--price", default=10_000, metavar="FEN", help="What a typical order costs, in hundredths of a yuan.")
def cli(
    file: Path,
    provider: ProviderAPI,
    account: AccountAPI | None,
    broadcast: bool | None,
    contract: str | None,
    review_by: str,
    price: int,
) -> None:
    """Register the policy in FILE, as `kameng policy draft` writes it."""
    with sentences():
        escrow = Escrow(provider, account, contract, broadcast)
        policy = read_policy(file, escrow.signer.address)
        now = run(rpc.block("latest"), escrow.connection).timestamp
        until = parse_time(review_by, now, "复审期限", "The review date")
        validate_policy(policy, escrow.address, now, until)
        click.echo(f"Policy {policy_id(policy)} of {policy.platform}, escrow {escrow.address}")
        for warning in check_policy(policy, price):
            click.echo(f"  {warning.severity.name}: {warning.message}")
        escrow.call("registerPolicy", policy, until)
