"""An order's room: its log, files, read marks, and splits to agree on."""

from typing import Annotated, Any, Final

from pydantic import Field

from kameng_escrow.domain.seats import Seat
from kameng_escrow.domain.spoken_text import LONGEST_MESSAGE
from kameng_escrow.domain.states import State
from kameng_escrow.domain.transcript import EntryKind
from kameng_escrow.talk.file_types import ENDINGS
from kameng_escrow.talk.proposals import LONGEST, SHORTEST, ProposalStatus, VoidReason

from .common import Address, Amount, ChainSeconds, Hash, Hex, Model, View, Words, labelled
from .orders import ClosingView, TermsView

MOST_FILES: Final = 10  # of an entry

FileIds = Annotated[
    list[str], Field(max_length=MOST_FILES, description="Files that the caller has sent and not shown yet.")
]


class FileView(View):
    """A file in a room."""

    id: str
    name: str = Field(description="For people: one line, no path.")
    media_type: str = labelled(ENDINGS, "By what is in it.")
    size: int = Field(description="Bytes.")
    sha256: str = Field(pattern="^[0-9a-f]{64}$", description="Of its bytes.")
    sent_sha256: str = Field(description="Of what was sent, before it was cleared of what it should not carry.")
    width: int | None = Field(description="Pixels, of pictures.")
    height: int | None
    uploader: Address
    seat: Seat
    seq: int | None = Field(description="Of the entry that shows it.")
    url: str = Field(description="Where it is given out, as an attachment.")


class LineView(View):
    """What happened on the chain."""

    event: str
    label: Words
    block_number: int
    block_hash: Hash
    timestamp: ChainSeconds
    transaction_hash: Hash
    transaction_url: str | None
    log_index: int
    fields: dict[str, Any] | None = Field(description="As the contract emitted them; null: the chain has it no more.")
    retracted_by: int | None = Field(description="The entry that says that the chain has dropped it.")


class EntryView(View):
    """An entry of a room's log. `head` stands for it and all before it: keep one, and nothing can be changed unseen."""

    seq: int
    kind: str = labelled(EntryKind)
    author: Address | None = Field(description="Null: the chain's or the service's.")
    seat: Seat | None
    sent_ms: int = Field(description="Unix milliseconds of the service's clock.")
    content: Hash = Field(description="Of the body.")
    prev: Hash
    head: Hash
    body: dict[str, Any] | None = Field(description="What was said; null: erased.")
    files: list[FileView]
    line: LineView | None


class ReadMarkView(View):
    """How far somebody has read."""

    account: Address
    seq: int
    at_ms: int


class RoomView(View):
    """A part of a room's log."""

    order_id: Hash
    seats: list[Seat] = Field(description="Of the caller; the one that it speaks from first.")
    size: int = Field(description="Entries in all.")
    head: Hash = Field(description="Of the last entry.")
    entries: list[EntryView]
    marks: list[ReadMarkView]


class RoomSummaryView(View):
    """A room in a list."""

    order_id: Hash
    size: int
    last_ms: int
    unread: int


class RoomsView(View):
    """Rooms, the latest entry first."""

    rooms: list[RoomSummaryView]
    cursor: str | None


class NewMessage(Model):
    """Text, files, or both."""

    text: str = Field(default="", max_length=4 * LONGEST_MESSAGE)
    files: FileIds = Field(default=[])


class ReadUpTo(Model):
    """The last entry that was read."""

    seq: int = Field(ge=0, lt=2**31)


class DoneView(View):
    """It was done."""

    ok: bool = True


class NewProposal(Model):
    """A division of what is held: the price, or the sum in dispute."""

    to_buyer: Amount
    seconds: int = Field(default=LONGEST, ge=SHORTEST, le=LONGEST, description="That it lives, by the chain's clock.")


class SplitView(View):
    """What both parties sign (EIP-712 `Split`, but for the order's id)."""

    state: str = labelled([member.label for member in State])
    disputed_units: int
    revision: int
    to_buyer: Amount
    expiry: ChainSeconds


class ProposalView(View):
    """A proposal as it stands now."""

    id: str
    seq: int
    proposer: Address
    split: SplitView
    status: ProposalStatus
    void: VoidReason | None
    void_label: Words | None
    signed_by: list[Seat]
    closing: ClosingView | None = Field(description="What it pays to whom; null once it is paid or void.")
    typed_data: dict[str, Any] | None = Field(description="For eth_signTypedData_v4; null once it is paid or void.")


class ProposalsView(View):
    """A room's proposals, the newest first."""

    proposals: list[ProposalView]


class SplitSignature(Model):
    """A party's signature of a split."""

    signature: Hex = Field(description="65 bytes; of a contract: whatever it takes (ERC-1271).")


class AgreementView(View):
    """What `agree` takes: for /prepare with the move "agree", or /v1/relays."""

    terms: TermsView
    split: SplitView
    buyer_signature: str
    seller_signature: str
