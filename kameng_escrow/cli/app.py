"""The tree of commands."""

from typing import Annotated, Any

import typer
from typer.main import get_command

from .. import __version__
from . import (
    advising,
    auditing,
    buying,
    deliveries,
    demonstration,
    deposits,
    following,
    keeping,
    listing_papers,
    machinery,
    money,
    network,
    notifying,
    offering,
    order_papers,
    order_payments,
    order_summary,
    order_verbs,
    order_views,
    policies,
    receipts,
    relaying,
    reputation,
    retention,
    risk_anomalies,
    risk_trends,
    risking,
    serving,
    simulating,
    statements,
    transcripts,
    upkeep,
)
from .command import Group, both, group
from .subject import names_order


class OrderGroup(Group):
    """`kameng order 0x…` shows that order, as `kameng order show 0x…` does."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if args and args[0] not in self.commands and names_order(args[0]):
            args = ["show", *args]
        return super().resolve_command(ctx, args)


def build() -> Any:
    """The whole tree, with help in both languages."""
    app = group(
        "kameng",
        "卡密订单托管：钱在合约里，每个状态都有时限和结果。",
        "Escrow for game-card orders: money in a contract, and a clock with an outcome for every state.",
    )
    app.callback(invoke_without_command=True)(_root)
    order = group(
        "order",
        "一笔订单：起草、付款、接单、发货、争议、结算（kameng order 订单号 查看）",
        "One order, from draft to settlement (`kameng order ID` shows it)",
        OrderGroup,
    )
    policy = group(
        "policy",
        "平台的规则：起草、检查、登记、复审、停用",
        "A platform's rules: draft, check, register, review, retire",
    )
    demonstration.register(app)
    network.register(app)
    simulating.register(app)
    policies.register(policy)
    advising.register(policy)
    app.add_typer(policy)
    delivery = group(
        "delivery",
        "卡密交付：加密、打开、披露、核对",
        "Codes: sealed by the seller, opened by the buyer, shown to the mediator",
    )
    order_papers.register(order)
    listing_papers.register(order)
    order_payments.register(order)
    order_verbs.register(order)
    deposits.register(order)
    order_views.register(order, app)
    order_summary.register(order)
    app.add_typer(order)
    deliveries.register(delivery)
    app.add_typer(delivery)
    receipt = group(
        "receipt",
        "条款凭据：没有平台也能操作订单",
        "Terms receipts: acting on an order without the platform",
    )
    app.add_typer(receipt)
    receipts.register(receipt, app)
    buyer = group(
        "buyer",
        "没有钱包的买家：密钥在文件里，签名交给平台代送",
        "Buyers without a wallet: a key in a file, whose signatures a platform brings",
    )
    buying.register(buyer)
    app.add_typer(buyer)
    transcript = group(
        "transcript",
        "聊天记录：导出、核验",
        "What was said about an order: export it, check it",
    )
    transcripts.register(transcript, app)
    app.add_typer(transcript)
    offers = group("offers", "自动签署报价", "Offers that a seller's program makes by itself")
    offering.register(offers)
    app.add_typer(offers)
    following.register(app)
    keeping.register(app)
    relaying.register(app)
    serving.register(app)
    notifying.register(app)
    upkeep.register(app)
    money.register(app)
    reputation.register(app)
    statements.register(app)
    retention.register(app)
    risk = group(
        "risk",
        "风险：订单会不会出问题，评分准不准，有什么异常，走势如何",
        "Risk: how likely orders end badly, how good the figures are, what is out of the ordinary, where things head",
    )
    risking.register(risk)
    risk_anomalies.register(risk)
    risk_trends.register(risk)
    app.add_typer(risk)
    audit = group("audit", "审计日志：员工做过的事，环环相扣", "The audit log: what staff did, in a chain of hashes")
    auditing.register(audit)
    app.add_typer(audit)
    machinery.register(app)
    return get_command(app)


def _root(
    version: Annotated[bool, typer.Option("--version", help=both("打印版本号", "Print the version"))] = False,
    lang: Annotated[  # `main` hands this and the next on to the command
        str, typer.Option("--lang", metavar="zh|en", help=both("输出语言", "Language of the output"))
    ] = "",
    as_json: Annotated[
        bool, typer.Option("--json", help=both("输出给程序读的 JSON", "Answer in JSON, for machines"))
    ] = False,
) -> None:
    del lang, as_json
    if version:
        typer.echo(f"kameng_escrow {__version__}")
        raise typer.Exit
