"""The one storage slot of an order, as ``libraries/OrderSlot.sol`` lays it out, for whoever has no lens at hand."""

from dataclasses import dataclass

from kameng_escrow.domain.states import Fault, Outcome, State


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderSlot:
    """What the chain keeps of one order, as far as we need it."""

    state: State
    deadline: int  # Unix seconds; once closed: when it closed; before the opening: zero
    revision: int
    disputed_units: int
    dispute_bond_bps: int  # of its policy; zero unless open
    outcome: Outcome
    fault: Fault


def decode_slot(slot: int) -> OrderSlot:
    """Decodes what `slotOf` returns. Raises `ValueError` for a number that no escrow keeps."""
    state = State(slot >> 248)
    closed = state is State.Closed
    return OrderSlot(
        state=state,
        deadline=(slot >> 208) & 0xFF_FFFF_FFFF,
        revision=(slot >> 184) & 0xFF_FFFF,
        disputed_units=(slot >> 168) & 0xFFFF,
        dispute_bond_bps=(slot >> 27) & 0x1FFF if state.is_open else 0,
        outcome=Outcome(slot & 0xFF) if closed else Outcome.Nothing,
        fault=Fault((slot >> 8) & 0xFF) if closed else Fault.Nobody,
    )
