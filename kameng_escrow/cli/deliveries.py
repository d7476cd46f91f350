"""`kameng delivery …`: codes, sealed by the seller, opened by the buyer, shown to the mediator."""

from pathlib import Path
from typing import Annotated, Any

import typer

from ..delivery.errors import DeliveryError
from ..delivery.keys import DeliverySecret, new_nonce, recipient_of
from ..delivery.sealing import decrypt
from .command import CHAIN, KEY, STORE, both, command
from .delivery_papers import (
    OrderKey,
    delivery_document,
    disclosure_document,
    order_key_document,
    read_delivery,
    read_disclosed,
)
from .delivery_service import at_delivery_service, fetch_from, listing_at
from .documents import Place
from .files import require_writable, write_text
from .forms import parse_hash
from .order_papers import FILE, OUTPUT, place_of, write_document
from .order_verbs import ORDER
from .packing import ALSO_TO, CODES, COLUMN, LISTING_FILE, NOTE, TO, listing_of, packed
from .problems import CHECK_FAILED, BadInput, FileUnusable
from .screen import Answer
from .session import Session
from .subject import Subject, check_place, find_order

OPENING = (*KEY, "delivery_key_file")
NONCE = Annotated[
    str,
    typer.Option(
        "--nonce",
        metavar="HASH",
        help=both("本单的随机数，在商品文件里", "The order's nonce, which is in its listing document"),
    ),
]


def register(app: typer.Typer) -> None:
    """Adds the commands to `kameng delivery`."""
    command(
        app,
        "key",
        zh="新建一把交付密钥（不能派生密钥的钱包用）",
        en="Make a delivery key, for wallets that can't derive one",
        uses=("passphrase_file",),
    )(key)
    command(
        app,
        "recipient",
        zh="买家：给一笔新订单生成随机数和交付公钥",
        en="Buyer: a nonce and a delivery key for a new order",
        uses=OPENING,
    )(recipient)
    command(
        app,
        "pack",
        zh="卖家：把卡密加密给买家，算出承诺哈希（不上链）",
        en="Seller: seal the codes to the buyer, without delivering",
        uses=CHAIN + STORE,
    )(pack)
    command(
        app,
        "fetch",
        zh="买家：从平台服务取来加密的交付内容（最终确认后才给）",
        en="Buyer: get the sealed delivery from the platform's service, once it is final",
        uses=CHAIN + STORE,
    )(fetch)
    command(
        app,
        "open",
        zh="买家：解开卡密，并与链上的承诺核对",
        en="Buyer: open the codes, and check them against the chain",
        uses=(*CHAIN, *STORE, "delivery_key_file"),
    )(open_)
    command(
        app,
        "disclose",
        zh="把某一张（或整份的钥匙）披露给仲裁员",
        en="Show a mediator one unit, or the key of them all",
        uses=(*CHAIN, *STORE, "delivery_key_file"),
    )(disclose)
    command(
        app,
        "check",
        zh="仲裁员：核对披露的内容与链上承诺是否相符",
        en="Mediator: check what was disclosed against the chain",
        uses=CHAIN + STORE,
    )(check)


# ------------------------------------------------------------------------------------------------------------ the buyer


def key(
    session: Session,
    output: Annotated[Path, typer.Option("--output", "-o", help=both("写到这个新文件", "Write to this new file"))],
) -> Answer:
    if output.exists():
        raise FileUnusable(
            f"{output} 已存在：覆盖它就再也打不开以前的交付内容。",
            f"{output} exists: whoever overwrites it can't open what came before.",
            path=str(output),
        )
    require_writable(output)
    wrapped = DeliverySecret.random().wrap(session.passphrase())
    write_text(output, wrapped, private=True)
    screen = session.screen
    return Answer(
        {"file": str(output)},
        [
            screen.say(f"✓ 交付密钥已写入 {output}", f"✓ Delivery key written to {output}"),
            screen.say(
                "  文件和口令缺一不可，丢了谁也打不开您的卡密：请另存一份。",
                "  Both the file and its passphrase are needed, and nobody can help without: keep a copy.",
            ),
        ],
    )


def recipient(session: Session, nonce: NONCE = "") -> Answer:
    chosen = parse_hash(nonce, "--nonce") if nonce else new_nonce()
    public = recipient_of(identity_of(session, chosen))
    screen = session.screen
    return Answer(
        {"nonce": chosen, "delivery_key": public},
        [
            screen.say("交付公钥 ", "Delivery key ") + public,
            screen.say("随机数   ", "Nonce        ") + chosen,
            screen.say(
                "  两者都写进商品文件；凭随机数能再算出本单的密钥。",
                "  Both belong in the listing document; the nonce finds this order's key again.",
            ),
        ],
    )


def fetch(
    session: Session,
    order: ORDER,
    service: Annotated[
        str, typer.Option("--service", metavar="URL", help=both("平台服务的地址（https）", "The service's URL (https)"))
    ],
    listing_output: Annotated[
        Path | None,
        typer.Option(
            "--listing-output", metavar="FILE", help=both("商品文件写到这里", "Where the listing document goes")
        ),
    ] = None,
    output: OUTPUT = None,
) -> Answer:
    subject = find_order(session, order)
    for path in (output, listing_output):
        if path is not None:
            require_writable(path)
    with at_delivery_service(session, service) as place:
        delivery = fetch_from(place, subject.order_id)
        if listing_output is not None:
            write_text(listing_output, listing_at(place, subject).canonical().decode("utf-8"))
    line = session.screen.say("✓ 已取来，用 kameng delivery open 打开", "✓ Here it is: `kameng delivery open` opens it")
    document = delivery_document(place_of(session, subject.order_id), delivery)
    return write_document(session, document, output, [line])


def open_(
    session: Session,
    file: FILE,
    nonce: NONCE = "",
    listing_file: LISTING_FILE = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help=both(
                "卡密写到这个文件（权限 0600），一行一个", "Write the codes to this file (mode 0600), one a line"
            ),
        ),
    ] = None,
) -> Answer:
    place, delivery = read_delivery(file)
    subject = subject_of(session, place, file)
    identity = identity_of(session, nonce_of(subject, nonce, listing_file))
    parcel = session.client().open_delivery(subject.terms, delivery, identity)
    screen = session.screen
    if output is not None:
        write_text(output, "".join(f"{code}\n" for code in parcel.codes), private=True)
    data = {
        "order_id": subject.order_id,
        "commitment": delivery.commitment,
        "codes": list(parcel.codes),
        "note": parcel.note,
    }
    lines = [
        screen.say(
            f"✓ {len(parcel.codes)} 个卡密，与链上承诺一致",
            f"✓ {len(parcel.codes)} codes, as committed to on the chain",
        ),
        *([] if output is not None else [f"  {unit}. {code}" for unit, code in enumerate(parcel.codes, 1)]),
        *([screen.say("  说明：", "  Note: ") + parcel.note] if parcel.note else []),
        *([screen.say(f"  已写入 {output}", f"  written to {output}")] if output is not None else []),
    ]
    return Answer(data, lines)


def disclose(
    session: Session,
    file: FILE,
    unit: Annotated[
        int, typer.Option("--unit", help=both("披露第几张（从 1 数）", "Which unit to show, counted from 1"))
    ] = 0,
    whole: Annotated[
        bool,
        typer.Option(
            "--whole",
            help=both("披露本单的密钥：仲裁员能看到全部", "Show the order's key: the mediator sees every unit"),
        ),
    ] = False,
    nonce: NONCE = "",
    listing_file: LISTING_FILE = None,
    output: OUTPUT = None,
) -> Answer:
    if (unit > 0) == whole:
        raise BadInput(
            "请用 --unit 指定一张，或用 --whole 披露整份。", "Name one unit with --unit, or show all with --whole."
        )
    place, delivery = read_delivery(file)
    subject = subject_of(session, place, file)
    identity = identity_of(session, nonce_of(subject, nonce, listing_file))
    screen = session.screen
    if whole:
        recipient_of(identity)
        document = order_key_document(place, OrderKey(identity=identity))
        line = screen.say(
            "✓ 拿到它的人能看到本单全部卡密，看不到别的订单",
            "✓ Whoever gets this reads all codes of this order, and of no other",
        )
        return write_document(session, document, output, [line])
    parcel = decrypt(delivery.payload, identity)
    shown = parcel.disclose(unit, delivery.payload_hash)
    session.client().check_disclosure(subject.terms, shown)
    line = screen.say(
        f"✓ 第 {unit} 张，与链上承诺一致；别的各张不会泄露", f"✓ Unit {unit}, as committed to; the others stay unknown"
    )
    return write_document(session, disclosure_document(place, shown), output, [line])


# --------------------------------------------------------------------------------------------------------- the mediator


def check(
    session: Session,
    file: FILE,
    delivery_file: Annotated[
        Path | None,
        typer.Option(
            "--delivery",
            metavar="FILE",
            help=both("加密的交付文件：核对整份披露时要用", "The sealed delivery, to check the key of a whole one"),
        ),
    ] = None,
    listing_file: LISTING_FILE = None,
) -> Answer:
    place, disclosed = read_disclosed(file)
    subject = subject_of(session, place, file)
    if isinstance(disclosed, OrderKey):
        return _check_whole(session, subject, disclosed, delivery_file, listing_file)
    current = session.client().check_disclosure(subject.terms, disclosed)
    screen = session.screen
    verdict = screen.say(
        f"✓ 第 {disclosed.unit} 张确是链上承诺的：{disclosed.code}",
        f"✓ Unit {disclosed.unit} is what was committed to: {disclosed.code}",
    )
    stale = screen.say("  ! 属于已被补发替换的交付", "  ! It is of a delivery that was replaced")
    caution = screen.say(
        "  只证明卖家交付的是它，不证明它能用、何时被用掉。",
        "  This proves that the seller delivered it, and not that it works or when it was used.",
    )
    data = {
        "order_id": subject.order_id,
        "unit": disclosed.unit,
        "code": disclosed.code,
        "matches": True,
        "current": current,
    }
    return Answer(data, [verdict, *([] if current else [stale]), caution])


def _check_whole(
    session: Session, subject: Subject, disclosed: OrderKey, delivery_file: Path | None, listing_file: Path | None
) -> Answer:
    """Whether the payload on record opens with the key that the order names, and what is in it."""
    if delivery_file is None or listing_file is None:
        raise BadInput(
            "核对整份披露还需要交付文件（--delivery）和商品文件（--listing-file）：后者写明密钥该是哪一把。",
            "To check a whole delivery, name it with --delivery, and what says which key was agreed with "
            "--listing-file.",
        )
    place, delivery = read_delivery(delivery_file)
    subject_of(session, place, delivery_file)
    if place.order_id != subject.order_id:
        raise FileUnusable(
            f"{delivery_file} 是订单 {place.order_id} 的，不是 {subject.order_id} 的。",
            f"{delivery_file} is of order {place.order_id}, not of {subject.order_id}.",
            path=str(delivery_file),
        )
    agreed = listing_of(listing_file, subject.terms).delivery_key
    if recipient_of(disclosed.identity) != agreed:
        raise BadInput(
            "披露的密钥不是商品文件里约定的那一把：它什么也不证明。",
            "The key that was disclosed is not the one that the listing names: it proves nothing.",
        )
    screen = session.screen
    data: dict[str, Any] = {"order_id": subject.order_id, "delivery_key": agreed}
    try:
        parcel = session.client().open_delivery(subject.terms, delivery, disclosed.identity)
    except DeliveryError as error:
        if error.code not in ("payload_unreadable", "delivery_false"):
            raise
        from ..chinese import chinese

        lines = [
            screen.say("✗ 交付内容不是订单所要的：", "✗ What was delivered is not what was ordered:"),
            "  " + screen.say(chinese(error), error.message),
        ]
        return Answer({**data, "matches": False, "reason": error.code}, lines, exit_code=CHECK_FAILED)
    shown = [f"  {unit}. {code}" for unit, code in enumerate(parcel.codes, 1)]
    verdict = screen.say(
        f"✓ {len(parcel.codes)} 个卡密，与链上承诺一致", f"✓ {len(parcel.codes)} codes, as committed to on the chain"
    )
    return Answer({**data, "matches": True, "codes": list(parcel.codes), "note": parcel.note}, [verdict, *shown])


# ----------------------------------------------------------------------------------------------------------- the seller


def pack(
    session: Session,
    order: ORDER,
    codes: CODES = None,
    column: COLUMN = "",
    to: TO = "",
    listing_file: LISTING_FILE = None,
    also_to: ALSO_TO = None,
    note: NOTE = "",
    output: OUTPUT = None,
) -> Answer:
    subject = find_order(session, order)
    delivery = packed(subject, codes, column, to, listing_file, also_to, note)
    document = delivery_document(place_of(session, subject.order_id), delivery)
    screen = session.screen
    lines = [
        screen.say(f"✓ {subject.terms.units} 个卡密已加密给买家", f"✓ {subject.terms.units} codes sealed to the buyer"),
        screen.say("  承诺 ", "  Commitment ") + delivery.commitment,
        screen.say(
            "  先把文件交给买家或平台保管，再用 kameng order deliver --delivery 上链。",
            "  Hand the file to the buyer or platform first, then `kameng order deliver --delivery`.",
        ),
    ]
    return write_document(session, document, output, lines)


# -------------------------------------------------------------------------------------------------------------- helpers


def subject_of(session: Session, place: Place, file: Path) -> Subject:
    """The order that a file is about, from mirror or chain. Raises `FileUnusable`, `OrderUnknown`."""
    check_place(session, place, None, file)
    return find_order(session, place.order_id)


def nonce_of(subject: Subject, nonce: str, listing_file: Path | None) -> str | None:
    """The order's nonce as given or as its listing document says; None: neither. Raises `BadInput`, `FileUnusable`."""
    if nonce and listing_file is not None:
        raise BadInput("--nonce 和 --listing-file 只能用一个。", "Give --nonce or --listing-file, not both.")
    if nonce:
        return parse_hash(nonce, "--nonce")
    return None if listing_file is None else listing_of(listing_file, subject.terms).nonce


def identity_of(session: Session, nonce: str | None) -> str:
    """The order's key. Raises `BadInput`, `DeliveryError`, and as `bootstrap.delivery_key`."""
    found = session.delivery_key()
    if isinstance(found, str):
        return found
    if nonce is None:
        raise BadInput(
            "请给出本单的随机数：--nonce，或商品文件 --listing-file。每单的密钥由它算出。",
            "Give the order's nonce, of which its key is made: --nonce, or its listing document with --listing-file.",
        )
    return found.identity(nonce)
