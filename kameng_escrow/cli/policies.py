"""`kameng policy …`: the rules under which a platform takes orders."""

import time
from collections.abc import Collection
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..domain.events import PolicyRegistered
from ..domain.labels import POLICY_LABELS
from ..domain.policy import NO_CANCEL, ZERO_ADDRESS, Policy, recommended_policy, validate_policy
from ..domain.policy_check import check_policy
from ..domain.policy_warnings import PolicyWarning, Severity
from .command import CHAIN, KEY, NODE, STORE, both, command
from .deeds import receipt_data, receipt_text
from .files import read_json, write_text
from .forms import Currency, clock, iso, parse_address, parse_duration, parse_hash, parse_time, short, span
from .problems import BadInput, FileUnusable
from .screen import Answer, Screen, to_json
from .session import Session

if TYPE_CHECKING:
    from ..client.results import RegisteredPolicy

_WINDOWS = frozenset(name for name in Policy.__dataclass_fields__ if name.endswith("_window"))
_ADDRESSES = frozenset({"platform", "mediator", "backup_mediator", "fee_receiver"})

FILE = Annotated[Path, typer.Argument(metavar="FILE", help=both("规则文件（JSON）", "The policy's file (JSON)"))]
POLICY = Annotated[str, typer.Argument(metavar="POLICY", help=both("规则编号", "The policy's id"))]
REVIEW_BY = Annotated[
    str,
    typer.Option(
        "--review-by",
        metavar="TIME",
        help=both("最迟何时复审：90d，或带时区的时间", "When the next review is due: 90d, or a time with its zone"),
    ),
]


PRICE = Annotated[
    str, typer.Option("--price", metavar="YUAN", help=both("典型的一单多少元", "What a typical order costs, in yuan"))
]
_SOMEBODY = "0x" + "11" * 20  # stands in for the platform where nobody said who that is
_ESCROW = "0x" + "22" * 20  # and for the contract: a draft is checked before any is chosen


def register(app: typer.Typer) -> None:
    """Adds the commands to `kameng policy`."""
    for name, function, uses, zh, en in (
        ("draft", draft, (), "写一份推荐的规则文件，供修改", "Write a recommended policy file, to be edited"),
        (
            "check",
            check,
            NODE + KEY,
            "检查规则文件：是否合法，有什么隐患",
            "Check a policy file: is it valid, is it wise",
        ),
        ("register", register_, CHAIN, "登记规则（永久，不可修改）", "Register a policy, for ever and unchangeable"),
        ("show", show, NODE, "查看一条规则", "Show a policy"),
        ("list", list_, NODE + STORE, "列出镜像里的规则", "List the policies in the mirror"),
        ("review", review, CHAIN, "复审后把复审期限推后", "After its review, move the review date forward"),
        ("retire", retire, CHAIN, "停用规则：不再接新订单", "Retire a policy: no new orders under it"),
    ):
        command(app, name, zh=zh, en=en, uses=uses)(function)


def draft(
    session: Session,
    mediator: Annotated[
        str,
        typer.Option("--mediator", metavar="ADDRESS", help=both("仲裁员；没有就没有仲裁", "The mediator; else none")),
    ] = "",
    backup: Annotated[
        str, typer.Option("--backup", metavar="ADDRESS", help=both("候补仲裁员", "The backup mediator"))
    ] = "",
    price: PRICE = "100",
    stock: Annotated[
        bool,
        typer.Option("--instant/--made-to-order", help=both("现货，还是接单后才备货", "In stock, or made to order")),
    ] = True,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help=both("写到这个文件", "Write to this file"))
    ] = None,
) -> Answer:
    advised = recommended_policy(
        platform=ZERO_ADDRESS,
        fee_receiver=ZERO_ADDRESS,
        mediator=parse_address(mediator, "--mediator") if mediator else ZERO_ADDRESS,
        backup_mediator=parse_address(backup, "--backup") if backup else ZERO_ADDRESS,
        price=fen_of(price),
        instant=stock,
    )
    if not mediator:
        advised = replace(advised, mediate_window=0, mediation_fee_bps=0)
    # Platform and fee receiver are whoever registers it, and it is effective at once, unless somebody writes otherwise.
    document = document_of(advised, without=("platform", "fee_receiver", "effective_from"))
    text = to_json(document) + "\n"
    if output is not None:
        write_text(output, text)
        return Answer(document, [session.screen.say(f"✓ 已写入 {output}", f"✓ written to {output}")])
    session.screen.document(text)
    return Answer(document, printed=True)


def check(session: Session, file: FILE, price: PRICE = "100") -> Answer:
    screen = session.screen
    platform = session.signer().address if session.settings.key_file is not None else _SOMEBODY
    policy = read_policy(file, platform)
    now = int(time.time())
    validate_policy(policy, _ESCROW, now, now)
    warnings = check_policy(policy, fen_of(price))
    data = {"policy": asdict(policy), "warnings": [warning_data(found) for found in warnings]}
    lines = [*_lines(screen, policy), ""]
    if not warnings:
        return Answer(data, [*lines, screen.say("✓ 没有发现隐患", "✓ Nothing to warn of")])
    return Answer(data, [*lines, *(warning_text(screen, found) for found in warnings)])


def register_(session: Session, file: FILE, review_by: REVIEW_BY = "180d", price: PRICE = "100") -> Answer:
    client = session.acting()
    policy = read_policy(file, client.address)
    now = client.now()
    until = parse_time(review_by, now, "复审期限", "The review date")
    receipt = client.register_policy(policy, review_by=until)
    policy_id = next(log.event.policy_id for log in receipt.events if isinstance(log.event, PolicyRegistered))
    warnings = check_policy(policy, fen_of(price))
    screen = session.screen
    lines = [
        screen.say("✓ 已登记规则 ", "✓ Registered policy ") + policy_id,
        screen.say(f"  {clock(until, now)} 前需复审", f"  to be reviewed by {clock(until, now)}"),
        *(f"  {warning_text(screen, found)}" for found in warnings),
        receipt_text(session, receipt),
    ]
    data = {
        "policy_id": policy_id,
        "review_by": iso(until),
        "warnings": [warning_data(found) for found in warnings],
        **receipt_data(receipt),
    }
    return Answer(data, lines)


def show(session: Session, policy: POLICY) -> Answer:
    policy_id = parse_hash(policy, "policy")
    client = session.client()
    found = client.policy(policy_id)
    now = client.now()
    lines = [session.screen.say("规则 ", "Policy ") + policy_id, *_lines(session.screen, found.policy)]
    return Answer(policy_data(policy_id, found), [*lines, f"  {_standing(session.screen, found, now)}"])


def list_(
    session: Session,
    platform: Annotated[
        str, typer.Option("--platform", metavar="ADDRESS", help=both("只看这个平台的", "Only this platform's"))
    ] = "",
) -> Answer:
    screen = session.screen
    who = parse_address(platform, "--platform") if platform else None
    book = session.book()
    marks = book.info().marks
    now = marks.seen_at
    found = book.policies(platform=who)
    data = {"policies": [policy_data(row.policy_id, row) for row in found]}
    if not found:
        return Answer(data, [screen.say("镜像里没有规则", "The mirror has no policies")])
    table = screen.table(("规则", "Policy"), ("平台", "Platform"), ("状态", "Standing"))
    for row in found:
        table.add_row(row.policy_id, short(row.policy.platform), _standing(screen, row, now))
    return Answer(data, [table])


def review(session: Session, policy: POLICY, review_by: REVIEW_BY = "180d") -> Answer:
    policy_id = parse_hash(policy, "policy")
    client = session.acting()
    now = client.now()
    until = parse_time(review_by, now, "复审期限", "The review date")
    receipt = client.review_policy(policy_id, review_by=until)
    text = session.screen.say(f"✓ 复审期限推到 {clock(until, now)}", f"✓ Next review by {clock(until, now)}")
    data = {"policy_id": policy_id, "review_by": iso(until), **receipt_data(receipt)}
    return Answer(data, [text, receipt_text(session, receipt)])


def retire(session: Session, policy: POLICY) -> Answer:
    policy_id = parse_hash(policy, "policy")
    receipt = session.acting().retire_policy(policy_id)
    text = session.screen.say(
        "✓ 已停用：不再接新订单，已有订单照旧", "✓ Retired: no new orders; open ones go on as they were"
    )
    data = {"policy_id": policy_id, "retired": True, **receipt_data(receipt)}
    return Answer(data, [text, receipt_text(session, receipt)])


def document_of(policy: Policy, without: Collection[str] = ()) -> dict[str, Any]:
    """A policy as its file has it: windows as people write them."""
    return {
        name: _duration(value) if name in _WINDOWS else value
        for name, value in asdict(policy).items()
        if name not in without
    }


def read_policy(path: Path, platform: str | None) -> Policy:
    """The policy in a file: windows as "30m" or seconds, shares in bps; what is left out, as the platform's own.

    Raises:
        FileUnusable: it is damaged, misses a field or has one that nobody knows.
        Malformed, BadInput: a field can't be what it says.
    """
    content = read_json(path)
    names = {field.name for field in fields(Policy)}
    if not isinstance(content, dict):
        raise FileUnusable(f"{path}：顶层不是 JSON 对象。", f"{path}: its top level is no JSON object.")
    given = {"mediator": ZERO_ADDRESS, "backup_mediator": ZERO_ADDRESS, "effective_from": 0, **content}
    if platform is not None:
        given.setdefault("platform", platform)
    given.setdefault("fee_receiver", given.get("platform"))
    unknown, missing = sorted(given.keys() - names), sorted(names - {k for k, v in given.items() if v is not None})
    if unknown:
        listed = ", ".join(unknown)
        raise FileUnusable(f"{path}：有不认识的字段 {listed}。", f"{path}: nobody knows the fields {listed}.")
    if missing:
        listed = ", ".join(missing)
        raise FileUnusable(f"{path}：缺少字段 {listed}。", f"{path}: the fields {listed} are missing.")
    return Policy(**{name: _field(path, name, given[name]) for name in names})


def policy_data(policy_id: str, found: Any) -> dict[str, Any]:
    """A policy for machines."""
    return {
        "policy_id": policy_id,
        **{**asdict(found.policy), "effective_from": iso(found.policy.effective_from)},
        "review_by": iso(found.review_by),
        "retired": found.retired,
    }


def _field(path: Path, name: str, value: Any) -> Any:
    where = f"{path.name}: {name}"
    if name in _ADDRESSES:
        return parse_address(str(value), where)
    if name in _WINDOWS and isinstance(value, str):
        return parse_duration(value, where, where)
    if name == "effective_from" and isinstance(value, str):
        return parse_time(value, 0, where, where)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise FileUnusable(
            f"{where} 应为非负整数，不能是 {value!r}。", f"{where} must be a whole number, not {value!r}."
        )
    return value


def _lines(screen: Screen, policy: Policy) -> list[str]:
    lines = []
    for field in fields(Policy):
        name, label, value = field.name, POLICY_LABELS[field.name], getattr(policy, field.name)
        if name in _WINDOWS:
            text = span(value, screen.lang)
        elif name.endswith("_bps"):
            text = f"{value // 100}.{value % 100:02}%"
            if name == "cancel_fee_bps" and value == NO_CANCEL:
                text = screen.say("接单后不可取消", "no cancel once accepted")
        elif name == "effective_from":
            text = clock(value) if value else screen.say("立即", "at once")
        else:
            text = screen.say("无", "none") if value == ZERO_ADDRESS else value
        lines.append(f"  {getattr(label, screen.lang)}: {text}")
    return lines


def _standing(screen: Screen, found: "RegisteredPolicy | Any", now: int) -> str:
    if found.retired:
        return screen.say("已停用", "retired")
    if now > found.review_by:
        return screen.say("逾期未复审，暂停接单", "review overdue: takes no orders")
    if now < found.policy.effective_from:
        at = clock(found.policy.effective_from, now)
        return screen.say(f"{at} 起生效", f"effective from {at}")
    return screen.say(f"有效，{clock(found.review_by, now)} 前需复审", f"live, review by {clock(found.review_by, now)}")


def fen_of(yuan: str) -> int:
    """Hundredths of a yuan. Raises `BadInput`."""
    fen = Currency("", "元", 2).parse(yuan, "价格", "The price")
    if fen == 0:
        raise BadInput("典型价格不能是 0。", "The typical price can't be zero.")
    return fen


def _duration(seconds: int) -> str | int:
    return f"{seconds // 60}m" if 0 < seconds < 7200 and seconds % 60 == 0 else _hours(seconds)


def _hours(seconds: int) -> str | int:
    return f"{seconds // 3600}h" if seconds and seconds % 3600 == 0 else seconds


def warning_data(found: PolicyWarning) -> dict[str, Any]:
    return {
        "code": found.code,
        "severity": found.severity.name,
        "field": found.field,
        "recommended": found.recommended,
        "message": found.message,
        "message_zh": found.message_zh,
    }


def warning_text(screen: Screen, found: PolicyWarning) -> str:
    mark = {Severity.Notice: "·", Severity.Caution: "!", Severity.Danger: "✗"}[found.severity]
    return f"{mark} {screen.say(found.message_zh, found.message)}"
