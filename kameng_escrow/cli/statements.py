"""`kameng statement`, `kameng verify`: a period's orders on paper, and whether a paper is true."""

import re
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .command import CHAIN, NODE, STORE, both, command
from .forms import Currency, parse_address, short
from .problems import CHECK_FAILED, BadInput
from .reputation import reading_chain
from .screen import Answer, Screen
from .session import Session

if TYPE_CHECKING:
    from ..books.findings import Finding, Verification
    from ..books.lines import Currency as LineCurrency
    from ..books.statement import Period
    from ..store.service.closed_orders import Scope

_SHOWN = 50  # findings that people are shown; machines get all
_MONTH = re.compile(r"(\d{4})-(\d{2})")

_WORDS: dict[str, tuple[str, str]] = {
    "file_altered": ("文件与清单上的不是同一个", "the file is not the one that the manifest names"),
    "file_missing": ("清单上的文件不在", "a file of the manifest is not there"),
    "signature_wrong": ("签名不是清单所写的签名人的", "the signature is not of the signer whom the manifest names"),
    "not_signed": ("没有所要求的签名", "not signed by who was asked for"),
    "line_false": ("与链上不符", "is not what the chain says"),
    "line_foreign": ("属实，但不该在这里，或重复了", "is true, but does not belong here, or comes twice"),
    "line_missing": ("漏了这一单", "this order is left out"),
    "page_false": ("这一页的文字多了、少了或不同", "the page's text is not what it should be"),
    "drawing_false": (
        "文字没错，但不是这些文字画出来的样子：人看到的可能是别的（或 ReportLab 版本不同），请核对 CSV",
        "the text is right, but not drawn as it should be: people may see something else (or ReportLab is of another "
        "release): verify the CSV",
    ),
    "totals_false": ("合计不对", "a sum is wrong"),
    "block_false": ("清单对期间所截至区块的说法不对", "what the manifest says of the block that it is as of is wrong"),
    "volume_missing": (
        "打印的对账单缺这一册，清单也没列",
        "a volume of the printed statement, which the manifest leaves out",
    ),
    "currency_false": ("代币自己说的不是这样", "the token says something else of itself"),
}


def register(app: typer.Typer) -> None:
    """Adds the commands to `app`."""
    command(
        app,
        "statement",
        zh="对账单：一段时间内结束的订单，写成 CSV、Parquet、PDF，附签名清单",
        en="A statement of the orders that closed in a period: CSV, Parquet, PDF and a signed manifest",
        uses=CHAIN + STORE,
    )(statement)
    command(
        app,
        "verify",
        zh="对照任意节点逐行核对对账单：哪一行不实、漏了哪一单",
        en="Check a statement line by line against any node: which line is false, which is missing",
        uses=NODE,
    )(verify)


def statement(
    session: Session,
    since: Annotated[
        str, typer.Option("--since", metavar="TIME", help=both("起点，含；如 2026-10-01 或 2026-10", "Start, included"))
    ],
    until: Annotated[
        str, typer.Option("--until", metavar="TIME", help=both("终点，不含；缺省为起点那个月末", "End, not included"))
    ] = "",
    party: Annotated[
        str, typer.Option("--party", metavar="ADDRESS", help=both("只要此人买的和卖的", "Only this account's orders"))
    ] = "",
    platform: Annotated[
        str,
        typer.Option("--platform", metavar="ADDRESS", help=both("只要此平台规则下的", "Only this platform's orders")),
    ] = "",
    formats: Annotated[
        str, typer.Option("--format", metavar="LIST", help=both("csv、parquet、pdf，逗号分隔", "csv, parquet, pdf"))
    ] = "csv",
    output: Annotated[
        Path, typer.Option("--output", metavar="FOLDER", help=both("写到这个文件夹", "The folder to write to"))
    ] = Path(),
    unsigned: Annotated[
        bool, typer.Option("--unsigned", help=both("清单不签名", "Leave the manifest without a signature"))
    ] = False,
) -> Answer:
    from ..books.statement import FORMATS, make_statement

    scope, period = _scope(party, platform), _period(since, until)
    wanted = [word.strip() for word in formats.split(",") if word.strip()]
    if not wanted or set(wanted) - set(FORMATS):
        raise BadInput(
            f"--format 只能是 {'、'.join(FORMATS)}，不能是 {formats!r}。",
            f"--format is some of {', '.join(FORMATS)}, not {formats!r}.",
        )
    screen = session.screen
    account = None if unsigned else session.signer()
    book = session.book()
    with screen.progress("写对账单", "writing", unit=screen.say("单", "orders")) as tick:
        made = make_statement(
            session.store(),
            book.info(),
            scope,
            period,
            output,
            currency_of=lambda token: currency_of(session, token),
            formats=wanted,
            account=account,
            lang="zh" if screen.lang == "zh" else "en",
            progress=lambda done, total: tick(done, total),
        )
    data: dict[str, Any] = {
        "manifest": str(made.manifest),
        "files": [str(path) for path in made.files],
        **{name: made.document[name] for name in ("lines", "totals", "outcomes", "faults", "blocks", "period")},
        "signer": made.document["signer"],
    }
    lines = [
        screen.say(
            f"✓ {made.document['lines']:,} 单，截至区块 {made.document['blocks']['last']:,}",
            f"✓ {made.document['lines']:,} orders, as of block {made.document['blocks']['last']:,}",
        )
    ]
    for token, sums in made.document["totals"].items():
        known = made.document["currencies"][token]
        currency = Currency(token, known["symbol"], known["decimals"])
        price, fee = currency.show(int(sums["price"])), currency.show(int(sums["platform_fee"]))
        lines.append(
            screen.say(
                f"  {sums['orders']:,} 单，货款 {price}，平台手续费 {fee}",
                f"  {sums['orders']:,} orders, {price}, platform fees {fee}",
            )
        )
    lines += [f"  {path}" for path in (*made.files, made.manifest)]
    return Answer(data, lines)


def verify(
    session: Session,
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", help=both("清单，或它所列的一个文件", "A manifest, or a file that it names")),
    ],
    manifest: Annotated[
        Path | None,
        typer.Option("--manifest", metavar="FILE", help=both("清单在别处时", "Where the manifest is elsewhere")),
    ] = None,
    signer: Annotated[
        str, typer.Option("--signer", metavar="ADDRESS", help=both("必须由此账户签名", "Who must have signed it"))
    ] = "",
) -> Answer:
    from .. import bootstrap
    from ..books.verify import open_manifest
    from ..books.verify import verify as check
    from ..books.witness import Witness

    wanted = parse_address(signer, "--signer") if signer else None
    _, found, _ = open_manifest(file, manifest)  # what can't be read is told of before any node is asked
    if session.settings.contract is None:
        session.settings = replace(session.settings, contract=found.contract)
    deployment = session.deployment()
    screen = session.screen
    with ExitStack() as stack:
        stop, reading = stack.enter_context(reading_chain(session))
        result = check(
            file,
            bootstrap.make_source(session.node()),
            Witness(session.node(), deployment.address),
            bootstrap.make_target(deployment),
            currency_of=lambda token: currency_of(session, token),
            manifest=manifest,
            signer=wanted,
            stop=stop,
            reading=reading,
        )
    return Answer(verification_data(result), _lines(screen, result), exit_code=0 if result.true else CHECK_FAILED)


def currency_of(session: Session, token: str) -> "LineCurrency":
    """How a token's amounts are written, as it says itself. Raises `NodeError` where the node can't be asked."""
    from ..books.lines import Currency as LineCurrency
    from ..books.lines import clean_symbol
    from ..chain.errors import InvalidInput
    from ..chain.networks import network_of
    from .session import NATIVE

    client = session.client()
    if token == NATIVE:
        return LineCurrency(symbol=clean_symbol(network_of(client.deployment().chain_id).coin), decimals=18)
    try:
        return LineCurrency(symbol=clean_symbol(client.symbol(token)), decimals=client.decimals(token))
    except InvalidInput:  # it does not say
        return LineCurrency(symbol="?", decimals=0)


def verification_data(result: "Verification") -> dict[str, Any]:
    """What was found, for machines."""
    return {
        "true": result.true,
        "manifest": str(result.manifest),
        "files": result.files,
        "lines": result.lines,
        "signer": result.signer,
        "findings": [
            {
                "kind": one.kind.value,
                "file": one.file,
                "line": one.line,
                "order_id": one.order_id,
                "field": one.field,
                "said": one.said,
                "true": one.true,
            }
            for one in result.findings
        ],
        "more_findings": result.more,
    }


def _lines(screen: Screen, result: "Verification") -> list[str]:
    by = result.signer and short(result.signer)
    signed = screen.say(f"，由 {by} 签名", f", signed by {by}") if by else screen.say("，没有签名", ", not signed")
    if result.true:
        return [
            screen.say(
                f"✓ {'、'.join(result.files)} 属实：{result.lines:,} 单都与链上一致，一单不漏{signed}",
                f"✓ {', '.join(result.files)}: true, {result.lines:,} orders as on the chain, none left out{signed}",
            )
        ]
    lines = [_finding(screen, one) for one in result.findings[:_SHOWN]]
    rest = len(result.findings) - len(lines) + result.more if len(result.findings) > _SHOWN else result.more
    if rest:
        lines.append(screen.say(f"……另有 {rest:,} 处（--json 看全部）", f"… and {rest:,} more (--json has them)"))
    return lines


def _finding(screen: Screen, one: "Finding") -> str:
    parts = [one.file]
    if one.line is not None:
        page = one.kind.value == "page_false"
        parts.append(screen.say(f"第 {one.line} {'页' if page else '行'}", f"{'page' if page else 'line'} {one.line}"))
    if one.order_id:
        parts.append(one.order_id)
    text = f"✗ {' '.join(parts)}{screen.say('：', ': ')}{screen.say(*_WORDS[one.kind.value])}"
    if one.field and one.said is not None and one.true is not None:
        text += screen.say(
            f"：{one.field} 写的是 {one.said}，应为 {one.true}",
            f": {one.field} says {one.said}, and should say {one.true}",
        )
    return text


def _scope(party: str, platform: str) -> "Scope":
    from ..store.service.closed_orders import Scope

    if party and platform:
        raise BadInput("--party 和 --platform 只能选一个。", "Choose --party or --platform, not both.")
    return Scope(
        party=parse_address(party, "--party") if party else None,
        platform=parse_address(platform, "--platform") if platform else None,
    )


def _period(since: str, until: str) -> "Period":
    from ..books.lines import LATEST
    from ..books.statement import Period

    start = _second(since, "--since")
    month = _MONTH.fullmatch(since.strip())
    if until:
        end = _second(until, "--until")
    elif month is not None:
        year, number = int(month[1]), int(month[2])
        end = int(datetime(year + number // 12, number % 12 + 1, 1, tzinfo=UTC).timestamp())
    else:
        raise BadInput("请用 --until 写明终点。", "Name the end with --until.")
    if not 0 <= start < end <= LATEST:
        raise BadInput(
            "终点必须晚于起点，起点不早于 1970 年。", "The end must come after the start, and the start after 1970."
        )
    return Period(since=start, until=end)


def _second(text: str, flag: str) -> int:
    """Unix seconds of a month, a day (UTC), an ISO time with its zone, or a Unix second."""
    stripped = text.strip()
    if stripped.isascii() and stripped.isdigit() and len(stripped) <= 11 and len(stripped) != 4:
        return int(stripped)
    try:
        moment = datetime.fromisoformat(f"{stripped}-01" if _MONTH.fullmatch(stripped) else stripped)
    except ValueError:
        moment = None
    if moment is None or (moment.tzinfo is None and "T" in stripped):
        raise BadInput(
            f"{flag} 应是 2026-10、2026-10-01 或带时区的时间，不能是 {text!r}。",
            f"{flag} is a month, a day, or a time with its zone, such as 2026-10-01T00:00:00+08:00, not {text!r}.",
        )
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
