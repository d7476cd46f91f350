"""Signatures, against the library of those who wrote the standard, and against what a receiver must not believe."""

import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from standardwebhooks import Webhook, WebhookVerificationError

from kameng_escrow.webhooks import (
    AlreadyHandled,
    BadSecret,
    BodyMalformed,
    HeaderMalformed,
    HeaderMissing,
    InMemory,
    NotFinal,
    SignatureWrong,
    TimestampOff,
    WebhookReceiver,
    WebhookRefused,
    new_secret,
    signed_headers,
)

NOW = 1_790_000_000
ID = "msg_01jbq_7"

secrets = st.binary(min_size=24, max_size=64).map(lambda key: "whsec_" + base64.b64encode(key).decode())
ids = st.text("abcdefghijklmnopqrstuvwxyz0123456789_-", min_size=1, max_size=64)
seconds = st.integers(1, 2**33)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=300)


def body(**changes: Any) -> bytes:
    document = {
        "type": "order.opened",
        "timestamp": "2026-09-21T12:53:20Z",
        "data": {"order_id": "0x" + "ab" * 32, "price": "1000007", "名": "卡密"},
        "final": True,
        "chain_id": 31337,
        "contract": "0x" + "Cd" * 20,
    }
    return json.dumps({**document, **changes}, ensure_ascii=False).encode()


def receiver(*given: str, at: float = NOW, **options: Any) -> WebhookReceiver:
    return WebhookReceiver(given, clock=lambda: at, **options)


# ---------------------------------------------------------------------------------------------------------- the signer


def test_the_specs_own_example() -> None:
    """The values of the spec's libraries' tests."""
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    payload = b'{"test": 2432232314}'
    headers = signed_headers([secret], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, payload)
    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


@given(secret=secrets, name=ids, text=texts)
def test_the_standards_library_believes_what_we_sign(secret: str, name: str, text: str) -> None:
    now = int(datetime.now(UTC).timestamp())
    headers = signed_headers([secret], name, now, text.encode())
    Webhook(secret).verify(text.encode(), headers, json_parse=False)
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(text.encode() + b" ", headers, json_parse=False)


@given(secret=secrets, name=ids, at=seconds)
def test_we_believe_what_the_standards_library_signs(secret: str, name: str, at: int) -> None:
    given = Webhook(secret).sign(name, datetime.fromtimestamp(at, UTC), body().decode())
    headers = {"webhook-id": name, "webhook-timestamp": str(at), "webhook-signature": given}
    assert receiver(secret, at=at).verify(body(), headers).id == name


@given(old=secrets, new=secrets, name=ids)
def test_during_a_rotation_either_secret_is_enough(old: str, new: str, name: str) -> None:
    headers = signed_headers([new, old], name, NOW, body())
    assert receiver(old).verify(body(), headers) == receiver(new).verify(body(), headers)
    assert receiver(old, new).verify(body(), signed_headers([old], name, NOW, body())).id == name


@given(one=secrets, other=secrets, name=ids)
def test_no_other_secret_is(one: str, other: str, name: str) -> None:
    assume(one != other)
    with pytest.raises(SignatureWrong):
        receiver(other).verify(body(), signed_headers([one], name, NOW, body()))


@given(secret=secrets, place=st.integers(0, len(body()) - 1), bit=st.integers(0, 7))
def test_no_bit_of_the_body_may_change(secret: str, place: int, bit: int) -> None:
    changed = bytearray(body())
    changed[place] ^= 1 << bit
    with pytest.raises(SignatureWrong):
        receiver(secret).verify(bytes(changed), signed_headers([secret], ID, NOW, body()))


@given(secret=secrets, name=ids, other=ids, shift=st.integers(-299, 299).filter(bool))
def test_neither_id_nor_time_may_change(secret: str, name: str, other: str, shift: int) -> None:
    assume(name != other)
    headers = signed_headers([secret], name, NOW, body())
    for change in ({"webhook-id": other}, {"webhook-timestamp": str(NOW + shift)}):
        with pytest.raises(SignatureWrong):
            receiver(secret).verify(body(), headers | change)


@given(
    headers=st.dictionaries(
        st.sampled_from(["webhook-id", "webhook-timestamp", "webhook-signature", "Webhook-Id", "other"]),
        st.text(max_size=80) | st.sampled_from([ID, str(NOW), "v1,", "v1,AAAA", "v1,=", ",", "v2,x v1,y", "-1", "nan"]),
    ),
    raw=st.binary(max_size=100),
)
def test_nonsense_is_refused_and_nothing_else_happens(headers: dict[str, str], raw: bytes) -> None:
    """Only our own errors come out, whatever goes in."""
    with pytest.raises(WebhookRefused):
        receiver("whsec_" + "A" * 32).verify(raw, headers)


def test_an_id_with_a_full_stop_is_never_signed() -> None:
    with pytest.raises(ValueError, match="full stops"):
        signed_headers([new_secret()], "msg_1.2", NOW, body())


def test_secrets_are_32_random_bytes() -> None:
    assert len({new_secret() for _ in range(50)}) == 50
    assert len(base64.b64decode(new_secret().removeprefix("whsec_"))) == 32


@pytest.mark.parametrize(
    "secret",
    [
        "",
        "whsec_",
        "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "whsec_MfKQ",
        "whsec_****",
        "whsec_" + "A" * 88 + "AA==",
        "whpk_AAAA",
    ],
)
def test_what_is_no_secret_is_refused_and_not_shown(secret: str) -> None:
    with pytest.raises(BadSecret) as refused:
        WebhookReceiver(secret)
    hidden = secret.removeprefix("whsec_")
    assert len(hidden) < 5 or hidden not in refused.value.message + refused.value.message_zh


# -------------------------------------------------------------------------------------------- the receiver, by refusals

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
GOOD = signed_headers([SECRET], ID, NOW, body())


@pytest.mark.parametrize("name", list(GOOD))
def test_a_missing_header_is_refused(name: str) -> None:
    headers = {one: value for one, value in GOOD.items() if one != name}
    for these in (headers, headers | {name: ""}):
        with pytest.raises(HeaderMissing) as refused:
            receiver(SECRET).verify(body(), these)
        assert refused.value.name == name


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("webhook-id", "msg.1"),
        ("webhook-id", "msg 1"),
        ("webhook-id", "m" * 257),
        ("webhook-timestamp", "now"),
        ("webhook-timestamp", f"{NOW}.0"),
        ("webhook-timestamp", f" {NOW}"),
        ("webhook-timestamp", "-5"),
        ("webhook-timestamp", "٣"),
        ("webhook-timestamp", "9" * 13),
        ("webhook-signature", "v1"),
        ("webhook-signature", ",x"),
        ("webhook-signature", "v1,!!!"),
        ("webhook-signature", " ".join(["v2,AA"] * 17)),
    ],
)
def test_a_malformed_header_is_refused(name: str, value: str) -> None:
    with pytest.raises(HeaderMalformed) as refused:
        receiver(SECRET).verify(body(), GOOD | {name: value})
    assert refused.value.name == name


@pytest.mark.parametrize(("at", "age"), [(NOW + 301, 301), (NOW - 301, -301)])
def test_too_old_and_too_new_are_refused(at: int, age: int) -> None:
    with pytest.raises(TimestampOff) as refused:
        receiver(SECRET, at=at).verify(body(), GOOD)
    assert (refused.value.seconds, refused.value.tolerance) == (age, 300)


@pytest.mark.parametrize("at", [NOW - 300, NOW, NOW + 300])
def test_the_tolerance_includes_its_ends(at: int) -> None:
    assert receiver(SECRET, at=at).verify(body(), GOOD).sent_at == NOW


def test_other_kinds_of_signatures_do_not_count() -> None:
    other = GOOD["webhook-signature"].replace("v1,", "v1a,")
    with pytest.raises(SignatureWrong):
        receiver(SECRET).verify(body(), GOOD | {"webhook-signature": other})
    beside = GOOD | {"webhook-signature": f"{other} {GOOD['webhook-signature']}"}
    assert receiver(SECRET).verify(body(), beside).id == ID


@pytest.mark.parametrize(
    "raw",
    [
        b"{}",
        b"[]",
        b"nothing",
        b"\x00" * 9,
        body(timestamp="yesterday"),
        body(timestamp="2026-09-21T12:53:20"),
        body(data=[]),
        body(final="yes"),
        body(chain_id=None),
        b"[" * 100_000,
    ],
)
def test_a_body_that_is_no_event_is_refused_though_it_is_rightly_signed(raw: bytes) -> None:
    with pytest.raises(BodyMalformed):
        receiver(SECRET).verify(raw, signed_headers([SECRET], ID, NOW, raw))


def test_an_event_is_read() -> None:
    event = receiver(SECRET).verify(body(retracts="msg_0"), signed_headers([SECRET], ID, NOW, body(retracts="msg_0")))
    assert event.type == "order.opened"
    assert event.timestamp == datetime(2026, 9, 21, 12, 53, 20, tzinfo=UTC)
    assert event.data["price"] == "1000007"
    assert (event.final, event.retracts, event.chain_id) == (True, "msg_0", 31337)
    assert event.require_final() is event


def test_headers_of_any_case_will_do() -> None:
    assert receiver(SECRET).verify(body(), {name.title(): value for name, value in GOOD.items()}).id == ID


def test_goods_stay_where_they_are_on_news_that_is_not_final() -> None:
    raw = body(final=False)
    event = receiver(SECRET).verify(raw, signed_headers([SECRET], ID, NOW, raw))
    with pytest.raises(NotFinal):
        event.require_final()


# --------------------------------------------------------------------------------------------------------------- memory


def test_a_message_is_handled_once() -> None:
    one = receiver(SECRET)
    with one.handling(body(), GOOD) as event:
        assert event.id == ID
        with pytest.raises(AlreadyHandled), one.handling(body(), GOOD):
            pass
    with pytest.raises(AlreadyHandled), one.handling(body(), GOOD):
        pass


def test_a_message_whose_handling_failed_is_handled_again() -> None:
    one = receiver(SECRET)
    with pytest.raises(RuntimeError), one.handling(body(), GOOD):
        raise RuntimeError
    with one.handling(body(), GOOD) as event:
        assert event.id == ID


def test_a_refused_message_is_not_remembered() -> None:
    one = receiver(SECRET)
    with pytest.raises(SignatureWrong), one.handling(body() + b" ", GOOD):
        pass
    with one.handling(body(), GOOD):
        pass


def test_memory_forgets_by_time_and_by_number() -> None:
    memory = InMemory(keep_seconds=10, most=3)
    assert memory.claim("a", 0)
    assert not memory.claim("a", 9.9)
    assert memory.claim("a", 10)
    for name in "bcd":
        assert memory.claim(name, 11)
    assert memory.claim("e", 11)
    assert memory.claim("a", 11)  # the oldest had to go
    assert not memory.claim("e", 11)
