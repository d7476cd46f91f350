"""`kameng buyer …`: for buyers without a wallet. A key in a file; what it signs goes to a platform's service.

With `--service` it is sent there; without, it is written down as the service takes it, for whoever brings it there.
"""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from ..domain.states import Role, State, Verb
from ..domain.walletless import WEAKER, check_refund_to, refund_to_warning
from .command import CHAIN, STORE, both, command
from .deposits import OFFER
from .documents import read_offer, read_terms, terms_data
from .files import require_writable, write_text
from .forms import clock, parse_hash, parse_time
from .order_papers import EXPIRES, OUTPUT, write_document
from .order_verbs import ORDER, ZERO_HASH
from .platform_service import at_service
from .problems import REFUSED, BadInput, FileUnusable
from .screen import Answer, to_json
from .session import Session
from .subject import check_place, find_order

if TYPE_CHECKING:
    from ..platform import PlatformClient
    from ..platform.types import NewDeposit, RelayView

SERVICE = Annotated[
    str,
    typer.Option(
        "--service",
        metavar="URL",
        help=both("平台服务的地址（https）：直接交给它", "The platform's service (https): hand it over there"),
    ),
]
_STATEMENT = "Sign in to buy. This sends no transaction and moves no money."
_LARGEST = 1024 * 1024  # bytes of an answer
_LOOK = 1.0  # seconds between looks at a relay
_ON_CHAIN = {"Mined", "Done"}

BUYERS = tuple(verb for verb in Verb if verb in (Verb.Confirm, Verb.Cancel, Verb.Dispute, Verb.Concede, Verb.Revise))


def register(app: typer.Typer) -> None:
    """Adds the commands to `kameng buyer`."""
    command(
        app,
        "new",
        zh="新建一把买家密钥，用口令包在文件里",
        en="Make a buyer's key, wrapped with a passphrase in a file",
        uses=("passphrase_file",),
    )(new)
    command(
        app,
        "deposit",
        zh="用收款地址付款：检查退款地址，在平台登记（--service），或写出登记内容",
        en="Pay by a transfer: check where refunds go, and register it at the platform (--service), or write what to",
        uses=CHAIN + STORE,
    )(deposit)
    command(
        app,
        "act",
        zh="签一个动作，交给平台上链（--service），或写出要交的内容",
        en="Sign an action, and have the platform bring it to the chain (--service), or write what it takes",
        uses=CHAIN + STORE,
    )(act)


def new(
    session: Session,
    file: Annotated[Path, typer.Argument(metavar="FILE", help=both("写到哪个文件", "The file to write"))],
) -> Answer:
    from ..delivery.backup import make_backup, new_key

    if file.exists():
        raise FileUnusable(f"{file} 已经存在：换个名字。", f"{file} is there already: choose another.", path=str(file))
    require_writable(file)
    account = new_key()
    write_text(file, make_backup(account, session.passphrase()) + "\n", private=True)
    screen = session.screen
    lines = [
        screen.say(f"✓ 买家地址 {account.address}，密钥在 {file}", f"✓ Buyer {account.address}, key in {file}"),
        screen.say("  把文件另存一份，口令记牢。要知道：", "  Keep a copy of the file, and the passphrase. Know that:"),
        *(f"  · {screen.say(label.zh, label.en)}" for label in WEAKER),
    ]
    data = {
        "address": account.address,
        "file": str(file),
        "warnings": [{"zh": label.zh, "en": label.en} for label in WEAKER],
    }
    return Answer(data, lines)


def deposit(
    session: Session,
    terms: Annotated[Path, typer.Argument(metavar="FILE", help=both("条款文件", "The terms file"))],
    offer: OFFER = None,
    sign: Annotated[
        bool,
        typer.Option(
            "--sign",
            help=both("买家签条款：没有报价也能下单", "The buyer signs the terms: they open without an offer, too"),
        ),
    ] = False,
    service: SERVICE = "",
    output: OUTPUT = None,
) -> Answer:
    if output is not None:
        require_writable(output)
    client = session.acting() if sign else session.client()
    place, wanted = read_terms(terms)
    check_place(session, place, wanted, terms)
    check_refund_to(wanted, {session.deployment().address, *session.deployment().periphery.values()})
    address = client.deposit_address(wanted)
    body: dict[str, Any] = {"terms": terms_data(wanted)}
    if offer is not None:
        promised, promise = read_offer(offer)
        check_place(session, promised, wanted, offer)
        body["offer"] = {
            "expiry": promise.expiry,
            "operator": promise.operator,
            "signature": "0x" + promise.signature.hex(),
        }
    if sign:
        if client.address != wanted.buyer:
            raise BadInput(
                f"{client.address} 不是这份条款的买家：它的签名没有用。",
                f"{client.address} is not the buyer of these terms: its signature would count for nothing.",
            )
        body["buyer_signature"] = "0x" + client.sign_terms(wanted).hex()
    if len(body) == 1:
        raise BadInput(
            "没有报价（--offer）也没有买家签名（--sign）：付了款也打不开订单。",
            "Neither an offer (--offer) nor the buyer's signature (--sign): nothing would open the order once paid.",
        )
    screen, currency = session.screen, session.currency(wanted.token)
    warning = refund_to_warning(wanted)
    lines = [
        screen.say("  收款地址 ", "  Pay to ") + address,
        screen.say(f"  应付 {currency.show(wanted.price)}，最迟 ", f"  {currency.show(wanted.price)}, until ")
        + clock(wanted.open_by, client.now()),
        "  ! " + screen.say(warning.zh, warning.en),
    ]
    if service:
        with at_service(session, service, _STATEMENT, largest=_LARGEST) as there:
            found = there.create_deposit(cast("NewDeposit", body))
        _check_same(there, found.get("address"), address)
        lines.append(screen.say("✓ 已登记，现在可以付款", "✓ Registered: pay now"))
        return _handed_over(session, body, {**found}, output, lines)
    lines.append(
        screen.say("  先登记，再付款：POST /v1/deposits", "  Register first, then pay: POST /v1/deposits"),
    )
    return write_document(session, body, output, lines)


def act(
    session: Session,
    verb: Annotated[
        str,
        typer.Argument(
            metavar="VERB", help=both("动作：confirm、cancel、dispute 等", "What to do: confirm, cancel, dispute, …")
        ),
    ],
    order: ORDER,
    units: Annotated[int, typer.Option("--units", help=both("dispute：有争议的数量", "dispute: units in dispute"))] = 0,
    evidence: Annotated[
        str, typer.Option("--evidence", metavar="HASH", help=both("dispute：证据的哈希", "dispute: a hash"))
    ] = ZERO_HASH,
    expected: Annotated[
        str,
        typer.Option(
            "--expected", metavar="STATE", help=both("认为订单处于的状态", "The state that the order is taken to be in")
        ),
    ] = "",
    expires: EXPIRES = "1h",
    service: SERVICE = "",
    wait: Annotated[
        int,
        typer.Option(
            "--wait",
            min=0,
            max=86_400,
            metavar="SECONDS",
            help=both("--service：等它上链，最多几秒", "--service: how long to wait until it is on the chain"),
        ),
    ] = 60,
    output: OUTPUT = None,
) -> Answer:
    if output is not None:
        require_writable(output)
    named = next((one for one in BUYERS if one.label.lower() == verb.lower()), None)
    if named is None:
        listed = ", ".join(one.label.lower() for one in BUYERS)
        raise BadInput(f"买家没有 {verb!r} 这个动作；可签的有 {listed}。", f"A buyer signs {listed}, not {verb!r}.")
    client = session.acting()
    subject = find_order(session, order)
    until = parse_time(expires, client.now(), "有效期", "The expiry")
    action = client.action(
        subject.terms,
        verb=named,
        role=Role.Buyer,
        expected=_state(expected) if expected else None,
        number=units if named is Verb.Dispute else None,
        content=parse_hash(evidence, "--evidence"),
        expiry=until,
    )
    signature = client.sign_action(subject.terms, action)
    body = {
        "kind": "Action",
        "order_id": subject.order_id,
        "action": {
            "verb": action.verb.label,
            "state": action.state.label,
            "role": action.role.label,
            "signer": action.signer,
            "number": str(action.number),
            "content": action.content,
            "expiry": action.expiry,
        },
        "signature": "0x" + signature.hex(),
    }
    if service:
        with at_service(session, service, _STATEMENT, largest=_LARGEST) as place:
            relay = _followed(place, _checked(place, place.create_relay(body), subject.order_id), wait)
        return _handed_over(session, body, {**relay}, output, [_told(session, named, relay)], _code_of(relay))
    line = session.screen.say(
        f"✓ 已签 {named.label}，{clock(until, client.now())} 前有效；交给平台：POST /v1/relays",
        f"✓ {named.label} signed, good until {clock(until, client.now())}; hand it to the platform: POST /v1/relays",
    )
    return write_document(session, body, output, [line])


def _followed(place: "PlatformClient", relay: "RelayView", wait: int) -> "RelayView":
    """The relay as it is once it is on the chain, or has ended, or `wait` seconds are over."""
    until = time.monotonic() + wait
    while not (relay["ended"] or relay["stage"] in _ON_CHAIN) and time.monotonic() < until:
        time.sleep(_LOOK)
        relay = _checked(place, place.read_relay(relay["id"]), relay["order_id"])
    return relay


def _checked(place: "PlatformClient", told: "RelayView", order_id: str) -> "RelayView":
    """Raises `ServiceNonsense` for what is no relay of the order."""
    found: Mapping[str, Any] = told
    reason = found.get("reason")
    plain = all(isinstance(found.get(name), str) for name in ("id", "stage")) and "ended" in found
    _check_same(place, (found.get("order_id"), plain), (order_id, True))
    _check_same(place, reason is None or (isinstance(reason, dict) and {"zh", "en"} <= reason.keys()), True)
    return told


def _told(session: Session, verb: Verb, relay: "RelayView") -> str:
    say, stage = session.screen.say, relay["stage"]
    if stage in _ON_CHAIN:
        return say(
            f"✓ {verb.label} 已上链，交易 {relay.get('transaction_hash')}",
            f"✓ {verb.label} is on the chain: {relay.get('transaction_hash')}",
        )
    reason = relay.get("reason") or {"zh": "", "en": ""}
    if relay["ended"]:
        return say(
            f"✗ {verb.label} 没有上链（{relay.get('code')}）：{reason['zh']}",
            f"✗ {verb.label} did not get to the chain ({relay.get('code')}): {reason['en']}",
        )
    return say(
        f"✓ 平台已接下 {verb.label}（{relay['id']}），还没上链。{reason['zh']}",
        f"✓ The platform took on {verb.label} ({relay['id']}); it is not on the chain yet. {reason['en']}".rstrip(),
    )


def _code_of(relay: "RelayView") -> int:
    return REFUSED if relay["ended"] and relay["stage"] not in _ON_CHAIN else 0


def _check_same(place: "PlatformClient", told: object, expected: object) -> None:
    """Raises `ServiceNonsense` where a service speaks of something else than it was asked for."""
    if told != expected:
        from ..platform import ServiceNonsense

        raise ServiceNonsense(place.url, 200)


def _handed_over(
    session: Session,
    body: dict[str, Any],
    answer: dict[str, Any],
    output: Path | None,
    lines: list[str],
    exit_code: int = 0,
) -> Answer:
    """What the service answered; what was sent to it also in `output`, to be shown or brought elsewhere."""
    if output is not None:
        write_text(output, to_json(body) + "\n")
        lines.append(session.screen.say(f"  已写入 {output}", f"  written to {output}"))
    return Answer(answer, lines, exit_code=exit_code)


def _state(label: str) -> State:
    found = {member.label.lower(): member for member in State}.get(label.lower())
    if found is None:
        raise BadInput(f"没有 {label!r} 这种状态。", f"There is no state {label!r}: see `kameng order show`.")
    return found
