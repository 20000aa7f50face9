"""Nothing of somebody who was erased is left, nothing of anybody else is gone, and the counts are what they were."""

import orjson
import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot.erasure import erasing
from bot.erasure.erasing import Actor, ErasureError
from bot.messages import outbox
from bot.messages.outbox import Result
from bot.models.message import Message
from bot.models.person import Person, Suppression
from bot.models.webhook import Quarantine, WebhookEvent
from bot.people import ledger
from tests.erasure.conftest import DIGITS, WORDS, Story
from tests.erasure.scan import scan


def test_the_scan_finds_what_it_looks_for(story: Story) -> None:
    assert {one.split(" in ")[0] for one in story.found()} == set(WORDS)


def test_nothing_that_names_the_person_is_left_anywhere(story: Story) -> None:
    erasure = story.erase()

    assert story.found() == []
    assert erasure.finished_at is not None
    assert erasure.sealed_traces is None
    assert erasure.receipt["messages"] == 3
    assert erasure.receipt["webhook bodies"] == 2


def counts(session: Session) -> list[tuple[object, ...]]:
    grouped = (Message.direction, Message.author_kind, Message.broadcast_id, Message.delivery_level)
    rows = session.execute(select(*grouped, func.count(), func.count(Message.person_id.distinct())).group_by(*grouped))
    return sorted((tuple(row) for row in rows), key=repr)


def test_every_count_of_messages_and_of_the_people_behind_them_is_what_it_was(story: Story) -> None:
    before = counts(story.session)
    episodes = story.ask("SELECT count(*) FROM episode")

    story.erase()

    assert counts(story.session) == before
    assert story.ask("SELECT count(*) FROM episode") == episodes


def test_nobody_else_loses_anything(story: Story) -> None:
    def bobs() -> list[tuple[object, ...]]:
        query = select(Message.body, Message.state, Message.to_address, Message.provider_message_id)
        return [tuple(row) for row in story.session.execute(query.where(Message.person_id == story.bob.id))]

    before = bobs()
    story.erase()

    assert bobs() == before
    assert scan(story.session.connection(), ["201099999999"])
    [body] = story.session.scalars(
        select(WebhookEvent.body).where(WebhookEvent.state == "done", WebhookEvent.body != b"")
    )
    [value] = [change["value"] for entry in orjson.loads(body)["entry"] for change in entry["changes"]]
    assert [one and one["from"] for one in value["messages"]] == [None, "201099999999"]
    assert [one and one["wa_id"] for one in value["contacts"]] == [None, "201099999999"]


def test_what_waits_is_cancelled_and_the_conversation_closed(story: Story) -> None:
    story.erase()
    ada = {"id": story.ada.id}

    assert story.ask("SELECT count(*) FROM message WHERE person_id = :id AND state = 'queued'", **ada) == 0
    assert story.ask("SELECT count(*) FROM message WHERE person_id = :id AND state = 'cancelled'", **ada) == 1
    assert story.ask("SELECT state FROM conversation WHERE person_id = :id", **ada) == "closed"
    assert story.ask("SELECT count(*) FROM segment_member WHERE person_id = :id", **ada) == 0


def test_the_row_that_stays_is_nobody(story: Story) -> None:
    story.erase()
    nobody = story.session.get_one(Person, story.ada.id)

    assert nobody.distinct_id.startswith("erased-")
    assert (nobody.enabled, nobody.first_name, nobody.attributes, nobody.country) == (False, None, {}, "EG")
    assert nobody.erased_at is not None


def test_what_a_sender_holds_is_not_its_own_any_more(story: Story) -> None:
    [held, bobs] = outbox.claim(story.session, story.number.id, "sender", 10, 60)
    story.session.commit()

    story.erase()

    assert outbox.to_wire(story.session, "sender", [held, bobs], 60) == [bobs]
    assert story.session.get_one(Message, held.id).state == "cancelled"


@pytest.mark.parametrize("state", ["accepted", "queued", "failed"])
def test_what_is_on_the_wire_is_emptied_again_when_its_answer_comes(story: Story, state: str) -> None:
    [held, _] = outbox.claim(story.session, story.number.id, "sender", 10, 60)
    outbox.to_wire(story.session, "sender", [held], 60)
    story.session.commit()
    assert story.erase().finished_at is None
    assert story.session.get_one(Message, held.id).state == "wire"

    told = Result(held.id, held.attempt, state, f"wamid.{DIGITS}.late", None, 131026, f"not sent to {DIGITS}")
    outbox.record(story.session, "sender", [told])
    story.session.commit()
    assert story.found()
    story.go_on()
    story.session.expire_all()

    assert story.found() == []
    assert story.session.get_one(Message, held.id).state == ("cancelled" if state == "queued" else state)
    assert erasing.erase(story.session, story.rt.settings, story.ada.id, Actor()).finished_at is not None


def test_the_quarantine_says_only_that_somebody_was_erased(story: Story) -> None:
    story.erase()
    [item] = story.session.scalars(select(Quarantine))

    assert (item.item, item.reason) == (None, "the person it was about was erased")
    assert item.dismissed_at is not None


def test_a_body_all_theirs_that_was_not_applied_yet_never_is(story: Story) -> None:
    story.erase()

    assert story.ask("SELECT count(*) FROM webhook_event WHERE state = 'new'") == 0
    assert story.ask("SELECT count(*) FROM webhook_event WHERE redacted_at IS NOT NULL") == 2


def test_erasing_somebody_twice_is_one_erasure(story: Story) -> None:
    first = story.erase()

    again = erasing.erase(story.session, story.rt.settings, story.ada.id, Actor())

    assert again.id == first.id
    assert len(ledger.read(story.rt.settings.erasure_ledger)) == 1


def test_a_ledger_that_cannot_be_written_leaves_everything_as_it_is(story: Story) -> None:
    story.rt.settings.erasure_ledger.mkdir(parents=True)

    with pytest.raises(ledger.LedgerError, match="cannot be written"), story.rt.transaction() as session:
        erasing.erase(session, story.rt.settings, story.ada.id, Actor())

    story.session.expire_all()
    assert story.session.get_one(Person, story.ada.id).erased_at is None
    assert story.session.scalar(select(func.count()).select_from(Suppression)) == 0


def test_a_person_of_the_other_environment_is_nobody(story: Story) -> None:
    with pytest.raises(ErasureError, match="no person"):
        erasing.erase(story.session, story.rt.settings, story.ada.id, Actor(), "test")


def test_the_preview_says_how_much_will_go(story: Story) -> None:
    told = erasing.preview(story.session, story.ada.id)

    assert (told["messages"], told["messages that still wait"], told["files"], told["addresses"]) == (3, 1, 1, 3)
