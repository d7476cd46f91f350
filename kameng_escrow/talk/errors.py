"""What can go wrong when people talk.

TalkError
├── NotInRoom            this account has no seat in the order's room: sign in as somebody who has
├── WrongSeat             it has a seat, but this is another's to do
├── FileRefused          the file is of no kind that is taken, or not what it says: send another
├── FileTooLarge         too many bytes or pixels: send a smaller one
├── RoomFull             the seat has used up its share of the room's messages or files
├── UnknownItem          there is no such file, proposal, entry or paper in this room
├── ProposalVoid         the split can't be paid any more: propose another
├── NotSigned            a party has not signed the split yet: it has to, before it can be paid
├── NothingToSplit       the order is not open, so that nothing is held
├── NotDisputed          the order is not in dispute, or no longer
├── EvidenceClosed       the time for evidence is over
├── Conflicted           the mediator has a conflict of interest: another has to rule, or the clock
└── BadArchive           the file is no exported transcript, or a damaged one
"""

from datetime import UTC, datetime

from kameng_escrow.domain.seats import CONFLICT_LABELS, SEAT_LABELS, Conflict, Seat
from kameng_escrow.errors import EscrowError


class TalkError(EscrowError):
    """The root. Nothing was written."""

    code = "talk_error"

    def __init__(self, message: str, message_zh: str) -> None:
        super().__init__(message)
        self.message_zh = message_zh


class NotInRoom(TalkError):
    """The account has no seat in the room of that order."""

    code = "not_in_room"

    def __init__(self, order_id: str, account: str) -> None:
        super().__init__(
            f"{account} has no seat in the room of order {order_id}: buyer, seller and platform have one, and in a "
            "dispute its mediators. Sign in as one of them.",
            f"{account} 不在订单 {order_id} 的会话中：只有买家、卖家、平台，以及争议中的仲裁员可以进入。"
            "请用其中一方的账户登录。",
        )
        self.order_id = order_id
        self.account = account


class WrongSeat(TalkError):
    """The account has a seat in the room, but what it asked for is for others. `allowed`: for whom."""

    code = "wrong_seat"

    def __init__(self, what: str, what_zh: str, allowed: str, allowed_zh: str) -> None:
        super().__init__(f"{what} is for {allowed} only.", f"只有{allowed_zh}可以{what_zh}。")
        self.allowed = allowed


class FileRefused(TalkError):
    """The file is of no kind that is taken, or not what it looks like."""

    code = "file_refused"

    def __init__(self, why: str, why_zh: str) -> None:
        super().__init__(
            f"The file is not taken: {why}. Pictures (JPEG, PNG, WebP, GIF), videos (MP4, QuickTime), PDF and plain "
            "text are.",
            f"文件不能接收：{why_zh}。可以发送图片（JPEG、PNG、WebP、GIF）、视频（MP4、QuickTime）、PDF 和纯文本。",
        )


class FileTooLarge(TalkError):
    """The file has more of something (`what`: bytes, pixels) than is taken."""

    code = "file_too_large"

    def __init__(self, size: int, limit: int, what: str = "bytes", what_zh: str = "字节") -> None:
        super().__init__(
            f"The file has {size} {what}, and at most {limit} are taken: send a smaller one.",
            f"文件有 {size} {what_zh}，最多 {limit} {what_zh}：请换一个小一些的。",
        )
        self.size = size
        self.limit = limit
        self.what = what


class RoomFull(TalkError):
    """The caller's seat has as many messages, or as large files, in the room as it may have."""

    code = "room_full"

    def __init__(self, limit: int, what: str, what_zh: str) -> None:
        super().__init__(
            f"The room takes at most {limit} {what}: send fewer, or smaller ones.",
            f"会话里{what_zh}的上限是 {limit}：请少发一些，或发小一些的。",
        )
        self.limit = limit


class UnknownItem(TalkError):
    """The room has nothing under that name. `kind`: file, proposal, entry, paper."""

    code = "unknown_item"

    def __init__(self, kind: str, kind_zh: str, name: str) -> None:
        super().__init__(
            f"The room has no {kind} {name[:80]!r}: look at what it has.",
            f"会话里没有这个{kind_zh}（{name[:80]!r}）：请查看其中有什么。",
        )
        self.kind = kind
        self.name = name


class ProposalVoid(TalkError):
    """The split can't be paid any more. `reason`: Expired, StateChanged, UnitsChanged, RevisionChanged, Withdrawn."""

    code = "proposal_void"

    def __init__(self, proposal: str, reason: str, why: str, why_zh: str) -> None:
        super().__init__(
            f"The proposal {proposal} is void: {why}. Propose another.",
            f"方案 {proposal} 已失效：{why_zh}。请重新提议。",
        )
        self.proposal = proposal
        self.reason = reason


class NotSigned(TalkError):
    """The party of `seat` has not signed the split yet."""

    code = "not_signed"

    def __init__(self, proposal: str, seat: Seat) -> None:
        who = SEAT_LABELS[seat]
        super().__init__(
            f"The {who.en} has not signed the proposal {proposal} yet: it can be paid once both have.",
            f"{who.zh}还没有签署方案 {proposal}：双方都签署后才能执行。",
        )
        self.proposal = proposal
        self.seat = seat


class NothingToSplit(TalkError):
    """The order is not open: the escrow holds nothing for it."""

    code = "nothing_to_split"

    def __init__(self, order_id: str, state: str) -> None:
        super().__init__(
            f"Order {order_id} is {state}: the escrow holds nothing of it that could be divided.",
            f"订单 {order_id} 的状态为 {state}：托管中没有可分配的款项。",
        )
        self.order_id = order_id
        self.state = state


class NotDisputed(TalkError):
    """The order is in another state than this is for."""

    code = "not_disputed"

    def __init__(self, order_id: str, state: str, wanted: str) -> None:
        super().__init__(
            f"Order {order_id} is {state}, and this is for orders that are {wanted}: look at it again.",
            f"订单 {order_id} 的状态为 {state}，而此操作只适用于 {wanted}：请刷新订单。",
        )
        self.order_id = order_id
        self.state = state
        self.wanted = wanted


class EvidenceClosed(TalkError):
    """The time for evidence is over: it was before the Unix second `until` of the chain's clock."""

    code = "evidence_closed"

    def __init__(self, now: int, until: int) -> None:
        super().__init__(
            f"It is {_utc(now)}, and evidence could be filed before {_utc(until)}: say it as a message instead.",
            f"现在是 {_utc(now)}，举证已于 {_utc(until)} 截止：可以改为发送普通消息。",
        )
        self.now = now
        self.until = until


class Conflicted(TalkError):
    """The mediator may not judge this order. `conflict` says why."""

    code = "mediator_conflicted"

    def __init__(self, mediator: str, conflict: Conflict) -> None:
        why = CONFLICT_LABELS[conflict]
        super().__init__(
            f"{mediator} may not judge this order: {why.en}. The other mediator may, or the clock decides as promised.",
            f"{mediator} 不能裁决这个订单：{why.zh}。由另一位仲裁员裁决，或到期按约定比例分配。",
        )
        self.mediator = mediator
        self.conflict = conflict


class BadArchive(TalkError):
    """A file that is no exported transcript, or one that can't be read safely."""

    code = "bad_archive"

    def __init__(self, why: str, why_zh: str) -> None:
        super().__init__(
            f"This is no exported transcript that can be read: {why}. Export it again.",
            f"这不是可以读取的聊天记录导出文件：{why_zh}。请重新导出。",
        )


def _utc(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S} UTC"
