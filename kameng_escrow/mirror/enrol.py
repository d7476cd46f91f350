"""The first words between node and store: is this the chain, is this the contract, does the store know them?"""

from dataclasses import dataclass, replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from kameng_escrow.chain.errors import NoDeployment, WrongChain
from kameng_escrow.store import Store, WrongStore
from kameng_escrow.store.engine import take_turn
from kameng_escrow.store.models import BlockRow, ChainRow, CheckpointRow, ContractRow

from .errors import NodeBehind, NodeInconsistent
from .source import ChainSource, Header


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """The contract to mirror."""

    chain_id: int
    address: str  # checksummed
    first_block: int  # of its deployment; at least 1
    genesis: str | None  # hash of the chain's first block; None where it is not known beforehand


def check_node(source: ChainSource, target: Target) -> str:
    """Makes sure that the node serves the target's chain with the contract on it; returns the first block's hash.

    Raises:
        WrongChain: another chain id, or another first block.
        NoDeployment: there is no contract at the address.
        NodeBehind: the node has not come to the contract's deployment yet.
    """
    chain_id = source.chain_id()
    if chain_id != target.chain_id:
        raise WrongChain(target.chain_id, chain_id)
    genesis = _header(source, 0).hash
    if target.genesis is not None and genesis != target.genesis:
        raise WrongChain(target.genesis, genesis)
    head = source.header("latest")
    if head is not None and head.number < target.first_block and source.is_syncing():
        raise NodeBehind(head.number, target.first_block)
    if not source.has_code(target.address):
        raise NoDeployment(f"There is no contract at {target.address} on chain {target.chain_id}: check the address.")
    return genesis


def enrol(store: Store, source: ChainSource, target: Target) -> tuple[int, Target]:
    """Checks the node and brings the store's schema up to date; returns the contract's id in the store, and the target
    with the chain's first block.

    Raises:
        WrongStore: the store holds another chain with the target's chain id.
        StoreError: the store can't be used.
        As `check_node`.
    """
    genesis = check_node(source, target)
    before = _header(source, target.first_block - 1)
    store.migrate()
    with store.writing() as session:
        take_turn(session.connection())
        known = session.get(ChainRow, target.chain_id)
        if known is None:
            session.add(ChainRow(chain_id=target.chain_id, genesis_hash=genesis))
            session.flush()
        elif known.genesis_hash != genesis:
            raise WrongStore(
                f"The store at {store.where} holds another chain with the id {target.chain_id}: its first block is "
                f"{known.genesis_hash}, the node's is {genesis}. Use another store, or move this one away."
            )
        found = session.scalar(select(ContractRow.id).filter_by(chain_id=target.chain_id, address=target.address))
        contract_id = _first_rows(session, target, before) if found is None else found
    return contract_id, replace(target, genesis=genesis)


def _first_rows(session: Session, target: Target, before: Header) -> int:
    """The mirror begins just below the contract's first block, so that even that one can be taken back."""
    contract = ContractRow(chain_id=target.chain_id, address=target.address, first_block=target.first_block)
    session.add(contract)
    session.flush()
    session.add(
        BlockRow(
            contract_id=contract.id,
            number=before.number,
            hash=before.hash,
            parent_hash=before.parent_hash,
            timestamp=before.timestamp,
            has_events=False,
        )
    )
    session.add(
        CheckpointRow(
            contract_id=contract.id,
            seen_number=before.number,
            seen_hash=before.hash,
            seen_at=before.timestamp,
            final_number=0,
        )
    )
    return contract.id


def _header(source: ChainSource, number: int) -> Header:
    header = source.header(number)
    if header is None:
        raise NodeInconsistent(f"The node has no block {number}, though its chain is longer.")
    return header
