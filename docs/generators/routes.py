"""The service's routes, from the interface's own description."""

from kameng_escrow.service.callers import OrderRole
from kameng_escrow.service.description import description

from .text import Lang, Text, table

_WHO = {
    "anyone": Text("任何人", "anyone"),
    "account": Text("登录的账户", "a signed-in account"),
    OrderRole.Buyer: Text("买家", "buyer"),
    OrderRole.Seller: Text("卖家", "seller"),
    OrderRole.Operator: Text("操作员", "operator"),
    OrderRole.Mediator: Text("仲裁员", "mediator"),
    OrderRole.Backup: Text("候补仲裁员", "backup"),
    OrderRole.Platform: Text("平台", "platform"),
}


def route_table(lang: Lang) -> str:
    """Every route: method, path, who may call it, what it does."""
    heads = Text("请求 | 谁可以 | 密钥权限 | 说明", "Request | Who may | Scope of a key | What it does")[lang].split(
        " | "
    )
    rows = []
    for path, methods in description()["paths"].items():
        for method, operation in methods.items():
            admitted = operation["x-access"]
            who = "、" if lang == "zh" else ", "
            people = who.join(_WHO[one][lang] for one in admitted if not one.startswith("key:"))
            scopes = ", ".join(f"`{one.removeprefix('key:')}`" for one in admitted if one.startswith("key:")) or "–"
            rows.append([f"`{method.upper()} {path}`", people, scopes, _first(operation["description"])])
    return table(heads, rows)


def _first(text: str) -> str:
    return " ".join(text.split()).partition(". ")[0].rstrip(".") + "."
