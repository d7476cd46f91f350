"""ape run deploy: puts the packaged contracts on a chain, at the same addresses on every chain.

On a public network it only says what it would do, until it is told to --broadcast.
"""

from pathlib import Path

import click
from ape.api import AccountAPI, ProviderAPI
from ape.cli import ConnectedProviderCommand, account_option, network_option

from kameng_escrow.chain.deploy import Plan, deploying, planning
from kameng_escrow.chain.deployments import default_folder
from kameng_escrow.chain.recording import deploy_recorded
from kameng_escrow.chain.sender import Sender
from kameng_escrow.chain.steps import run
from kameng_escrow.domain.inputs import parse_address
from scripts._ape import coins, connection_of, ends_with_us, is_public, sentences, signer_for

RECORDS = Path(__file__).resolve().parents[1] / "deployments"  # those of public chains, kept with the source


@click.command(cls=ConnectedProviderCommand)
@network_option()
@account_option(prompt=None)
@click.option("--broadcast/--dry-run", default=None, help="Really send; left out: on local networks only.")
@click.option("--escrow", metavar="ADDRESS", help="Only add what the escrow at this address lacks.")
@click.option("--records", type=click.Path(file_okay=False, path_type=Path), help="The folder of deployment records.")
def cli(
    provider: ProviderAPI,
    account: AccountAPI | None,
    broadcast: bool | None,
    escrow: str | None,
    records: Path | None,
) -> None:
    """Put the packaged contracts on a chain."""
    with sentences():
        public = is_public(provider)
        send = not public if broadcast is None else broadcast
        signer = signer_for(provider, account, send=send)
        folder = records or (RECORDS if public else default_folder())
        at = parse_address(escrow, "--escrow") if escrow else None
        connection = connection_of(provider)
        plan = run(planning(signer and signer.address, escrow=at), connection)
        tell(plan, provider.network.name)
        if not send or signer is None:
            if plan.missing:
                click.echo("Nothing was sent: this was a dry run. Send with --broadcast --account ALIAS.")
            return
        sender = Sender(signer, chain_id=plan.chain_id)
        if ends_with_us(provider):  # a record of a chain that is gone would only confuse
            record = run(deploying(sender, escrow=at), connection)
            click.echo(f"The escrow is at {record.address}, on a chain that ends with this command.")
        else:
            record, path = run(deploy_recorded(sender, folder, escrow=at), connection)
            click.echo(f"The escrow is at {record.address} since block {record.block}; recorded in {path}.")


def tell(plan: Plan, network: str) -> None:
    """What would be done, and what it would cost."""
    click.echo(f"Network {network}, chain {plan.chain_id}:")
    for part in plan.parts:
        said = "is there" if part.is_there else f"to be deployed, {part.gas:,} gas"
        click.echo(f"  {part.contract:<18} {part.address}  {said}")
    if plan.missing:
        if plan.lacks_proxy:
            click.echo("  The chain lacks the deployment proxy: it is put there first, for 0.01 of the chain's coin.")
        click.echo(
            f"  {plan.gas:,} gas: {coins(plan.cost)} of the chain's coin at {plan.gas_price:,} wei a unit, "
            f"{coins(plan.cost_at_most)} at most (rollups charge for data beside it)."
        )
    if not plan.is_affordable:
        click.echo(f"  The account has {coins(plan.balance or 0)}, which is not enough.")
