"""ape run export_abi: writes the ABIs of the packaged contracts to files, for other languages and tools."""

import json
from pathlib import Path

import click

from kameng_escrow.chain.artifacts import artifact_names, load_artifact
from kameng_escrow.cli.files import write_text
from scripts._ape import sentences


@click.command()
@click.argument("contracts", nargs=-1)
@click.option(
    "--folder", type=click.Path(file_okay=False, path_type=Path), default=Path("abi"), help="Where to; left out: abi/."
)
def cli(contracts: tuple[str, ...], folder: Path) -> None:
    """Write the ABI of CONTRACTS, or of all of them, as <name>.json."""
    with sentences():
        found = [load_artifact(name) for name in contracts or artifact_names()]  # all of them, before one is written
        folder.mkdir(parents=True, exist_ok=True)
        for artifact in found:
            path = folder / f"{artifact.name}.json"
            write_text(path, json.dumps(artifact.abi, indent=2) + "\n")
            click.echo(f"wrote {path}")
