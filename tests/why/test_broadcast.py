"""Why somebody got a broadcast or did not: the steps end where the message did, each with the row that shows it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from bot.messages import filling, outbox, statuses
from bot.messages.outbox import Claimed, Result
from bot.models.broadcast import Broadcast, BroadcastSegment, BroadcastWording
from bot.models.connection import Number
from bot.models.message import Message
from bot.models.person import Person
from bot.models.preference import Preference, Topic
from bot.models.segment import Segment, SegmentMember
from bot.people import consent, merge
from bot.people.consent import Word
from bot.providers.events import StatusUpdate
from bot.why import chains
from bot.why.steps import Chain, Verdict
from broadcasts.control import lifecycle
from broadcasts.running import materialising
from broadcasts.transitions import NOBODY, Actor
from tests import factories as make

NOW = datetime.now(UTC).replace(microsecond=0)
STOPPED, WAITING, PASSED, NOT_REACHED = Verdict.STOPPED, Verdict.WAITING, Verdict.PASSED, Verdict.NOT_REACHED


@pytest.fixture
def number(session: Session) -> Number:
    return make.make_number(session)


@pytest.fixture
def ada(session: Session) -> Person:
    return make.make_person(session)


@pytest.fixture
def bystander(session: Session) -> Person:
    """Somebody who keeps the segment from being empty."""
    return make.make_person(session, first_name="Bea")


@pytest.fixture
def segment(session: Session, ada: Person, bystander: Person) -> Segment:
    return make.make_segment(session, [ada, bystander], name="spring")


@pytest.fixture
def broadcast(session: Session, number: Number, segment: Segment) -> Broadcast:
    template = make.make_template(session, number.connection, name="offer", category="MARKETING")
    return make.make_broadcast(session, number, segment, template)


def launch(session: Session, broadcast: Broadcast) -> None:
    lifecycle.launch(session, broadcast.id, NOBODY)
    session.expire_all()
    while materialising.materialise(session, broadcast.id):
        session.expire_all()


def leave(session: Session, number: Number) -> list[Claimed]:
    """What a sender does until the wire."""
    claimed = outbox.claim(session, number.id, "me", 10, 60.0)
    return outbox.to_wire(session, "me", filling.fill(session, claimed, {}), 60.0)


def answer(session: Session, rows: list[Claimed], state: str = "accepted", **told: Any) -> None:
    outbox.record(
        session, "me", [Result(row.id, row.attempt, state, told.pop("id_", f"wamid.{row.id}"), **told) for row in rows]
    )


def report(session: Session, number: Number, message_id: int, status: str, seconds: int, **told: Any) -> None:
    at = NOW + timedelta(seconds=seconds)
    update_ = StatusUpdate("", number_id="", message_id=f"wamid.{message_id}", status=status, occurred_at=at, **told)
    statuses.apply(session, [(number, update_)])


def why(session: Session, person: Person, broadcast: Broadcast) -> Chain:
    session.flush()
    session.expire_all()
    return chains.of_broadcast(session, person, broadcast.id)


def verdicts(chain: Chain) -> dict[str, Verdict]:
    return {step.key: step.verdict for step in chain.steps}


def stop(chain: Chain) -> tuple[str, Verdict]:
    assert chain.last is not None
    at = [step.verdict for step in chain.steps].index(chain.last.verdict)
    assert {step.verdict for step in chain.steps[:at]} <= {PASSED}
    assert {step.verdict for step in chain.steps[at + 1 :]} <= {NOT_REACHED}
    return chain.last.key, chain.last.verdict


def test_a_message_that_was_read_passed_every_step(
    session: Session, number: Number, ada: Person, broadcast: Broadcast
) -> None:
    launch(session, broadcast)
    rows = leave(session, number)
    answer(session, rows)
    for each in rows:
        for seconds, status in enumerate(("sent", "delivered", "read")):
            report(session, number, each.id, status, seconds)
    chain = why(session, ada, broadcast)
    assert list(verdicts(chain)) == [
        *("segment", "audience", "address", "enabled", "consent", "topic", "values", "template"),
        *("queued", "claimed", "wire", "answer", "reports"),
    ]
    assert set(verdicts(chain).values()) == {PASSED}
    assert (chain.verdict, chain.told, chain.last) == (PASSED, "They have read it.", None)
    assert [(row.told, row.at) for row in chain.steps[-1].evidence] == [
        ("sent", NOW),
        ("delivered", NOW + timedelta(seconds=1)),
        ("read", NOW + timedelta(seconds=2)),
    ]


def test_who_is_in_another_segment_was_never_meant(session: Session, broadcast: Broadcast) -> None:
    stranger = make.make_person(session)
    launch(session, broadcast)
    chain = why(session, stranger, broadcast)
    assert stop(chain) == ("segment", STOPPED)
    assert chain.told == "Nothing was ever planned for them. They are not in “spring”, which the broadcast went to."
    assert chain.last
    assert chain.last.fix


def test_who_joined_after_the_launch_is_told_so_with_both_times(
    session: Session, segment: Segment, broadcast: Broadcast
) -> None:
    late = make.make_person(session)
    launch(session, broadcast)
    session.add(SegmentMember(segment_id=segment.id, person_id=late.id, environment="live"))
    chain = why(session, late, broadcast)
    assert stop(chain) == ("audience", STOPPED)
    assert "joined after the launch" in chain.told
    assert chain.last
    launched, joined = (row.at for row in chain.last.evidence)
    assert launched
    assert joined
    assert launched < joined


def test_live_and_test_never_meet(session: Session, broadcast: Broadcast) -> None:
    chain = why(session, make.make_person(session, environment="test"), broadcast)
    assert stop(chain) == ("side", STOPPED)


def test_without_an_address_it_ends_there(session: Session, segment: Segment, broadcast: Broadcast) -> None:
    nowhere = make.make_person(session, phone=None)
    session.add(SegmentMember(segment_id=segment.id, person_id=nowhere.id, environment="live"))
    session.flush()
    assert stop(why(session, nowhere, broadcast)) == ("address", STOPPED)
    launch(session, broadcast)
    assert stop(why(session, nowhere, broadcast)) == ("address", STOPPED)
    make.make_address(session, nowhere, "phone", make.next_phone())
    chain = why(session, nowhere, broadcast)
    assert stop(chain) == ("address", STOPPED)
    assert "One is known by now." in chain.told


@pytest.mark.parametrize("moment", ["draft", "launch", "wire"])
@pytest.mark.parametrize("step", ["enabled", "consent", "topic"])
def test_a_no_of_theirs_is_where_it_ends_whenever_it_came(
    session: Session, number: Number, ada: Person, broadcast: Broadcast, step: str, moment: str
) -> None:
    topic = Topic(environment="live", name="offers")
    session.add(topic)
    session.flush()
    broadcast.topic_id = topic.id
    session.flush()
    if moment == "wire":
        launch(session, broadcast)
        claimed = filling.fill(session, outbox.claim(session, number.id, "me", 10, 60.0), {})
        say_no(session, ada, topic.id, step)
        outbox.to_wire(session, "me", claimed, 60.0)
    else:
        say_no(session, ada, topic.id, step)
        if moment == "launch":
            launch(session, broadcast)
    chain = why(session, ada, broadcast)
    assert stop(chain) == (step, STOPPED)
    assert chain.last
    kind = {"enabled": "person", "consent": "consent_event", "topic": "preference"}[step]
    assert [row.row.split()[0] for row in chain.last.evidence] == [kind]
    if moment == "wire":
        assert "about to leave" in chain.told


def say_no(session: Session, person: Person, topic_id: int, step: str) -> None:
    if step == "enabled":
        session.execute(update(Person).where(Person.id == person.id).values(enabled=False))
    elif step == "consent":
        consent.tell(session, [Word(person.id, consent.MARKETING, consent.STOP, "webhook", NOW, "user_preference")])
    else:
        said = {"topic_id": topic_id, "channel": "whatsapp", "wants": False, "source": "coach"}
        session.add(Preference(environment="live", person_id=person.id, **said))
        session.flush()


def test_a_no_that_came_after_the_message_does_not_count_against_it(
    session: Session, number: Number, ada: Person, broadcast: Broadcast
) -> None:
    launch(session, broadcast)
    answer(session, leave(session, number))
    say_no(session, ada, 0, "consent")
    say_no(session, ada, 0, "enabled")
    told = {step.key: step.told for step in why(session, ada, broadcast).steps if step.verdict is PASSED}
    assert "since" in told["consent"]
    assert "since" in told["enabled"]


def test_an_unknown_value_is_named(session: Session, number: Number, ada: Person, broadcast: Broadcast) -> None:
    session.execute(update(Person).where(Person.id == ada.id).values(first_name=None))
    broadcast.skips_gaps = True
    before = why(session, ada, broadcast)
    launch(session, broadcast)
    leave(session, number)
    after = why(session, ada, broadcast)
    for chain in (before, after):
        assert stop(chain) == ("values", STOPPED)
        assert "Nothing known for first_name." in chain.told
    assert "default('…')" in (after.last.fix if after.last and after.last.fix else "")


def test_a_draft_tells_what_would_happen_and_that_it_is_one(
    session: Session, ada: Person, broadcast: Broadcast
) -> None:
    chain = why(session, ada, broadcast)
    assert stop(chain) == ("launch", WAITING)
    assert "still a draft" in chain.told
    broadcast.template.status = "PAUSED"
    assert stop(why(session, ada, broadcast)) == ("template", STOPPED)


def test_a_paused_broadcast_says_who_paused_it_and_why(
    session: Session, number: Number, ada: Person, broadcast: Broadcast
) -> None:
    launch(session, broadcast)
    kim = make.make_operator(session)
    lifecycle.pause(session, broadcast.id, Actor(operator_id=kim.id), "wrong picture")
    chain = why(session, ada, broadcast)
    assert stop(chain) == ("queued", WAITING)
    assert chain.told == "The broadcast is paused: wrong picture."
    assert chain.last
    assert (chain.last.evidence[-1].told, chain.last.evidence[-1].by) == ("paused: wrong picture", kim.name)
    lifecycle.cancel(session, broadcast.id, NOBODY)
    materialising.cancel_waiting(session, broadcast.id)
    assert stop(why(session, ada, broadcast)) == ("queued", STOPPED)


def test_the_states_on_the_way_are_told_as_they_are(
    session: Session, number: Number, ada: Person, broadcast: Broadcast
) -> None:
    launch(session, broadcast)
    assert stop(why(session, ada, broadcast)) == ("queued", WAITING)
    claimed = filling.fill(session, outbox.claim(session, number.id, "me", 10, 60.0), {})
    assert stop(why(session, ada, broadcast)) == ("queued", WAITING), "a sender only looks at it until it leaves"
    rows = outbox.to_wire(session, "me", claimed, 60.0)
    assert stop(why(session, ada, broadcast)) == ("wire", WAITING)
    answer(session, rows, "unknown", id_=None)
    assert stop(why(session, ada, broadcast)) == ("answer", WAITING)
    answer(session, rows)
    assert stop(why(session, ada, broadcast)) == ("reports", WAITING)


def test_an_error_of_the_provider_comes_in_words_and_with_the_next_step(
    session: Session, number: Number, ada: Person, broadcast: Broadcast
) -> None:
    launch(session, broadcast)
    answer(session, leave(session, number), "failed", id_=None, error_code=131049, error_text="enough for now")
    chain = why(session, ada, broadcast)
    assert stop(chain) == ("answer", STOPPED)
    assert chain.told == "The provider refused it: enough for now (error 131049)."
    assert chain.last
    assert "Wait a day" in (chain.last.fix or "")


def test_a_failure_that_is_reported_later_ends_with_the_reports(
    session: Session, number: Number, ada: Person, broadcast: Broadcast
) -> None:
    launch(session, broadcast)
    rows = leave(session, number)
    answer(session, rows)
    for row in rows:
        report(session, number, row.id, "sent", 0)
        report(session, number, row.id, "failed", 1, error_code=131026, error_text="not on WhatsApp")
    chain = why(session, ada, broadcast)
    assert stop(chain) == ("reports", STOPPED)
    assert chain.told == "WhatsApp could not deliver it: not on WhatsApp (error 131026)."
    assert chain.last
    assert [row.told for row in chain.last.evidence] == ["sent", "failed: not on WhatsApp (error 131026)"]


def test_who_was_taken_out_of_the_segment_since_still_had_their_message(
    session: Session, ada: Person, segment: Segment, broadcast: Broadcast
) -> None:
    launch(session, broadcast)
    session.delete(session.get_one(SegmentMember, (segment.id, ada.id)))
    told = {step.key: step.told for step in why(session, ada, broadcast).steps}
    assert "taken out since" in told["segment"]


def test_of_two_who_became_one_the_second_message_says_so(
    session: Session, ada: Person, bystander: Person, broadcast: Broadcast
) -> None:
    launch(session, broadcast)
    stays = session.get_one(Person, merge.merge(session, [ada.id, bystander.id], "the same"))
    session.expire_all()
    messages = session.scalars(select(Message).order_by(Message.id)).all()
    found = [chains.of_message(session, stays, message.id) for message in messages]
    assert sorted(stop(chain) for chain in found) == [("queued", WAITING), ("twin", STOPPED)]


def test_a_rule_is_asked_for_a_draft_and_counts_as_it_was_frozen(
    session: Session, number: Number, ada: Person, broadcast: Broadcast
) -> None:
    rule = {"version": 1, "all": [{"what": "country", "operator": "is", "value": "EG"}]}
    ruled = Segment(environment="live", name="Egypt", kind="rule", rule=rule)
    session.add(ruled)
    session.flush()
    broadcast.segments = [BroadcastSegment(segment_id=ruled.id, environment="live")]
    session.flush()
    assert stop(why(session, ada, broadcast)) == ("segment", STOPPED)
    ada.country = "EG"
    assert stop(why(session, ada, broadcast)) == ("launch", WAITING)
    lifecycle.launch(session, broadcast.id, NOBODY)
    assert stop(why(session, ada, broadcast)) == ("segment", WAITING)
    while materialising.materialise(session, broadcast.id):
        session.expire_all()
    ada.country = None
    chain = why(session, ada, broadcast)
    assert stop(chain) == ("queued", WAITING)
    late = make.make_person(session, country="EG")
    assert "did not fit the rule" in why(session, late, broadcast).told


def test_who_was_erased_and_wrote_again_is_only_answered(session: Session, ada: Person, broadcast: Broadcast) -> None:
    ada.answers_only = True
    assert stop(why(session, ada, broadcast)) == ("erased", STOPPED)
    launch(session, broadcast)
    assert stop(why(session, ada, broadcast)) == ("erased", STOPPED)


def test_who_is_in_a_segment_that_is_left_out_gets_nothing(session: Session, ada: Person, broadcast: Broadcast) -> None:
    assert "left_out" not in verdicts(why(session, ada, broadcast))
    unwanted = make.make_segment(session, [ada], name="had it already")
    broadcast.segments.append(BroadcastSegment(segment_id=unwanted.id, environment="live", role="minus"))
    assert stop(why(session, ada, broadcast)) == ("left_out", STOPPED)
    launch(session, broadcast)
    assert stop(why(session, ada, broadcast)) == ("left_out", STOPPED)
    assert "had it already" in why(session, ada, broadcast).told


def test_who_comes_after_the_first_waits_for_their_turn(session: Session, ada: Person, broadcast: Broadcast) -> None:
    launch(session, broadcast)
    session.execute(update(Message).values(broadcast_id=None, author_kind="automation", source_key=None))
    broadcast.wave, broadcast.cursor = 0, 0
    chain = why(session, ada, broadcast)
    assert stop(chain) == ("audience", WAITING)
    assert "their turn comes" in chain.told


def test_the_template_is_that_of_the_wording_they_got(
    session: Session, number: Number, ada: Person, broadcast: Broadcast
) -> None:
    other = make.make_template(session, number.connection, name="oferta", language="es", category="MARKETING")
    wording = BroadcastWording(broadcast_id=broadcast.id, language="es", template_id=other.id, slots={"body.1": "hola"})
    session.add(wording)
    session.flush()
    launch(session, broadcast)
    session.execute(update(Message).where(Message.person_id == ada.id).values(wording_id=wording.id))
    told = {step.key: step.told for step in why(session, ada, broadcast).steps}
    assert "oferta (es)" in told["template"]
