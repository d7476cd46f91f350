"""`--codes`, `--delivery` and what goes with them: where a command takes what the seller delivers."""

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..delivery.codes import LARGEST_FILE, read_codes
from ..delivery.parcels import Parcel, check_units, pack
from ..delivery.sealing import Delivery, seal
from ..domain.order import OrderTerms
from .command import both
from .delivery_papers import delivery_document, read_delivery
from .delivery_service import at_delivery_service, listing_at, store_at
from .documents import Place
from .files import read_bytes, read_json, require_writable, write_text
from .forms import parse_hash
from .problems import BadInput, FileUnusable
from .screen import to_json
from .session import Session
from .subject import Subject, check_place

if TYPE_CHECKING:
    from ..domain.listing import ListingDocument

CODES = Annotated[
    Path | None,
    typer.Option(
        "--codes",
        metavar="FILE",
        help=both("卡密文件：一行一个，或 CSV", "The codes: one a line, or CSV"),
    ),
]
COLUMN = Annotated[
    str,
    typer.Option(
        "--column",
        metavar="NAME|N",
        help=both(
            "多列时卡密所在的列；缺省把各列用 ---- 连起来",
            "Of several columns the one with the codes; else joined by ----",
        ),
    ),
]
TO = Annotated[
    str,
    typer.Option("--to", metavar="age1…", help=both("买家的交付公钥", "The buyer's delivery key")),
]
LISTING_FILE = Annotated[
    Path | None,
    typer.Option(
        "--listing-file",
        metavar="FILE",
        help=both(
            "商品文件：取其中买家的交付公钥和随机数", "The listing document, which names the buyer's key and its nonce"
        ),
    ),
]
ALSO_TO = Annotated[
    list[str] | None,
    typer.Option(
        "--also-to",
        metavar="age1…",
        help=both("还能打开的公钥，如自己的（可重复）", "Another key that may open it, such as your own (repeatable)"),
    ),
]
NOTE = Annotated[str, typer.Option("--note", help=both("给买家的兑换说明", "How to redeem them, for the buyer"))]
DELIVERY = Annotated[
    Path | None,
    typer.Option(
        "--delivery",
        metavar="FILE",
        help=both("已加密好的交付文件（kameng delivery pack）", "What `kameng delivery pack` sealed"),
    ),
]
SEALED = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        help=both(
            "与 --codes 同用：加密的交付文件，上链前写好",
            "With --codes: the sealed delivery, written before anything is sent",
        ),
    ),
]


def commitment_for(
    session: Session,
    subject: Subject,
    *,
    commitment: str,
    delivery: Path | None,
    codes: Path | None,
    output: Path | None,
    column: str,
    to: str,
    listing_file: Path | None,
    also_to: list[str] | None,
    note: str,
    service: str = "",
    allow_duplicates: bool = False,
) -> str:
    """What goes on the chain: a commitment as given, that of a sealed delivery, or that of codes, which are sealed and
    written to `output` first, and stored at the service where one is named.

    Raises:
        DeliveryError, FileUnusable, BadInput: there is nothing to commit to.
        PlatformError: the service did not store it.
    """
    if sum((bool(commitment), delivery is not None, codes is not None)) != 1:
        raise BadInput(
            "请用 --codes（卡密文件）、--delivery（已加密的交付文件）或 --commitment（承诺哈希）之一。",
            "Give one of --codes (the codes), --delivery (what is sealed already) and --commitment (a hash).",
        )
    if commitment:
        return parse_hash(commitment, "--commitment")
    if delivery is not None:
        sealed = delivery_for(session, subject, delivery)
        if service:
            with at_delivery_service(session, service) as place:
                store_at(place, sealed, (), allow_duplicates=allow_duplicates)
        return sealed.commitment
    if output is None and not service:
        raise BadInput(
            "请用 --output 指定加密后的文件：发货后买家要靠它取得卡密。",
            "Name with --output where the sealed delivery goes: the buyer gets the codes from it.",
        )
    if output is not None:
        require_writable(output)
    with ExitStack() as stack:
        there = stack.enter_context(at_delivery_service(session, service)) if service else None
        if there is not None and not to and listing_file is None:
            to = listing_at(there, subject).delivery_key
        parcel = parcel_of(subject, codes, column, note)
        sealed = sealed_for(subject, parcel, to, listing_file, also_to)
        if output is not None:
            deployment = session.deployment()
            where = Place(chain_id=deployment.chain_id, contract=deployment.address, order_id=subject.order_id)
            write_text(output, to_json(delivery_document(where, sealed)) + "\n")
        if there is not None:
            store_at(there, sealed, parcel.codes, allow_duplicates=allow_duplicates)
    return sealed.commitment


def packed(
    subject: Subject,
    codes: Path | None,
    column: str,
    to: str,
    listing_file: Path | None,
    also_to: list[str] | None,
    note: str,
) -> Delivery:
    """The codes of a file, sealed to the order's buyer. Raises `DeliveryError`, `FileUnusable`, `BadInput`."""
    return sealed_for(subject, parcel_of(subject, codes, column, note), to, listing_file, also_to)


def parcel_of(subject: Subject, codes: Path | None, column: str, note: str) -> Parcel:
    """The codes of a file, one for each unit of the order. Raises `CodesUnusable`, `FileUnusable`, `BadInput`."""
    if codes is None:
        raise BadInput("请用 --codes 指定卡密文件。", "Name the file of the codes with --codes.")
    found = read_codes(read_bytes(codes, largest=LARGEST_FILE), column=column or None)
    parcel = pack(subject.order_id, found, note=note)
    check_units(parcel.codes, subject.terms.units)
    return parcel


def sealed_for(
    subject: Subject, parcel: Parcel, to: str, listing_file: Path | None, also_to: list[str] | None
) -> Delivery:
    """A parcel, sealed to the order's buyer, whose key is given or in the listing document.

    Raises `DeliveryError`, `FileUnusable`, `ListingMismatch`, `BadInput`.
    """
    if listing_file is not None and not to:
        to = listing_of(listing_file, subject.terms).delivery_key
    elif listing_file is not None or not to:
        raise BadInput(
            "请用 --listing-file 给出商品文件，或用 --to 给出买家的交付公钥。",
            "Name the buyer's key: with --listing-file the listing document, or with --to the key itself.",
        )
    return seal(parcel, to, also_to=also_to or ())


def delivery_for(session: Session, subject: Subject, file: Path) -> Delivery:
    """A sealed delivery, once it is known to be of this order on this chain. Raises `FileUnusable`, `BadInput`."""
    place, delivery = read_delivery(file)
    check_place(session, place, None, file)
    if place.order_id != subject.order_id:
        raise FileUnusable(
            f"{file} 是给订单 {place.order_id} 的，不是 {subject.order_id}。",
            f"{file} is for order {place.order_id}, not {subject.order_id}.",
            path=str(file),
        )
    return delivery


def listing_of(path: Path, terms: OrderTerms) -> "ListingDocument":
    """The listing document that the order was made with. Raises `FileUnusable`, `ListingMismatch`, `Malformed`."""
    from ..domain.listing import ListingMismatch, parse_document

    document = parse_document(read_json(path))
    if document.hash() != terms.listing:
        raise ListingMismatch("listing", document.hash(), terms.listing)
    return document
