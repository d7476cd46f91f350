"""The audit log: only added to, in one chain, on both databases, and not to be tampered with unseen."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session

from kameng_escrow.store import Store, UnknownEntry
from kameng_escrow.store.service.audit import ERASED, FIRST, Head, audit, canonical, entries, erase_details, head
from kameng_escrow.store.service.audit_check import AuditFindings, Flaw, FlawKind, verify

PLATFORM = "0x" + "11" * 20
OTHER = "0x" + "22" * 20


@pytest.fixture
def log(store: Store) -> Store:
    """A store with five entries."""
    store.migrate()
    for number in range(1, 6):
        with store.writing() as session:
            audit(session, f"key_{number}", "listing.hide", f"lst_{number}", {"reason": f"第 {number} 次"})
    return store


def check(store: Store, published: Head | None = None) -> AuditFindings:
    with store.reading() as session:
        return verify(session, published=published)


def head_of(store: Store) -> Head:
    with store.reading() as session:
        return head(session)


def unguard(store: Store) -> None:
    """What somebody with all rights on the database can do: takes the triggers away."""
    on = "" if store.engine.dialect.name == "sqlite" else " ON audit_log"
    with store.writing() as session:
        for name in ("audit_log_no_update", "audit_log_no_delete"):
            session.execute(text(f"DROP TRIGGER {name}{on}"))


def change(store: Store, statement: str, **values: Any) -> None:
    with store.writing() as session:
        session.execute(text(statement), values)


# --------------------------------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("actor", "action", "subject", "details"),
    [
        ("", "key.rotate", "key_1", {}),
        ("me\n", "key.rotate", "key_1", {}),
        ("m" * 129, "key.rotate", "key_1", {}),
        ("me", "rotate", "key_1", {}),
        ("me", "Key.Rotate", "key_1", {}),
        ("me", "key.rotate", "", {}),
        ("me", "key.rotate", "k" * 201, {}),
        ("me", "key.rotate", "key_1", {"price": 1.5}),
        ("me", "key.rotate", "key_1", {"text": "\0"}),
        ("me", "key.rotate", "key_1", {"text": "\ud800"}),
        ("me", "key.rotate", "key_1", {"raw": b"bytes"}),
        ("me", "key.rotate", "key_1", {"long": "字" * 6_000}),
    ],
)
def test_what_can_not_be_an_entry_is_refused(store: Store, actor: str, action: str, subject: str, details: Any) -> None:
    store.migrate()
    with pytest.raises(ValueError, match=r".+"), store.writing() as session:
        audit(session, actor, action, subject, details)
    assert head_of(store) == Head(position=0, hash=FIRST)


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM audit_log WHERE position = 3",
        "UPDATE audit_log SET actor = 'nobody' WHERE position = 3",
        "UPDATE audit_log SET details = '{}' WHERE position = 3",
        "UPDATE audit_log SET platform = '0x' WHERE position = 3",
        "UPDATE audit_log SET position = 9 WHERE position = 3",
    ],
)
def test_the_database_refuses_to_change_an_entry(log: Store, statement: str) -> None:
    with pytest.raises(DatabaseError, match="only added to"):
        change(log, statement)
    assert check(log).flaws == ()


def test_postgresql_refuses_to_empty_the_log(log: Store) -> None:
    if log.engine.dialect.name == "sqlite":
        return  # which has no TRUNCATE
    with pytest.raises(DatabaseError, match="only added to"):
        change(log, "TRUNCATE audit_log")


def test_an_entry_goes_with_the_action_that_failed(log: Store) -> None:
    def fail() -> None:
        with log.writing() as session:
            audit(session, "me", "key.rotate", "key_1")
            raise RuntimeError

    before = head_of(log)
    with pytest.raises(RuntimeError):
        fail()
    assert head_of(log) == before


def test_what_tells_of_an_erasure_is_not_erased(log: Store) -> None:
    with log.writing() as session:
        erase_details(session, 2, actor="me", reason="asked for")
    with pytest.raises(ValueError, match="stays"), log.writing() as session:
        erase_details(session, 6, actor="me", reason="asked for")
    with pytest.raises(UnknownEntry, match="kameng audit list"), log.writing() as session:
        erase_details(session, 60, actor="me", reason="asked for")


# --------------------------------------------------------------------------------------------------------- successes


def test_entries_are_a_chain(log: Store) -> None:
    with log.reading() as session:
        found = entries(session)[::-1]
    assert [entry.position for entry in found] == [1, 2, 3, 4, 5]
    assert [entry.previous for entry in found] == [FIRST, *(entry.hash for entry in found[:-1])]
    assert found[2].details == {"reason": "第 3 次"}
    findings = check(log, head_of(log))
    assert (findings.entries, findings.erased, findings.flaws) == (5, 0, ())
    assert findings.head == head_of(log) == Head.parse(str(head_of(log)))


def test_equal_details_have_hashes_that_tell_nothing(log: Store) -> None:
    with log.writing() as session:
        first = audit(session, "me", "key.rotate", "key_1", {"to": "alice"})
        second = audit(session, "me", "key.rotate", "key_1", {"to": "alice"})
    assert first.details_hash != second.details_hash


def test_entries_are_found(log: Store) -> None:
    with log.writing() as session:
        audit(session, "key_1", "key.rotate", "lst_3", platform=PLATFORM)
        audit(session, "key_9", "key.rotate", "key_9", platform=OTHER)
    with log.reading() as session:

        def positions(**wanted: Any) -> list[int]:
            return [entry.position for entry in entries(session, **wanted)]

        assert positions(platform=PLATFORM) == [6]
        assert positions(subject="lst_3") == [6, 3]
        assert positions(actor="key_1") == [6, 1]
        assert positions(limit=2) == [7, 6]
        assert positions(before=3) == [2, 1]


def test_details_are_erased_and_the_chain_holds(log: Store) -> None:
    before = head_of(log)
    with log.writing() as session:
        erase_details(session, 2, actor="me", reason="asked for")
    findings = check(log, before)
    assert (findings.entries, findings.erased, findings.flaws) == (6, 1, ())
    with log.reading() as session:
        told, erased = entries(session)[0], entries(session, subject="lst_2")[0]
    assert (told.action, told.subject, told.details) == (ERASED, "2", {"reason": "asked for"})
    assert erased.details is None
    assert erased.actor == "key_2"


def test_the_head_is_logged_when_the_action_is_done(log: Store, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "kameng_escrow.audit")
    with log.writing() as session:
        with session.begin_nested():
            entry = audit(session, "me", "key.rotate", "key_1")
        assert caplog.records == []
    assert [vars(record)["hash"] for record in caplog.records] == [entry.hash]


def test_many_add_entries_at_once(store: Store) -> None:
    store.migrate()
    together, failures = threading.Barrier(6), []

    def work(number: int) -> None:
        together.wait()
        try:
            for turn in range(10):
                with store.writing() as session:
                    audit(session, f"worker {number}", "key.rotate", f"key_{turn}")
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    findings = check(store)
    assert (findings.entries, findings.flaws) == (60, ())


def test_there_is_one_spelling() -> None:
    assert canonical({"b": [1, True, None], "a": {"z": "卡", "y": 2**70}}) == (
        '{"a":{"y":1180591620717411303424,"z":"卡"},"b":[1,true,null]}'
    )


# --------------------------------------------------------------------------------------------------------- tampering


def edit(session: Session) -> None:
    session.execute(text("UPDATE audit_log SET subject = 'lst_9' WHERE position = 3"))


def edit_details(session: Session) -> None:
    session.execute(text("UPDATE audit_log SET details = '{}' WHERE position = 3"))


def erase_silently(session: Session) -> None:
    session.execute(text("UPDATE audit_log SET details = NULL, details_salt = NULL WHERE position = 3"))


def take_out(session: Session) -> None:
    session.execute(text("DELETE FROM audit_log WHERE position = 3"))


def take_out_and_close_up(session: Session) -> None:
    take_out(session)
    for position in (4, 5):
        session.execute(text(f"UPDATE audit_log SET position = {position - 1} WHERE position = {position}"))


def swap(session: Session) -> None:
    for before, after in ((3, 9), (4, 3), (9, 4)):
        session.execute(text(f"UPDATE audit_log SET position = {after} WHERE position = {before}"))


@pytest.mark.parametrize(
    ("tamper", "expected"),
    [
        (edit, {(FlawKind.Altered, 3)}),
        (edit_details, {(FlawKind.DetailsAltered, 3)}),
        (erase_silently, {(FlawKind.ErasedSilently, 3)}),
        (take_out, {(FlawKind.Missing, 3)}),
        (take_out_and_close_up, {(FlawKind.Altered, 3), (FlawKind.Unlinked, 3), (FlawKind.Altered, 4)}),
        (
            swap,
            {
                *((FlawKind.Altered, 3), (FlawKind.Unlinked, 3), (FlawKind.Altered, 4), (FlawKind.Unlinked, 4)),
                (FlawKind.Unlinked, 5),
            },
        ),
    ],
)
def test_tampering_shows(log: Store, tamper: Callable[[Session], None], expected: set[tuple[FlawKind, int]]) -> None:
    unguard(log)
    with log.writing() as session:
        tamper(session)
    assert {(flaw.kind, flaw.position) for flaw in check(log).flaws} == expected


def test_an_end_that_was_cut_off_shows_by_the_published_head(log: Store) -> None:
    published = head_of(log)
    unguard(log)
    change(log, "DELETE FROM audit_log WHERE position > 3")
    assert check(log).flaws == ()
    assert check(log, published).flaws == (Flaw(kind=FlawKind.Truncated, position=4),)


def test_a_new_chain_shows_by_the_published_head(log: Store) -> None:
    published = head_of(log)
    unguard(log)
    change(log, "DELETE FROM audit_log WHERE position > 3")
    for _ in range(4):
        with log.writing() as session:
            audit(session, "me", "listing.show", "lst_1")
    assert check(log).flaws == ()
    assert check(log, published).flaws == (Flaw(kind=FlawKind.Rewritten, position=5),)


@pytest.mark.parametrize("words", ["", "5", "5:0x12", "x:0x" + "00" * 32, "-1:0x" + "00" * 32])
def test_what_is_no_head_is_refused(words: str) -> None:
    with pytest.raises(ValueError, match="no head"):
        Head.parse(words)
