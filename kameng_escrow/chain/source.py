"""Shows that a contract on the chain is made of the sources in a checkout, and packs what explorers need to see it too.

Three things have to agree: what the sources compile to here, what the package ships, and the code at the address.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eth_abi.abi import encode

from kameng_escrow.errors import CompilationFailed

from . import rpc
from .adoption import creation
from .artifacts import load_artifact
from .compiler import compile_contracts, find_source, standard_input
from .deployments import verify_code
from .errors import BlockUnknown, InvalidInput
from .parts import CORE, companion_names
from .steps import Steps


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceBundle:
    """One contract at one address, and all that it takes to make its bytecode again."""

    chain_id: int
    address: str
    contract: str
    identifier: str  # "contracts/KamengEscrow.sol:KamengEscrow"
    compiler: str  # "0.8.37+commit.…"
    standard_input: dict[str, Any]  # of the compiler, with its exact settings
    constructor_arguments: str  # as encoded: hex without 0x; empty for none
    creation_transaction: str | None  # where the chain tells

    def to_json(self) -> str:
        """What goes with the standard input, as a file."""
        document = {
            "chainId": self.chain_id,
            "address": self.address,
            "contractIdentifier": self.identifier,
            "compilerVersion": self.compiler,
            "constructorArguments": self.constructor_arguments,
            "creationTransactionHash": self.creation_transaction,
        }
        return json.dumps(document, indent=2) + "\n"


def verifying_source(root: Path, contract: str, address: str) -> Steps[SourceBundle]:
    """Compiles a packaged contract anew from the checkout at `root`, and compares.

    Raises:
        InvalidInput: it is neither the escrow nor one of its companions.
        CompilerUnavailable, CompilationFailed: the sources can't be compiled, or make another contract than the package
            ships.
        NoDeployment: there is no contract at the address.
        CodeMismatch: there is another.
    """
    if contract not in (CORE, *companion_names()):
        known = ", ".join((CORE, *companion_names()))
        raise InvalidInput(
            f"{contract} is none of the contracts that are deployed for good: {known}.",
            f"{contract} 不是正式部署的合约：{known}。",
        )
    shipped = load_artifact(contract)
    [made] = compile_contracts(root, [contract])
    if (made.bytecode, made.deployed_bytecode) != (shipped.bytecode, shipped.deployed_bytecode):
        raise CompilationFailed(
            f"The sources in {root} make another {contract} than the package ships: check out the package's version."
        )
    yield from verify_code(address, made)
    arguments = b""
    if contract != CORE:
        escrow = yield from rpc.view(contract, address, "escrow")
        arguments = encode(["address"], [escrow])
    try:
        transaction = (yield from creation(address)).transaction
    except BlockUnknown:
        transaction = None  # explorers find it themselves
    return SourceBundle(
        chain_id=(yield from rpc.chain_id()),
        address=address,
        contract=contract,
        identifier=f"{find_source(root, contract)}:{contract}",
        compiler=made.compiler,
        standard_input=standard_input(root, contract),
        constructor_arguments=arguments.hex(),
        creation_transaction=transaction,
    )


def write_bundle(bundle: SourceBundle, folder: Path) -> tuple[Path, Path]:
    """Writes standard-input.json and verification.json into `folder`/<chain>-<address>; returns their paths.

    Raises:
        OSError: the folder can't be written.
    """
    place = folder / f"{bundle.chain_id}-{bundle.address}"
    place.mkdir(parents=True, exist_ok=True)
    source, facts = place / "standard-input.json", place / "verification.json"
    source.write_text(json.dumps(bundle.standard_input, indent=2, ensure_ascii=False) + "\n", "utf-8")
    facts.write_text(bundle.to_json(), "utf-8")
    return source, facts
