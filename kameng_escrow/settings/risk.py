"""The settings of the risk worker."""

from .forms import UNITS, whole
from .row import Setting

ROWS: tuple[Setting, ...] = (
    Setting(
        name="risk_threads",
        env="KAMENG_RISK_THREADS",
        flag="--risk-threads",
        metavar="N",
        default="1",
        zh="风险模型训练时最多用几个线程；机器上还有别的事时，一个最快",
        en="How many threads the training of risk models may take; beside other work one is fastest",
        form=whole(1, 256),
    ),
    Setting(
        name="advice_days",
        env="KAMENG_ADVICE_DAYS",
        flag="--advice-days",
        metavar="N",
        default="7",
        zh="每隔多少天重做一次规则建议报告（每组约占一个处理器 15 秒）；0 表示不做",
        en="Days between reports of advice on a platform's rules (each takes a processor for a quarter of a minute); "
        "0: none are made",
        form=whole(0, 365),
    ),
    Setting(
        name="yuan_tokens",
        env="KAMENG_YUAN_TOKENS",
        flag="--yuan-tokens",
        metavar="TOKEN=UNITS,…",
        default="",
        zh="这些代币的多少最小单位值一元人民币，供规则建议换算价格；不填的代币，中位订单按 100 元算",
        en="How many base units of these tokens one yuan comes to, for prices in advice on rules; of tokens that are "
        "not named, the median order is taken to cost 100 yuan",
        form=UNITS,
    ),
)
