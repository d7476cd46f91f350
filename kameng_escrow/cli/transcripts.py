"""`kameng transcript`, `kameng files`: what was said about an order, to keep and to check; the files behind it."""

import os
import secrets
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from ..domain.labels import Label
from .command import NODE, STORE, both, command
from .forms import parse_hash
from .problems import CHECK_FAILED, FileUnusable
from .screen import Answer, Screen
from .session import Session

_FILES = ("files", "files_max_bytes")


def register(transcript: typer.Typer, app: typer.Typer) -> None:
    """Adds `export` and `verify` to the group `transcript`, and `files` to `app`."""
    command(
        transcript,
        "export",
        zh="把一个订单的聊天记录、争议文书和文件导出为一个可自证的压缩包（服务方用；当事人从接口下载）",
        en="Write an order's log, papers and files into one archive that proves itself (for who runs the service; "
        "parties download theirs)",
        uses=("contract", "chain_id", "deployments", *STORE, *_FILES),
    )(export)
    command(
        transcript,
        "verify",
        zh="核验导出的聊天记录：不联网也行；--on-chain 再与链上事件核对",
        en="Check an exported transcript, without any network; --on-chain holds it against the chain's events too",
        uses=NODE,
    )(verify)
    command(
        app,
        "files",
        zh="会话文件占多少；--tidy 清掉没人再用的",
        en="How much the files of rooms take; --tidy takes away what nobody needs any more",
        uses=(*STORE, *_FILES),
    )(files)


def export(
    session: Session,
    order_id: Annotated[str, typer.Argument(metavar="ORDER", help=both("订单编号", "The order's id"))],
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="FILE", help=both("写到哪个文件", "The file to write"))
    ],
) -> Answer:
    from .. import bootstrap
    from ..domain.typed_data import Domain
    from ..talk.archive import Transcripts
    from ..talk.archive import verify as check
    from ..talk.desk import Desk

    wanted = parse_hash(order_id, "ORDER")
    info = session.book().info()
    desk = Desk(
        store=session.store(),
        contract_id=info.id,
        domain=Domain(info.chain_id, info.address),
        blobs=bootstrap.open_files(session.settings),
    )
    beside = output.with_name(f".{output.name}.{secrets.token_hex(4)}")
    try:
        with beside.open("w+b") as file:
            Transcripts(desk).export(wanted, None, file)
            file.flush()
            os.fsync(file.fileno())
        proved = check(beside)
        beside.replace(output)
    except OSError as error:
        raise FileUnusable(
            f"{output} 写不了：{error.strerror}。", f"{output} can't be written: {error.strerror}."
        ) from error
    finally:
        beside.unlink(missing_ok=True)
    say = session.screen.say
    return Answer(
        {"order_id": wanted, "file": str(output), "size": proved.size, "head": proved.head, "root": proved.root},
        [
            say(
                f"✓ 已写入 {output}：{proved.size} 条，{proved.files} 个文件",
                f"✓ wrote {output}: {proved.size} entries, {proved.files} files",
            )
        ],
    )


def verify(
    session: Session,
    file: Annotated[Path, typer.Argument(metavar="FILE", help=both("导出的压缩包", "The exported archive"))],
    head: Annotated[
        str,
        typer.Option(
            "--head",
            metavar="HASH",
            help=both("手里留着的链头：必须是其中某一条的", "A head that you kept: one of its entries must have it"),
        ),
    ] = "",
    evidence: Annotated[
        str,
        typer.Option(
            "--evidence", metavar="HASH", help=both("链上的证据哈希：必须是其中文书的", "The chain's evidence hash")
        ),
    ] = "",
    on_chain: Annotated[
        bool,
        typer.Option("--on-chain", help=both("与节点上的事件核对", "Hold it against the events of a node")),
    ] = False,
) -> Answer:
    from ..talk.archive import against_chain, position_of
    from ..talk.archive import verify as check

    proved = check(file)
    wrong: list[Label] = []
    position = None
    if head:
        position = position_of(file, parse_hash(head, "--head"))
        if position is None:
            wrong.append(Label(f"no entry has the head {head}", f"没有哪一条的链头是 {head}"))
    wanted = parse_hash(evidence, "--evidence") if evidence else None
    if wanted is not None and wanted not in [paper.hash for paper in proved.evidence]:
        wrong.append(Label(f"it has no paper with the hash {wanted}", f"其中没有哈希为 {wanted} 的文书"))
    if on_chain:
        events = list(session.client().events(order_id=proved.order_id))
        wrong += [
            Label(f"the chain says otherwise than its {what}", f"链上与其中的 {what} 不符")
            for what in against_chain(proved, events)
        ]
    data: dict[str, Any] = {
        "order_id": proved.order_id,
        "size": proved.size,
        "head": proved.head,
        "root": proved.root,
        "files": proved.files,
        "erased": proved.erased,
        "evidence": [paper.hash for paper in proved.evidence],
        "grounds": [paper.hash for paper in proved.grounds],
        "head_at": position,
        "on_chain": on_chain,
        "wrong": [one.en for one in wrong],
    }
    return Answer(data, _told(session.screen, data, wrong), exit_code=CHECK_FAILED if wrong else 0)


def _told(screen: Screen, data: dict[str, Any], wrong: list[Label]) -> list[str]:
    say = screen.say
    lines = [
        say(
            f"✓ 订单 {data['order_id']} 的记录前后相接：{data['size']} 条，{data['files']} 个文件，"
            f"{data['erased']} 条已抹除",
            f"✓ the log of order {data['order_id']} holds together: {data['size']} entries, {data['files']} files, "
            f"{data['erased']} erased",
        ),
        say(f"  链头 {data['head']}", f"  head {data['head']}"),
        say(f"  根   {data['root']}", f"  root {data['root']}"),
    ]
    lines += [say(f"  证据 {one}", f"  evidence {one}") for one in data["evidence"]]
    lines += [say(f"  理由 {one}", f"  grounds {one}") for one in data["grounds"]]
    if data["head_at"] is not None:
        at = data["head_at"]
        lines.append(say(f"  你的链头是第 {at} 条的", f"  your head is that of entry {at}"))
    if data["on_chain"] and not wrong:
        lines.append(say("✓ 与链上事件一致", "✓ the chain says the same"))
    lines += [say(f"✗ {one.zh}", f"✗ {one.en}") for one in wrong]
    return lines


def files(
    session: Session,
    tidy: Annotated[
        bool,
        typer.Option(
            "--tidy",
            help=both("清掉一天内没有发出的和已抹除的", "Take away what was never shown, or was erased, a day ago"),
        ),
    ] = False,
) -> Answer:
    from .. import bootstrap
    from ..talk.upkeep import tidy as take_away

    session.store().check_schema()
    blobs = bootstrap.open_files(session.settings)
    gone = take_away(session.store(), blobs, now_ms=time.time_ns() // 1_000_000) if tidy else None
    used, most = blobs.used_bytes(), session.settings.files_max_bytes
    say = session.screen.say
    lines = [say(f"文件占用 {used:,} / {most:,} 字节", f"files take {used:,} of {most:,} bytes")]
    if gone is not None:
        lines.append(
            say(
                f"✓ 清掉 {gone.blobs} 个文件（{gone.bytes:,} 字节），其中 {gone.forgotten} 个从未发出",
                f"✓ took away {gone.blobs} files ({gone.bytes:,} bytes); {gone.forgotten} had never been shown",
            )
        )
    data = {"folder": str(session.settings.files), "used_bytes": used, "max_bytes": most}
    if gone is not None:
        data |= {"forgotten": gone.forgotten, "blobs": gone.blobs, "bytes": gone.bytes}
    return Answer(data, lines)
