"""The fields of a policy, what the contract allows in them, what is recommended, what the checker says."""

import contextlib
import io
from dataclasses import fields

from kameng_escrow.cli.app import build
from kameng_escrow.domain import policy as bounds
from kameng_escrow.domain.labels import POLICY_LABELS
from kameng_escrow.domain.policy import Policy
from kameng_escrow.domain.policy_warnings import WARNINGS

from .text import Lang, Text, table


def _window(least: int, lang: Lang) -> str:
    text = {300: Text("5 分钟", "5 minutes"), 3_600: Text("1 小时", "1 hour"), 86_400: Text("1 天", "1 day")}[least][
        lang
    ]
    return f"{text} … {bounds.MAX_WINDOW // 86_400} {Text('天', 'days')[lang]}"


def _share(most: int) -> str:
    return f"0 … {most / 100:g} %"


ADDRESS = Text("地址", "address")
BOUNDS = {
    "platform": Text("地址，等于登记者", "address, equal to who registers"),
    "accept_window": bounds.MIN_ACTION_WINDOW,
    "deliver_window": bounds.MIN_ACTION_WINDOW,
    "inspect_window": bounds.MIN_TALK_WINDOW,
    "negotiate_window": bounds.MIN_TALK_WINDOW,
    "mediate_window": bounds.MIN_MEDIATE_WINDOW,
    "platform_fee_bps": _share(bounds.MAX_PLATFORM_FEE_BPS),
    "cancel_fee_bps": _share(bounds.MAX_BPS),
    "seller_bond_bps": _share(bounds.MAX_BPS),
    "dispute_bond_bps": _share(bounds.MAX_BPS),
    "mediation_fee_bps": Text("0 … 两种押金比例中较小的一个", "0 … the smaller of the two bonds"),
    "silence_share_bps": _share(10_000),
    "mediator": Text("地址；零：没有仲裁", "address; zero: none"),
    "backup_mediator": Text("地址；零：整段归仲裁员", "address; zero: the mediator has the whole window"),
    "fee_receiver": Text("地址，不能为零", "address, never zero"),
    "effective_from": Text("Unix 秒", "Unix seconds"),
}
EXTRA = {
    "mediate_window": Text("；没有仲裁员时必须为零", "; zero exactly when there is no mediator"),
    "cancel_fee_bps": Text("；或 8191：接单后不可取消", "; or 8191: no cancel once accepted"),
}
MEANING = {
    "platform": Text(
        "登记、复审、停用规则，发货前可介入", "registers, reviews, retires; may intervene before delivery"
    ),
    "accept_window": Text("卖家须在此时间内接单", "the seller accepts within"),
    "deliver_window": Text("卖家须在此时间内发货", "the seller delivers within"),
    "inspect_window": Text("买家在此时间内验货，过期自动放款", "the buyer inspects within; then the seller is paid"),
    "negotiate_window": Text("争议后先由双方协商", "the parties talk first, once disputed"),
    "mediate_window": Text(
        "随后由仲裁员裁决：前半段仲裁员，后半段候补", "then the mediator rules: the first half, the backup the second"
    ),
    "platform_fee_bps": Text("从卖家所得中收取", "of what the seller earns"),
    "cancel_fee_bps": Text(
        "接单后买家取消，按货款付给卖家", "of the price, to the seller, when the buyer cancels once accepted"
    ),
    "seller_bond_bps": Text("接单时按货款锁定", "of the price, locked at acceptance"),
    "dispute_bond_bps": Text("发起争议时买家按争议金额交", "of the sum in dispute, from the buyer"),
    "mediation_fee_bps": Text("裁决或认输时按争议金额付给仲裁员", "of the sum in dispute, to the mediator who rules"),
    "silence_share_bps": Text(
        "没人裁决时买家分得争议金额的比例", "of the sum in dispute, to the buyer when nobody rules"
    ),
    "mediator": Text("裁决争议的人", "who rules"),
    "backup_mediator": Text("后半段由他裁决", "who rules in the second half"),
    "fee_receiver": Text("手续费付到这里", "where platform fees go"),
    "effective_from": Text("从这一秒起可以下单", "the first second at which orders may be opened"),
}


def policy_fields(lang: Lang) -> str:
    """Every field of a policy with its bounds."""
    heads = Text("字段 | 名称 | 含义 | 范围", "Field | Name | Meaning | Bounds")[lang].split(" | ")
    rows = []
    for field in fields(Policy):
        label = POLICY_LABELS[field.name]
        bound = BOUNDS[field.name]
        text = bound[lang] if isinstance(bound, Text) else bound if isinstance(bound, str) else _window(bound, lang)
        if field.name in EXTRA:
            text += EXTRA[field.name][lang]
        rows.append([f"`{field.name}`", label.zh if lang == "zh" else label.en, MEANING[field.name][lang], text])
    return table(heads, rows)


def policy_draft(lang: Lang) -> str:  # noqa: ARG001  # the same in both
    """What `kameng policy draft` writes, for two made-up mediators."""
    said = io.StringIO()
    people = ["--mediator", "0x" + "11" * 20, "--backup", "0x" + "22" * 20]
    with contextlib.redirect_stdout(said):
        build().main(["policy", "draft", *people], standalone_mode=False)
    return f"```json\n{said.getvalue().strip()}\n```"


def policy_warnings(lang: Lang) -> str:
    """Every warning of the checker; in ⟨…⟩ what it computes for the policy at hand."""
    heads = Text("`code` | 提醒", "`code` | Warning")[lang].split(" | ")
    found = ((code, label.zh if lang == "zh" else label.en) for code, label in WARNINGS.items())
    return table(heads, ([f"`{code}`", text.replace("{", "⟨").replace("}", "⟩")] for code, text in found))
