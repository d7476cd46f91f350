"""The settings of reputation, statements and records."""

from .forms import ADDRESSES, UNITS
from .row import Setting

ROWS: tuple[Setting, ...] = (
    Setting(
        name="reputation_tokens",
        env="KAMENG_REPUTATION_TOKENS",
        flag="--reputation-tokens",
        metavar="TOKEN=UNITS,…",
        default="0x0000000000000000000000000000000000000000=10000000000000",
        zh="信誉只算这些代币的订单；等号后是“算一整单”的平台手续费（最小单位），零地址是原生币",
        en="The tokens whose orders count for reputation, each with the platform fee, in base units, that makes an "
        "order a whole one; the zero address is the native coin",
        form=UNITS,
    ),
    Setting(
        name="reputation_platforms",
        env="KAMENG_REPUTATION_PLATFORMS",
        flag="--reputation-platforms",
        metavar="ADDRESS,…",
        default="",
        zh="信誉只算这些平台规则下的订单；不填则全算，而自建平台刷单不花手续费",
        en="The platforms whose orders count for reputation; without it all do, and a cheat's own platform costs him "
        "nothing",
        form=ADDRESSES,
    ),
)
