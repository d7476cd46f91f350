"""The simulation's own words in both languages."""

from kameng_escrow.domain.labels import Label

WORDS: dict[str, Label] = {
    # axes and legends
    "orders": Label("orders", "订单数"),
    "yuan lost": Label("yuan lost", "损失（元）"),
    "million gas": Label("million gas", "百万 gas"),
    "hours from payment to money": Label("hours from payment to money", "从付款到钱款到账（小时）"),
    "% of orders": Label("% of orders", "占订单（%）"),
    "days": Label("days", "天"),
    "yuan in escrow": Label("yuan in escrow", "托管中（元）"),
    "prices": Label("prices and dispute bonds", "货款与争议押金"),
    "bonds": Label("sellers' bonds", "卖家保证金"),
}

_ROLES = {"buyer": "买家", "seller": "卖家", "mediator": "仲裁员", "platform": "平台"}
_KINDS = {
    "patient": "耐心",
    "forgetful": "健忘",
    "impulsive": "冲动",
    "fraudulent": "欺诈",
    "accomplice": "托儿",
    "prompt": "及时",
    "overselling": "超卖",
    "vanishing": "跑路",
    "bad-codes": "坏码",
    "card-thief": "盗卡",
    "careful": "认真",
    "slow": "缓慢",
    "absent": "缺席",
}


def kind_label(kind: str) -> Label:
    """`buyer patient` in both languages; a kind of one's own by its own name."""
    role, _, name = kind.partition(" ")
    return Label(f"{name} {role}" if name else role, f"{_KINDS.get(name, name)}{_ROLES.get(role, role)}")
