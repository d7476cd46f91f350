"""ape run verify_source CONTRACT: shows that a contract on the chain is made of the sources here.

Compiles anew, compares with the package and with the code at the address, and writes the bundle that explorers take.
Nothing is handed to an explorer unless --submit says so.
"""

import os
from pathlib import Path

import click
from ape.api import ProviderAPI
from ape.cli import ConnectedProviderCommand, network_option

from kameng_escrow.chain.compiler import find_root
from kameng_escrow.chain.explorers import ETHERSCAN, SOURCIFY, submit_to_etherscan, submit_to_sourcify
from kameng_escrow.chain.parts import CORE, companions, core_address
from kameng_escrow.chain.source import verifying_source, write_bundle
from kameng_escrow.chain.steps import run
from kameng_escrow.domain.inputs import parse_address
from scripts._ape import connection_of, sentences

KEY = "ETHERSCAN_API_KEY"


@click.command(cls=ConnectedProviderCommand)
@click.argument("contract", default=CORE)
@network_option()
@click.option("--address", help="Where it is; left out, the address that it has on every chain.")
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(".build/verification"),
    help="Where to write the bundle; left out: .build/verification.",
)
@click.option("--submit", type=click.Choice(["sourcify", "etherscan"]), help="Hand it to this explorer.")
@click.option("--server", metavar="URL", help="Another server that speaks the explorer's interface.")
def cli(
    contract: str, provider: ProviderAPI, address: str | None, folder: Path, submit: str | None, server: str | None
) -> None:
    """Compare CONTRACT on the chain with its sources here."""
    key = os.environ.get(KEY, "")
    if submit == "etherscan" and not key:
        raise click.UsageError(f"Etherscan wants a key: set {KEY}.")
    if server and not submit:
        raise click.UsageError("--server goes with --submit.")
    with sentences():
        usual = {CORE: core_address(), **companions(core_address())}
        place = parse_address(address, "--address") if address else usual.get(contract, core_address())
        bundle = run(verifying_source(find_root(), contract, place), connection_of(provider))
        source, _ = write_bundle(bundle, folder)
        click.echo(f"{contract} at {place} is made of the sources here, by solc {bundle.compiler}.")
        click.echo(f"Its standard JSON input and what goes with it are in {source.parent}.")
        if submit == "sourcify":
            click.echo(f"Sourcify says: {submit_to_sourcify(bundle, server=server or SOURCIFY)}")
        elif submit == "etherscan":
            click.echo(f"Etherscan says: {submit_to_etherscan(bundle, key, server=server or ETHERSCAN)}")
