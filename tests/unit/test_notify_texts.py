"""What people are told, word by word where the words ask for something."""

from zoneinfo import ZoneInfo

import pytest

from kameng_escrow.domain.currency import Currency
from kameng_escrow.domain.states import State
from kameng_escrow.notify.texts import Reader, Texts
from kameng_escrow.notify.topics import STOCK_ASKED
from tests.unit.histories import TERMS, order_in

URL = "https://escrow.example"
TEXTS = Texts(lambda token: Currency(token, "TUSD", 6), URL)
ASKED = {
    "en": (
        "Are the goods there?",
        "Orders like this one fail more often than others. If you have the goods, deliver or say so; if not, decline "
        "now: that costs less than to let the clock run out.",
    ),
    "zh": (
        "请确认有货",
        "类似的订单更容易失败。有货请尽快发货或答复有货；没有货请现在拒单：比让时限到期损失小。",
    ),
}


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("state", [State.Opened, State.Accepted])
def test_a_seller_is_asked_whether_the_goods_are_there_and_told_what_it_may_do(language: str, state: State) -> None:
    order = order_in(state)
    assert order.deadline is not None
    reader = Reader(account=TERMS.seller, language=language, zone=ZoneInfo("Asia/Shanghai"), now=order.deadline - 60)
    words = TEXTS.of(STOCK_ASKED, {}, order, reader)
    title, question = ASKED[language]
    assert words.title == f"{title} · {words.title.rpartition(' ')[2]}"
    assert order.id.startswith(words.title.rpartition(" ")[2].split("…")[0])
    first, *rest = words.body.split("\n")
    assert first == question
    told = "\n".join(rest)  # what declining does, and until when it may be done, is what the seller has to weigh
    for one in {"en": ("Price: ", "Decline", "you may: "), "zh": ("金额：", "拒单", "你最迟可在 ")}[language]:
        assert one in told
    assert words.link == f"{URL}/orders/{order.id}"


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_question_stands_alone_where_a_reorganisation_took_the_order_away(language: str) -> None:
    reader = Reader(account=TERMS.seller, language=language, zone=ZoneInfo("UTC"), now=0)
    words = TEXTS.of(STOCK_ASKED, {}, None, reader)
    assert (words.title, words.body, words.link) == (*ASKED[language], None)
