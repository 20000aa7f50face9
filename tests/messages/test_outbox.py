"""The protocol of the outbox, step by step: who may send what, and what a crash can leave behind."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import null, update
from sqlalchemy.orm import Session

from bot.messages import filling, outbox
from bot.messages.claims import Looked
from bot.messages.outbox import Claimed, Result
from bot.models.broadcast import Broadcast, BroadcastWording
from bot.models.connection import Number
from bot.models.message import Message
from bot.models.person import Person
from tests import factories as make

LEASE_S = 60.0


def queued(session: Session, number: Number, person: Person | None = None, **columns: Any) -> Message:
    return make.make_outbound(session, person or make.make_person(session), number, **columns)


def running(session: Session, number: Number, **columns: Any) -> Broadcast:
    template = make.make_template(session, number.connection)
    segment = make.make_segment(session)
    columns = {"state": "running", "frozen_template": {"category": "MARKETING"}} | columns
    return make.make_broadcast(session, number, segment, template, **columns)


def addressed(session: Session, broadcast: Broadcast, number: Number, person: Person | None = None) -> Message:
    return queued(session, number, person, author_kind="broadcast", broadcast_id=broadcast.id, priority=9)


def claim(session: Session, number: Number, owner: str = "me", want: int = 100) -> list[Claimed]:
    return outbox.claim(session, number.id, owner, want, LEASE_S)


def to_wire(session: Session, rows: list[Claimed], owner: str = "me") -> list[Claimed]:
    return outbox.to_wire(session, owner, rows, LEASE_S)


def lapse(session: Session, *messages: Message) -> None:
    """The owner slept through its lease."""
    for message in messages:
        message.lease_until = datetime(2020, 1, 1, tzinfo=UTC)
    session.flush()


def states(session: Session, *messages: Message) -> list[str]:
    session.expire_all()
    return [message.state for message in messages]


def test_replies_are_claimed_before_broadcasts(session: Session) -> None:
    number = make.make_number(session)
    broadcast = running(session, number)
    rows = [addressed(session, broadcast, number) for _ in range(3)]
    reply = queued(session, number)

    claimed = claim(session, number, want=2)

    assert {row.id for row in claimed} == {reply.id, rows[0].id}


def test_running_broadcasts_share_evenly(session: Session) -> None:
    number = make.make_number(session)
    broadcasts = [running(session, number) for _ in range(2)]
    for broadcast in broadcasts:
        for _ in range(10):
            addressed(session, broadcast, number)

    claimed = claim(session, number, want=10)

    counts = [sum(row.broadcast_id == broadcast.id for row in claimed) for broadcast in broadcasts]
    assert counts == [5, 5]


def test_messages_to_one_person_leave_one_after_the_other(session: Session) -> None:
    number, person = make.make_number(session), make.make_person(session)
    first, second = queued(session, number, person), queued(session, number, person)

    assert [row.id for row in claim(session, number)] == [first.id]
    assert claim(session, number) == []

    outbox.record(session, "me", [])
    session.execute(update(Message).where(Message.id == first.id).values(state="accepted"))
    assert [row.id for row in claim(session, number)] == [second.id]


def test_a_row_is_claimed_by_one_sender_only(session: Session) -> None:
    number = make.make_number(session)
    queued(session, number)

    assert len(claim(session, number, "one")) == 1
    assert claim(session, number, "two") == []


def test_a_message_for_later_waits(session: Session) -> None:
    number = make.make_number(session)
    queued(session, number, not_before=datetime(2999, 1, 1, tzinfo=UTC))

    assert claim(session, number) == []
    assert outbox.due_numbers(session) == []


def test_a_sender_whose_claim_was_taken_back_does_not_win_the_wire(session: Session) -> None:
    number = make.make_number(session)
    message = queued(session, number)
    slept = claim(session, number, "sleeper")
    lapse(session, message)
    outbox.sweep(session)
    taken = claim(session, number, "other")

    assert to_wire(session, slept, "sleeper") == []
    assert [row.id for row in to_wire(session, taken, "other")] == [message.id]


def test_an_unsent_row_of_a_dead_sender_is_queued_again_and_a_sent_one_is_in_doubt(session: Session) -> None:
    number = make.make_number(session)
    claimed_only, wired = queued(session, number), queued(session, number)
    rows = claim(session, number)
    to_wire(session, [row for row in rows if row.id == wired.id])
    session.expire_all()
    lapse(session, claimed_only, wired)

    outbox.sweep(session)

    assert states(session, claimed_only, wired) == ["queued", "unknown"]
    assert wired.unknown_at is not None


def test_a_row_in_doubt_is_never_claimed(session: Session) -> None:
    number = make.make_number(session)
    queued(session, number, state="unknown")

    assert claim(session, number) == []


def test_the_owner_may_still_say_what_became_of_a_row_in_doubt(session: Session) -> None:
    number = make.make_number(session)
    sent, unsent = queued(session, number), queued(session, number)
    to_wire(session, claim(session, number))
    session.expire_all()
    lapse(session, sent, unsent)
    outbox.sweep(session)

    outbox.record(
        session, "me", [Result(sent.id, 1, "accepted", "wamid.x"), Result(unsent.id, 1, "queued", not_before_s=0)]
    )

    assert states(session, sent, unsent) == ["accepted", "queued"]


@pytest.mark.parametrize("owner, attempt", [("other", 1), ("me", 2)])
def test_nobody_else_and_no_other_attempt_may_record(session: Session, owner: str, attempt: int) -> None:
    number = make.make_number(session)
    message = queued(session, number)
    to_wire(session, claim(session, number))

    outbox.record(session, owner, [Result(message.id, attempt, "accepted", "wamid.x")])

    assert states(session, message) == ["wire"]


@pytest.mark.parametrize("state, verdict", [("running", "wire"), ("paused", "queued"), ("cancelled", "cancelled")])
def test_the_last_word_before_the_wire_is_the_broadcasts(session: Session, state: str, verdict: str) -> None:
    number = make.make_number(session)
    broadcast = running(session, number)
    message = addressed(session, broadcast, number)
    rows = claim(session, number)
    broadcast.state = state
    session.flush()

    to_wire(session, rows)

    assert states(session, message) == [verdict]


@pytest.mark.parametrize("columns", [{"enabled": False}, {"marketing_opted_out_at": datetime.now(UTC)}])
def test_who_opts_out_after_the_claim_is_not_written_to(session: Session, columns: dict[str, Any]) -> None:
    number, person = make.make_number(session), make.make_person(session)
    message = addressed(session, running(session, number), number, person)
    rows = claim(session, number)
    session.execute(update(Person).where(Person.id == person.id).values(**columns))

    assert to_wire(session, rows) == []
    assert states(session, message) == ["suppressed"]


def test_two_senders_that_look_at_the_same_row_of_a_broadcast_race_for_it_and_one_wins(session: Session) -> None:
    number = make.make_number(session)
    message = addressed(session, running(session, number), number)
    one, other = claim(session, number, "one"), claim(session, number, "other")
    assert [row.id for row in one] == [row.id for row in other] == [message.id]

    assert to_wire(session, one, "one") == one
    assert to_wire(session, other, "other") == []
    assert (states(session, message), message.owner, message.attempt) == (["wire"], "one", 1)


def test_a_row_that_is_in_hand_twice_leaves_once(session: Session) -> None:
    number = make.make_number(session)
    addressed(session, running(session, number), number)
    rows = claim(session, number)

    assert to_wire(session, rows + rows) == rows


def test_who_looked_at_a_row_before_it_was_refused_elsewhere_does_not_send_it(session: Session) -> None:
    number = make.make_number(session)
    message = addressed(session, running(session, number), number)
    slept = claim(session, number, "sleeper")
    to_wire(session, claim(session, number, "other"), "other")
    outbox.record(session, "other", [Result(message.id, 1, "queued", not_before_s=0)])

    assert to_wire(session, slept, "sleeper") == []
    assert [row.attempt for row in claim(session, number)] == [2]


def test_a_sender_that_looks_on_comes_back_for_rows_behind_it(session: Session) -> None:
    number = make.make_number(session)
    broadcast = running(session, number)
    first, second = addressed(session, broadcast, number), addressed(session, broadcast, number)
    looked = Looked()

    def look() -> list[int]:
        return [row.id for row in outbox.claim(session, number.id, "me", 1, LEASE_S, looked=looked)]

    assert [look(), look(), look()] == [[first.id], [second.id], [first.id]]


def test_a_row_whose_quiet_hours_have_begun_waits_and_keeps_nobody_busy(session: Session) -> None:
    number = make.make_number(session)
    broadcast = running(session, number)
    message = addressed(session, broadcast, number)
    rows = claim(session, number)
    message.quiet_at = datetime.now(UTC) - timedelta(seconds=1)
    session.flush()

    assert to_wire(session, rows) == []
    assert (states(session, message), message.attempt) == (["queued"], 0)
    assert (claim(session, number), outbox.due_numbers(session)) == ([], [])


def test_who_still_waits_when_the_broadcast_was_to_be_over_is_left_out(session: Session) -> None:
    number = make.make_number(session)
    message = addressed(session, running(session, number, not_after=datetime.now(UTC) - timedelta(minutes=1)), number)

    assert to_wire(session, claim(session, number)) == []
    assert (states(session, message), message.error_text) == (["suppressed"], outbox.TOO_LATE)


def test_a_row_gets_the_words_of_its_wording(session: Session) -> None:
    number = make.make_number(session)
    broadcast = running(session, number)
    broadcast.frozen_template = {"name": "a", "language": "en", "components": [{"type": "BODY", "text": "Hello"}]}
    other = {"name": "b", "language": "es", "components": [{"type": "BODY", "text": "Hola {{1}}"}]}
    wording = BroadcastWording(
        broadcast_id=broadcast.id,
        variant=1,
        template_id=broadcast.template_id,
        slots={"body.1": "<<user.first_name>>"},
        frozen_template=other,
    )
    session.add(wording)
    session.flush()
    person = make.make_person(session, first_name="Ana")
    own, its = addressed(session, broadcast, number), addressed(session, broadcast, number, person)
    its.wording_id = wording.id
    session.execute(update(Message).values(content=null(), body=None))

    told = {row.id: row.body for row in filling.fill(session, claim(session, number), {})}
    assert told == {own.id: "Hello", its.id: "Hola Ana"}


def test_released_rows_can_be_claimed_at_once(session: Session) -> None:
    number = make.make_number(session)
    queued(session, number)
    rows = claim(session, number, "one")

    outbox.release(session, "one", rows)

    assert [row.attempt for row in claim(session, number, "two")] == [1]
