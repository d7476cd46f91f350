"""`kameng bond …`, `credit …`, `fees …`, `operator …`: what belongs to accounts, not to orders."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..domain.labels import rights_label
from ..domain.order import NATIVE
from ..domain.signed import OperatorGrant
from ..domain.states import Right
from .command import CHAIN, both, command, group
from .deeds import receipt_data, receipt_text
from .forms import clock, iso, parse_address, parse_hash, parse_time
from .problems import BadInput
from .screen import Answer
from .session import Session

if TYPE_CHECKING:
    from ..client.results import Receipt

AMOUNT = Annotated[str, typer.Argument(metavar="AMOUNT", help=both("金额，如 12.50", "An amount, such as 12.50"))]
TOKEN = Annotated[
    str, typer.Option("--token", metavar="ADDRESS", help=both("代币；缺省是原生币", "The token; else the native coin"))
]
TO = Annotated[
    str,
    typer.Option("--to", metavar="ADDRESS", help=both("收款地址；缺省是密钥的主人", "Where to; else the key's owner")),
]
ACCOUNT = Annotated[
    str,
    typer.Option("--account", metavar="ADDRESS", help=both("谁的；缺省是密钥的主人", "Whose; else the key's owner")),
]
POLICY = Annotated[str, typer.Option("--policy", metavar="HASH", help=both("规则编号", "The policy's id"))]
OPERATOR = Annotated[str, typer.Argument(metavar="OPERATOR", help=both("代理操作员的地址", "The operator's address"))]


def register(app: typer.Typer) -> None:
    """Adds the groups to `app`."""
    bond = group("bond", "卖家保证金余额", "A seller's bond balance")
    command(bond, "fund", zh="存入保证金", en="Add to a bond balance", uses=CHAIN)(fund)
    command(bond, "withdraw", zh="取出未锁定的保证金", en="Take what is not locked in orders", uses=CHAIN)(withdraw)
    command(bond, "show", zh="查看可用保证金", en="Show what is not locked in orders", uses=CHAIN)(bond_show)
    credit = group("credit", "没能付出去、记在账上的钱", "Payments that were refused, kept for their receiver")
    command(credit, "show", zh="查看记账余额", en="Show a credit", uses=CHAIN)(credit_show)
    command(
        credit,
        "pay",
        zh="再付一次给本人（任何人都可以）",
        en="Try again to pay it to its owner (anyone may)",
        uses=CHAIN,
    )(pay)
    command(credit, "withdraw", zh="本人把余额转到别处", en="Direct your own credit elsewhere", uses=CHAIN)(
        credit_withdraw
    )
    fees = group("fees", "平台手续费", "A platform's fees")
    command(fees, "show", zh="查看未领取的手续费", en="Show what was earned and not claimed", uses=CHAIN)(fees_show)
    command(fees, "claim", zh="把手续费付给规则里的收款地址", en="Pay them to the policy's fee receiver", uses=CHAIN)(
        claim
    )
    operator = group("operator", "授权别人代为接单、发货、拒单、退款", "Let others accept, deliver, decline or refund")
    command(
        operator,
        "set",
        zh="授予、修改或（--rights none）收回权限",
        en="Grant, change or (--rights none) take rights",
        uses=CHAIN,
    )(operator_set)
    command(operator, "show", zh="查看一个授权", en="Show a grant", uses=CHAIN)(operator_show)
    for below in (bond, credit, fees, operator):
        app.add_typer(below)


def fund(
    session: Session,
    amount: AMOUNT,
    token: TOKEN = "",
    seller: Annotated[
        str,
        typer.Option(
            "--seller", metavar="ADDRESS", help=both("存给谁；缺省是密钥的主人", "Whose; else the key's owner")
        ),
    ] = "",
) -> Answer:
    client = session.acting()
    coin = _token(token)
    whose = parse_address(seller, "--seller") if seller else client.address
    sum_ = _amount(session, amount, coin)
    receipt = client.fund_bond(amount=sum_, token=coin, seller=whose)
    return _moved(
        session, receipt, coin, client.bond(seller=whose, token=coin), whose, "已存入，可用保证金", "Funded; free bond"
    )


def withdraw(session: Session, amount: AMOUNT, token: TOKEN = "", to: TO = "") -> Answer:
    client = session.acting()
    coin = _token(token)
    receipt = client.withdraw_bond(
        amount=_amount(session, amount, coin), token=coin, to=parse_address(to, "--to") if to else None
    )
    left = client.bond(seller=client.address, token=coin)
    return _moved(session, receipt, coin, left, client.address, "已取出，剩余可用保证金", "Withdrawn; free bond left")


def bond_show(session: Session, account: ACCOUNT = "", token: TOKEN = "") -> Answer:
    whose, coin = _whose(session, account), _token(token)
    amount = session.client().bond(seller=whose, token=coin)
    return _balance(session, amount, coin, whose, "可用保证金", "Free bond")


def credit_show(session: Session, account: ACCOUNT = "", token: TOKEN = "") -> Answer:
    whose, coin = _whose(session, account), _token(token)
    amount = session.client().credit(account=whose, token=coin)
    return _balance(session, amount, coin, whose, "记账余额", "Credit")


def pay(session: Session, account: ACCOUNT = "", token: TOKEN = "") -> Answer:
    client = session.acting()
    whose, coin = parse_address(account, "--account") if account else client.address, _token(token)
    receipt = client.pay_credit(account=whose, token=coin)
    left = client.credit(account=whose, token=coin)
    return _moved(session, receipt, coin, left, whose, "已付出，剩余", "Paid; left")


def credit_withdraw(session: Session, token: TOKEN = "", to: TO = "") -> Answer:
    client = session.acting()
    coin = _token(token)
    receipt = client.withdraw_credit(token=coin, to=parse_address(to, "--to") if to else None)
    left = client.credit(account=client.address, token=coin)
    return _moved(session, receipt, coin, left, client.address, "已转出，剩余", "Paid out; left")


def fees_show(session: Session, policy: POLICY, token: TOKEN = "") -> Answer:
    policy_id, coin = parse_hash(policy, "--policy"), _token(token)
    amount = session.client().fees(policy_id, token=coin)
    return _balance(session, amount, coin, policy_id, "未领取的手续费", "Fees to claim")


def claim(session: Session, policy: POLICY, token: TOKEN = "") -> Answer:
    policy_id, coin = parse_hash(policy, "--policy"), _token(token)
    client = session.acting()
    receipt = client.claim_fees(policy_id, token=coin)
    left = client.fees(policy_id, token=coin)
    return _moved(session, receipt, coin, left, policy_id, "手续费已付出，剩余", "Fees paid; left")


def operator_set(
    session: Session,
    operator: OPERATOR,
    policy: POLICY,
    rights: Annotated[
        str,
        typer.Option(
            "--rights",
            metavar="LIST",
            help=both("accept,deliver,decline,refund，或 all、none", "accept,deliver,decline,refund; or all, none"),
        ),
    ],
    token: TOKEN = "",
    expires: Annotated[
        str,
        typer.Option("--expires", metavar="TIME", help=both("有效到何时：30d，或时间", "Until when: 30d, or a time")),
    ] = "30d",
    max_price: Annotated[
        str,
        typer.Option("--max-price", metavar="AMOUNT", help=both("最大单价；缺省不限", "The largest price; else any")),
    ] = "",
) -> Answer:
    who, policy_id, coin = parse_address(operator, "OPERATOR"), parse_hash(policy, "--policy"), _token(token)
    held = _rights(rights)
    client = session.acting()
    now = client.now()
    until = parse_time(expires, now, "有效期", "The expiry")
    limit = _amount(session, max_price, coin) if max_price else 2**128 - 1
    grant = OperatorGrant(rights=held, expiry=until if held else 0, max_price=limit if held else 0)
    receipt = client.set_operator(who, policy_id=policy_id, token=coin, grant=grant)
    label = getattr(rights_label(held), session.screen.lang)
    text = session.screen.say(f"✓ {who} 的权限：{label}", f"✓ {who} may: {label}")
    data = {**_grant_data(who, policy_id, coin, grant), **receipt_data(receipt)}
    return Answer(data, [text, receipt_text(session, receipt)])


def operator_show(
    session: Session, operator: OPERATOR, policy: POLICY, token: TOKEN = "", account: ACCOUNT = ""
) -> Answer:
    who, policy_id, coin = parse_address(operator, "OPERATOR"), parse_hash(policy, "--policy"), _token(token)
    seller = _whose(session, account)
    grant = session.client().operator(who, policy_id=policy_id, token=coin, seller=seller)
    label = getattr(rights_label(grant.rights), session.screen.lang)
    screen = session.screen
    lines = [screen.say(f"{who} 可为 {seller}：{label}", f"{who} may for {seller}: {label}")]
    if grant.rights:
        lines.append(screen.say(f"  {clock(grant.expiry)} 前有效", f"  until {clock(grant.expiry)}"))
    return Answer({"seller": seller, **_grant_data(who, policy_id, coin, grant)}, lines)


def _token(text: str) -> str:
    return parse_address(text, "--token") if text else NATIVE


def _whose(session: Session, account: str) -> str:
    return parse_address(account, "--account") if account else session.signer().address


def _amount(session: Session, text: str, token: str) -> int:
    amount = session.currency(token).parse(text)
    if amount == 0:
        raise BadInput("金额不能是 0。", "The amount can't be zero.")
    return amount


def _rights(text: str) -> int:
    if text == "none":
        return 0
    if text == "all":
        return sum(Right)
    known = {right.name.lower(): right for right in Right}
    held = 0
    for word in text.lower().split(","):
        if word.strip() not in known:
            listed = ", ".join(known)
            raise BadInput(f"没有 {word!r} 这种权限；可选 {listed}。", f"There is no right {word!r}: choose {listed}.")
        held |= known[word.strip()]
    return held


def _grant_data(who: str, policy_id: str, token: str, grant: OperatorGrant) -> dict[str, Any]:
    return {
        "operator": who,
        "policy_id": policy_id,
        "token": token,
        "rights": [right.name for right in Right if grant.rights & right],
        "expiry": iso(grant.expiry) if grant.rights else None,
        "max_price": str(grant.max_price),
    }


def _balance(session: Session, amount: int, token: str, whose: str, zh: str, en: str) -> Answer:
    text = f"{session.screen.say(zh, en)} {session.currency(token).show(amount)}  {whose}"
    return Answer({"of": whose, "token": token, "amount": str(amount)}, [text])


def _moved(session: Session, receipt: "Receipt", token: str, left: int, whose: str, zh: str, en: str) -> Answer:
    answer = _balance(session, left, token, whose, f"✓ {zh}", f"✓ {en}")
    return Answer({**answer.data, **receipt_data(receipt)}, [*answer.lines, receipt_text(session, receipt)])
