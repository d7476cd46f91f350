"""A channel is whoever's has shown the code that was sent there."""

import re

import pytest
from sqlalchemy import select, update

from kameng_escrow.notify.errors import CodeWrong, TooManyChannels, TooManyCodes
from kameng_escrow.store.service.notification_rows import ChannelRow, MessageRow, PersonRow
from kameng_escrow.store.service.notifying import ChannelKind, Stage

from .notify_world import Ear, NotifyWorld
from .people_told import code_sent, heard_by, join

NTFY = {"topic": "orders_7"}


def test_nothing_is_sent_before_the_code_was_shown(told: NotifyWorld, ear: Ear) -> None:
    people, seller = told.people(), told.world.seller.address
    channel = people.add(seller, ChannelKind.Ntfy, NTFY)
    assert ear.heard == []  # whoever asked did not wait for it
    told.world.opened()
    assert told.tell().messages == 1
    [only] = ear.heard
    code = re.search(r"\d{6}", only.json["message"])
    assert code
    wrong = f"{(int(code[0]) + 1) % 10**6:06}"
    with pytest.raises(CodeWrong):
        people.verify(seller, channel.id, wrong)
    assert people.verify(seller, channel.id, code[0]).verified
    with pytest.raises(CodeWrong):
        people.verify(seller, channel.id, code[0])  # good once
    told.world.opened()
    assert told.tell().messages == 1


def test_codes_run_out_by_time_and_by_guessing(told: NotifyWorld, ear: Ear) -> None:
    people, seller = told.people(), told.world.seller.address
    channel = people.add(seller, ChannelKind.Ntfy, NTFY)
    code = code_sent(told, ear)
    for _ in range(5):
        with pytest.raises(CodeWrong):
            people.verify(seller, channel.id, "none")
    with pytest.raises(CodeWrong):
        people.verify(seller, channel.id, code)
    people.send_code(seller, channel.id)
    fresh = code_sent(told, ear)
    told.later(15 * 60)
    with pytest.raises(CodeWrong):
        people.verify(seller, channel.id, fresh)


def test_nobody_is_flooded_with_codes(told: NotifyWorld, ear: Ear) -> None:
    people, seller = told.people(), told.world.seller.address
    channel = people.add(seller, ChannelKind.Ntfy, NTFY)
    told.send()
    for _ in range(9):
        people.send_code(seller, channel.id)
        told.send()
    with pytest.raises(TooManyCodes):
        people.send_code(seller, channel.id)
    with pytest.raises(TooManyCodes):
        people.add(seller, ChannelKind.Ntfy, NTFY)
    assert len(ear.heard) == 10
    told.later(3_600)
    for _ in range(9):
        people.add(seller, ChannelKind.Ntfy, NTFY)
    with pytest.raises(TooManyChannels):
        people.add(seller, ChannelKind.Ntfy, NTFY)


def test_a_code_that_can_t_be_sent_is_tried_again_as_long_as_it_counts(told: NotifyWorld, ear: Ear) -> None:
    ear.always(500)
    people, seller = told.people(), told.world.seller.address
    channel = people.add(seller, ChannelKind.Ntfy, NTFY)
    told.send()
    [message] = people.told(seller)
    assert (message.topic, message.stage, message.channel_id) == ("channel.code", Stage.Waiting, channel.id)
    assert message.error is not None
    told.later(15 * 60)
    told.send()
    assert len(ear.heard) == 1
    assert people.told(seller)[0].stage is Stage.Dropped
    ear.always(200)
    people.send_code(seller, channel.id)
    assert people.verify(seller, channel.id, code_sent(told, ear)).verified


def test_a_newer_code_takes_the_place_of_one_that_waits(told: NotifyWorld, ear: Ear) -> None:
    people, seller = told.people(), told.world.seller.address
    channel = people.add(seller, ChannelKind.Ntfy, NTFY)
    people.send_code(seller, channel.id)
    code = code_sent(told, ear)
    assert len(ear.heard) == 1
    assert people.verify(seller, channel.id, code).verified


def test_a_stopped_channel_is_started_again_by_a_code_even_at_night(told: NotifyWorld, ear: Ear) -> None:
    people, seller = told.people(), told.world.seller
    channel = join(told, ear, seller, quiet_from=0, quiet_to=1_439)
    people.stop(seller.address, channel)
    people.send_code(seller.address, channel)
    assert people.verify(seller.address, channel, code_sent(told, ear)).stopped_for is None


def test_addresses_and_codes_lie_sealed(told: NotifyWorld, ear: Ear) -> None:
    told.people().add(told.world.seller.address, ChannelKind.Ntfy, NTFY)

    def stored() -> str:
        with told.store.reading() as session:
            rows = [*session.scalars(select(ChannelRow)), *session.scalars(select(MessageRow))]
            return " ".join(str(value) for row in rows for value in vars(row).values()).replace(rows[0].hint, "")

    before = stored()
    code = code_sent(told, ear)
    assert "orders_7" not in before
    assert code not in before
    assert "code" in before
    with told.store.reading() as session:
        assert session.scalars(select(MessageRow.details)).all() == [{}]  # and gone once it was sent


def test_what_can_be_no_message_is_put_off_and_holds_nobody_up(told: NotifyWorld, ear: Ear) -> None:
    buyer, seller = told.world.buyer, told.world.seller
    mine = join(told, ear, seller)
    join(told, ear, buyer)
    terms = told.world.opened()
    told.mirror()
    with told.store.writing() as session:
        session.execute(update(PersonRow).values(time_zone="Nowhere/At_All").filter_by(account=seller.address))
    assert told.tell().messages == 1
    assert [one["title"].endswith(f"…{told.world.id_of(terms)[-4:]}") for one in heard_by(ear, buyer)] == [True]
    assert heard_by(ear, seller) == []
    events = [one for one in told.people().told(seller.address) if one.channel_id == mine]
    waiting = next(one for one in events if one.topic == "order.opened")
    assert waiting.stage is Stage.Waiting
    assert waiting.next_try_ms is not None
    assert waiting.next_try_ms > told.now_ms
    with told.store.writing() as session:
        session.execute(update(PersonRow).values(time_zone="UTC").filter_by(account=seller.address))
    told.later(3_600)
    told.send()
    assert len(heard_by(ear, seller)) >= 1
