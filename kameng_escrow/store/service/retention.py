"""How long what the service keeps is kept, and how it goes: by age, or because a person asks.

Each topic has its kinds of records here. What goes are words, codes, files and ways to reach somebody; what stays are
hashes, commitments, the log's links and what the chain has, so that every proof still holds. Each step is one
transaction with its entry in the audit log.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from kameng_escrow.store.store import Store

from . import keeping_rules as rules
from .audit import audit

DAY = 86_400
LEGAL_DAYS = 1_096  # three years, as China's E-Commerce Law (article 31) has platforms keep records of transactions
ACTOR = "kameng retention"
_AT_ONCE = 100  # orders, or rows, in one transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of record that goes by age."""

    name: str
    zh: str  # what goes
    en: str
    least_days: int  # it is kept at least so long after its order closed
    count: Callable[[Session, rules.Span], int]
    erase: Callable[[Session, rules.Span, int], int]  # at most so many; how many those were


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonalKind:
    """A kind of record that goes when the account it is about asks."""

    name: str
    zh: str
    en: str
    is_record: bool  # of transactions: it stays until `LEGAL_DAYS` after its order closed
    count: Callable[[Session, rules.Person], int]
    erase: Callable[[Session, rules.Person], int]


KINDS: tuple[Kind, ...] = (
    Kind(
        name="codes",
        zh="已结束订单的密文、指纹和披露的卡密（哈希和承诺保留）",
        en="encrypted codes, fingerprints and disclosed codes of closed orders (hashes and commitments stay)",
        least_days=0,
        count=rules.count_codes,
        erase=rules.erase_codes,
    ),
    Kind(
        name="talk",
        zh="已结束订单聊天室里说的话和文件（每条的哈希保留）",
        en="what was said and sent in the rooms of closed orders (each entry's hash stays)",
        least_days=LEGAL_DAYS,
        count=rules.count_talk,
        erase=rules.erase_talk,
    ),
    Kind(
        name="papers",
        zh="已结束争议的证据和裁决理由（哈希保留，链上也有）",
        en="evidence and grounds of closed disputes (their hashes stay, on the chain too)",
        least_days=LEGAL_DAYS,
        count=rules.count_papers,
        erase=rules.erase_papers,
    ),
    Kind(
        name="quotes",
        zh="已了结的报价和要约（订单条款在链上）",
        en="quotes and offers that are over (an order's terms are on the chain)",
        least_days=LEGAL_DAYS,
        count=rules.count_quotes,
        erase=rules.erase_quotes,
    ),
    Kind(
        name="sessions",
        zh="过期的登录",
        en="sessions that are over",
        least_days=0,
        count=rules.count_sessions,
        erase=rules.erase_sessions,
    ),
)

PERSONAL: tuple[PersonalKind, ...] = (
    PersonalKind(
        name="channels",
        zh="通知渠道、偏好和发过的通知",
        en="notification channels, preferences and what was sent",
        is_record=False,
        count=rules.count_channels_of,
        erase=rules.erase_channels_of,
    ),
    PersonalKind(
        name="sessions",
        zh="登录",
        en="sessions",
        is_record=False,
        count=rules.count_sessions_of,
        erase=rules.erase_sessions_of,
    ),
    PersonalKind(
        name="answers",
        zh="为防重复而保留的请求回答",
        en="answers kept so that requests may come twice",
        is_record=False,
        count=rules.count_answers_of,
        erase=rules.erase_answers_of,
    ),
    PersonalKind(
        name="codes",
        zh="作为买家的已结束订单的卡密",
        en="codes of closed orders in which it was the buyer",
        is_record=False,
        count=rules.count_codes_of,
        erase=rules.erase_codes_of,
    ),
    PersonalKind(
        name="talk",
        zh="在已结束订单的聊天室里说的话和文件",
        en="what it said and sent in the rooms of closed orders",
        is_record=True,
        count=rules.count_talk_of,
        erase=rules.erase_talk_of,
    ),
    PersonalKind(
        name="papers",
        zh="在已结束争议里写的证据和理由",
        en="evidence and grounds that it wrote in closed disputes",
        is_record=True,
        count=rules.count_papers_of,
        erase=rules.erase_papers_of,
    ),
)


def due(store: Store, contract_id: int, *, now: int, days: int = LEGAL_DAYS) -> dict[str, int]:
    """How many records of each kind are older than `days`, and would go.

    Raises:
        StoreError: as `Store.reading`.
    """
    with store.reading() as session:
        return {kind.name: kind.count(session, _span(kind, contract_id, now, days)) for kind in KINDS}


def clear(
    store: Store,
    contract_id: int,
    names: Sequence[str],
    *,
    now: int,
    days: int = LEGAL_DAYS,
    progress: Callable[[str, int], None] | None = None,
) -> dict[str, int]:
    """Erases what is older than `days`, of these kinds; a kind that must be kept longer, only what is older than that.

    Raises:
        StoreError: as `Store.writing`. What was erased before stays erased.
    """
    gone = dict.fromkeys(names, 0)
    for kind in (kind for kind in KINDS if kind.name in names):
        span = _span(kind, contract_id, now, days)
        while True:
            with store.writing() as session:
                erased = kind.erase(session, span, _AT_ONCE)
                if erased:
                    audit(
                        session,
                        ACTOR,
                        "retention.erase",
                        kind.name,
                        {"contract_id": contract_id, "before": span.before, "erased": erased},
                    )
            gone[kind.name] += erased
            if progress is not None:
                progress(kind.name, gone[kind.name])
            if not erased:
                break
    return gone


def personal(store: Store, contract_id: int, account: str, *, now: int, records_too: bool = False) -> dict[str, int]:
    """How much of an account's would go if it asked. `records_too`: also what the law has us keep longer."""
    person = _person(contract_id, account, now, records_too)
    with store.reading() as session:
        return {kind.name: kind.count(session, person[kind.is_record]) for kind in PERSONAL}


def erase_account(
    store: Store,
    contract_id: int,
    account: str,
    *,
    now: int,
    actor: str = ACTOR,
    reason: str,
    records_too: bool = False,
) -> dict[str, int]:
    """Erases what is an account's own, in one transaction: all of it or nothing. What is needed for orders that are
    still open stays; so do records of transactions until three years are over, unless `records_too`.

    Raises:
        StoreError: as `Store.writing`.
    """
    person = _person(contract_id, account, now, records_too)
    with store.writing() as session:
        gone = {kind.name: kind.erase(session, person[kind.is_record]) for kind in PERSONAL}
        details: Mapping[str, object] = {"reason": reason, "records_too": records_too, "erased": gone}
        audit(session, actor, "account.erase", account, details)
    return gone


def _span(kind: Kind, contract_id: int, now: int, days: int) -> rules.Span:
    return rules.Span(contract_id=contract_id, before=now - max(days, kind.least_days) * DAY, now=now)


def _person(contract_id: int, account: str, now: int, records_too: bool) -> Mapping[bool, rules.Person]:
    """By whether it is for records: whose orders must have been closed how long."""
    before = {False: now + 1, True: now + 1 if records_too else now - LEGAL_DAYS * DAY}
    return {
        is_record: rules.Person(contract_id=contract_id, account=account, closed_before=second, now=now)
        for is_record, second in before.items()
    }
