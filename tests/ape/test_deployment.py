"""ape compiles the contracts and deploys the shipped core. `ape test` runs this; plain pytest leaves it out."""

import pytest
from ape.api import AccountAPI
from ape.contracts import ContractContainer, ContractInstance
from ape.managers.accounts import TestAccountManager
from ape.managers.project import LocalProject
from ethpm_types import ContractType

from kameng_escrow.chain.artifacts import load_artifact

ORDER = b"\x01" * 32  # an id that nobody has opened
STATE_NONE = 0


@pytest.fixture
def deployer(accounts: TestAccountManager) -> AccountAPI:
    return accounts[0]


@pytest.fixture
def escrow(deployer: AccountAPI) -> ContractInstance:
    """Deployed from the artifact, as users do: ape cannot be told the optimizer's steps that make the core small."""
    artifact = load_artifact("KamengEscrow")
    shipped = ContractType.model_validate(
        {
            "contractName": artifact.name,
            "abi": artifact.abi,
            "deploymentBytecode": {"bytecode": artifact.bytecode},
        }
    )
    return deployer.deploy(ContractContainer(shipped))


def test_escrow_knows_no_order_at_first(escrow: ContractInstance) -> None:
    assert escrow.slotOf(ORDER) == 0
    assert escrow.address in escrow.eip712Domain()  # is told apart from every other deployment


def test_lens_answers_for_the_escrow(deployer: AccountAPI, escrow: ContractInstance, project: LocalProject) -> None:
    lens = deployer.deploy(project.KamengLens, escrow)
    assert lens.escrow() == escrow.address
    [status] = lens.stateOf([ORDER])
    assert status.state == STATE_NONE
