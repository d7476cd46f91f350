"""What the contract's words are called on a page: one label in English, one in Chinese.

The English label of a state, outcome, fault, role or verb is the contract's own name, so that a page, a log and the
chain say the same. Policy fields, whose names are identifiers, get words.
"""

from typing import NamedTuple

from .states import Fault, Outcome, PolicyField, Right, Role, State, Verb

Word = State | Outcome | Fault | Role | Verb | Right | PolicyField


class Label(NamedTuple):
    """A word in both languages of the house."""

    en: str
    zh: str


def label_of(word: Word) -> Label:
    """The label of any member of the contract's enums."""
    return _LABELS[type(word)][word]


def rights_label(rights: int) -> Label:
    """The label of a sum of operator rights, "Accept + Deliver" for 3. Bits that stand for no right are left out."""
    held = [label_of(right) for right in Right if rights & right]
    if not held:
        return Label("none", "无")
    return Label(" + ".join(label.en for label in held), "、".join(label.zh for label in held))


def _named(words: dict[Word, str]) -> dict[Word, Label]:
    return {word: Label(word.name if isinstance(word, Right) else word.label, zh) for word, zh in words.items()}


_LABELS: dict[type[Word], dict[Word, Label]] = {
    State: _named(
        {
            State.Nothing: "未下单",
            State.Opened: "已付款，待接单",
            State.Accepted: "已接单，待发货",
            State.Delivered: "已发货，待确认",
            State.Disputed: "争议中",
            State.Closed: "已结束",
        }
    ),
    Outcome: _named(
        {
            Outcome.Nothing: "未结束",
            Outcome.Expired: "超时未接单，已退款",
            Outcome.Cancelled: "买家取消",
            Outcome.Declined: "卖家拒单",
            Outcome.Intervened: "平台介入退款",
            Outcome.Undelivered: "超时未发货，退款并赔付",
            Outcome.Confirmed: "买家确认收货",
            Outcome.Released: "验货期满，自动放款",
            Outcome.Refunded: "卖家退款",
            Outcome.Ruled: "仲裁裁决",
            Outcome.Conceded: "一方认输",
            Outcome.Defaulted: "仲裁超时，按约定比例分配",
            Outcome.Agreed: "双方协商分配",
        }
    ),
    Fault: _named(
        {
            Fault.Nobody: "无责",
            Fault.Buyer: "买家责任",
            Fault.Seller: "卖家责任",
            Fault.Platform: "平台责任",
            Fault.Mediator: "仲裁员责任",
        }
    ),
    Role: _named({Role.Buyer: "买家", Role.Seller: "卖家", Role.Operator: "代理操作员"}),
    Verb: _named(
        {
            Verb.Accept: "接单",
            Verb.Deliver: "发货",
            Verb.Confirm: "确认收货",
            Verb.Cancel: "取消",
            Verb.Decline: "拒单",
            Verb.Refund: "退款",
            Verb.Dispute: "发起争议",
            Verb.Concede: "认输",
            Verb.Revise: "作废旧签名",
            Verb.Recommit: "补发卡密",
        }
    ),
    Right: _named(
        {Right.Accept: "接单", Right.Deliver: "发货", Right.Decline: "拒单", Right.Refund: "退款"},
    ),
    PolicyField: {
        PolicyField.AcceptWindow: Label("accept window", "接单时限"),
        PolicyField.DeliverWindow: Label("deliver window", "发货时限"),
        PolicyField.InspectWindow: Label("inspect window", "验货时限"),
        PolicyField.NegotiateWindow: Label("negotiate window", "协商时限"),
        PolicyField.MediateWindow: Label("mediate window", "仲裁时限"),
        PolicyField.PlatformFee: Label("platform fee", "平台手续费"),
        PolicyField.CancelFee: Label("cancel fee", "取消费"),
        PolicyField.SellerBond: Label("seller's bond", "卖家保证金"),
        PolicyField.DisputeBond: Label("dispute bond", "争议押金"),
        PolicyField.MediationFee: Label("mediation fee", "仲裁费"),
        PolicyField.SilenceShare: Label("buyer's share on mediator silence", "仲裁超时买家份额"),
        PolicyField.EffectiveFrom: Label("effective date", "生效时间"),
        PolicyField.ReviewBy: Label("review date", "复审期限"),
    },
}

# By the name of the attribute in ``Policy``, in its order; then what lives beside it.
POLICY_LABELS: dict[str, Label] = {
    "platform": Label("platform", "平台"),
    "accept_window": _LABELS[PolicyField][PolicyField.AcceptWindow],
    "deliver_window": _LABELS[PolicyField][PolicyField.DeliverWindow],
    "inspect_window": _LABELS[PolicyField][PolicyField.InspectWindow],
    "negotiate_window": _LABELS[PolicyField][PolicyField.NegotiateWindow],
    "mediate_window": _LABELS[PolicyField][PolicyField.MediateWindow],
    "platform_fee_bps": _LABELS[PolicyField][PolicyField.PlatformFee],
    "cancel_fee_bps": _LABELS[PolicyField][PolicyField.CancelFee],
    "seller_bond_bps": _LABELS[PolicyField][PolicyField.SellerBond],
    "dispute_bond_bps": _LABELS[PolicyField][PolicyField.DisputeBond],
    "mediation_fee_bps": _LABELS[PolicyField][PolicyField.MediationFee],
    "silence_share_bps": _LABELS[PolicyField][PolicyField.SilenceShare],
    "mediator": Label("mediator", "仲裁员"),
    "backup_mediator": Label("backup mediator", "候补仲裁员"),
    "fee_receiver": Label("fee receiver", "手续费收款地址"),
    "effective_from": _LABELS[PolicyField][PolicyField.EffectiveFrom],
    "review_by": _LABELS[PolicyField][PolicyField.ReviewBy],
}
