"""An account's reputation, from the mirror's store or straight from a node."""

import threading
from collections.abc import Callable

from kameng_escrow.domain.reputation import Yardstick
from kameng_escrow.mirror import ChainSource, Progress, Target, final_header, replayed
from kameng_escrow.store import ContractInfo, Store, contracts
from kameng_escrow.store.service.reputation import Reckoning, reputation_of

from .errors import BlockNotFinal, NothingFinal


def from_store(
    store: Store, contract: ContractInfo, account: str, yardstick: Yardstick, *, at_block: int | None = None
) -> Reckoning:
    """As the mirror knows it.

    Raises:
        NothingFinal: the mirror knows of no final block yet.
        BlockNotFinal: `at_block` is not final yet.
        StoreError: as `Store.reading`.
    """
    if at_block is not None and at_block > contract.marks.final:
        raise BlockNotFinal(at_block, contract.marks.final)
    with store.reading() as session:
        found = reputation_of(session, contract.id, account, yardstick, up_to=at_block)
    if found is None:
        raise NothingFinal
    return found


def from_chain(
    source: ChainSource,
    target: Target,
    account: str,
    yardstick: Yardstick,
    *,
    at_block: int | None = None,
    stop: threading.Event | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> Reckoning:
    """From nothing but a node's logs, all of them, checked and folded as a mirror does.

    Raises:
        NothingFinal: the chain has no final block with the contract yet.
        BlockNotFinal: `at_block` is not final yet.
        As `mirror.replayed`.
    """
    last = final_header(source)
    if last is None or last.number < target.first_block:
        raise NothingFinal
    if at_block is not None:
        if at_block > last.number:
            raise BlockNotFinal(at_block, last.number)
        last = source.header(at_block)
        if last is None or last.number < target.first_block:
            raise NothingFinal
    with replayed(source, target, last, stop=stop, progress=progress) as fresh:
        return from_store(fresh, contracts(fresh)[0], account, yardstick)
