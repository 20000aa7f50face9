"""What people do is noticed where it happens, once a day, with what had been sent to them before."""

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import event as listening
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from bot.goals import events, goals, looking_back, noticing
from bot.goals.goals import GoalError
from bot.goals.noticing import Said
from bot.goals.recording import Done, record
from bot.journeys import loading, runner
from bot.journeys.runner import Arrival
from bot.models.goals import Behaviour, BehaviourDay
from bot.models.person import Person
from bot.models.webhook import WebhookEvent
from bot.models.words import PropertyType
from bot.people import merge, properties
from bot.providers.events import InboundMessage, Sender
from bot.team.audit import COMMAND
from tests import factories as make
from tests.goals.aims import attribute, done, event, keep_event, keyword, look_back, make_goal, step
from webhooks import apply

MOMENT = datetime(2030, 3, 5, 12, tzinfo=UTC)
JOURNEY = """
journey: welcome
start: {keywords: [hi]}
steps:
  - say: Hello.
  - ask: What brings you here?
    buttons: [Learn, Talk]
    save_as: wish
  - say: Good.
"""
_serial = itertools.count(1)


@pytest.mark.parametrize(
    "body, is_meant",
    [
        ("Yes!", True),
        ("Ça va? OUI, J'ACHÈTE 👍", True),
        ("yesterday", False),
        ("j'achete", False),
        ("well… yes, of course", True),
        ("oui j achetes", False),
        ("", False),
        (None, False),
    ],
)
def test_a_keyword_is_whole_words_however_they_are_typed(session: Session, body: str | None, is_meant: bool) -> None:
    goal = make_goal(session, keyword("yes", "Oui, j'achète"), event("paid"))
    person, number = make.make_person(session), make.make_number(session)
    noticing.said(session, "live", [Said(person.id, number.id, body, MOMENT)])
    assert bool(done(session, goal)) == is_meant


def test_what_a_webhook_brings_in_counts_with_what_was_sent_before(session: Session) -> None:
    goal = make_goal(session, keyword("yes"), event("paid"))
    number, now = make.make_number(session), datetime.now(UTC)
    person = make.make_person(session, phone="+201000000077")
    coach = make.make_operator(session)
    for days, columns in ((8, {"author_kind": "automation"}), (2, {"author_kind": "coach", "operator_id": coach.id})):
        at = now - timedelta(days=days)
        make.make_outbound(session, person, number, state="accepted", accepted_at=at, occurred_at=at, **columns)
    hook = WebhookEvent(connection_id=number.connection_id, body=b"{}", received_at=now)
    session.add(hook)
    session.flush()
    item = InboundMessage(
        "/", number.provider_number_id, "wamid.yes", Sender(phone="201000000077"), "text", "Yes please", {}, now
    )
    for _ in range(2):
        apply.apply(session, [apply.Item(hook.id, number.connection_id, item)])
    [row] = session.scalars(select(BehaviourDay))
    assert (row.person_id, row.number_id, row.author_kind, row.author_id) == (person.id, number.id, "coach", coach.id)
    assert done(session, goal) == [("yes", person.id)]


def test_steps_and_answers_of_a_journey_count_as_they_are_passed(session: Session) -> None:
    number = make.make_number(session)
    loading.load(session, "live", JOURNEY, "welcome.yaml")
    properties.declare(session, "live", {"wish": PropertyType.TEXT}, None)
    goal = make_goal(
        session, step("welcome", 1), step("welcome", 3), step("welcome", 2), attribute("wish", "is", "Learn")
    )
    look_back(session)
    person = make.make_person(session)

    def write(body: str) -> None:
        arrival = Arrival(person.id, next(_serial) + 10**6, body, None, first_ever=False, occurred_at=datetime.now(UTC))
        runner.receive(session, number, [arrival])

    write("hi")
    assert done(session, goal) == [("step 1", person.id)]
    write("Learn")
    names = sorted(name for name, _ in done(session, goal))
    assert names == ["step 1", "step 2", "step 3", "wish"]


def test_a_later_goal_finds_the_same_steps_in_what_is_stored(session: Session) -> None:
    number = make.make_number(session)
    loading.load(session, "live", JOURNEY, "welcome.yaml")
    people = [make.make_person(session) for _ in range(3)]
    for person, words in zip(people, (("hi",), ("hi", "Talk"), ()), strict=True):
        for word in words:
            arrival = Arrival(
                person.id, next(_serial) + 2 * 10**6, word, None, first_ever=False, occurred_at=datetime.now(UTC)
            )
            runner.receive(session, number, [arrival])
    goal = make_goal(session, step("welcome", 1), step("welcome", 3), step("welcome", 2), looks_back=True)
    look_back(session)
    first, second, _ = (person.id for person in people)
    assert sorted(done(session, goal)) == [
        ("step 1", first),
        ("step 1", second),
        ("step 2", second),
        ("step 3", second),
    ]


def test_words_and_events_are_looked_for_in_what_is_stored(session: Session) -> None:
    person, number = make.make_person(session), make.make_number(session)
    for days, body in ((3, "yes"), (3, "yes!"), (2, "no"), (1, "oh yes")):
        make.make_inbound(session, person, number, body, occurred_at=MOMENT - timedelta(days=days))
    keep_event(session, person.id, "paid", MOMENT)
    unasked = make_goal(session, keyword("yes"), event("paid"), name="From now on")
    goal = make_goal(session, keyword("yes"), event("paid"), looks_back=True)
    look_back(session)
    assert done(session, unasked) == []
    assert done(session, goal) == [("yes", person.id)] * 2 + [("paid", person.id)]


def test_looking_back_waits_for_whoever_was_at_work_when_the_goal_was_made(session: Session) -> None:
    make_goal(session, keyword("yes"), event("paid"), looks_back=True)
    waiting = looking_back.unlooked(session)
    assert waiting is not None
    assert not looking_back.look(session, waiting)  # this very transaction is not through


def test_an_attribute_is_reached_once_and_not_by_those_who_had_it(session: Session) -> None:
    properties.declare(session, "live", {"grade": PropertyType.NUMBER}, None)
    had, gets, never = (make.make_person(session, attributes={"grade": grade}) for grade in (9, 1, 2))
    goal = make_goal(session, attribute("grade", ">=", 5), event("paid"))
    look_back(session)
    gets.attributes = {"grade": 5}
    had.attributes = {"grade": 10}
    session.flush()
    for _ in range(2):
        noticing.attributes_changed(session, "live", [had.id, gets.id, never.id])
    dated = select(BehaviourDay.person_id).where(func.isfinite(BehaviourDay.day))
    assert list(session.scalars(dated)) == [gets.id]
    assert {person for _, person in done(session, goal)} == {had.id, gets.id}


def test_an_attribute_that_somebody_comes_to_while_the_past_is_looked_through_is_reached(session: Session) -> None:
    """Whoever the look back has been at, and whoever is new; of all others it finds who has it."""
    properties.declare(session, "live", {"grade": PropertyType.NUMBER}, None)
    seen, had = (make.make_person(session, attributes={"grade": grade}) for grade in (1, 9))
    before = func.now() - timedelta(days=1)
    session.execute(update(Person).where(Person.id.in_([seen.id, had.id])).values(created_at=before))
    goal = make_goal(session, attribute("grade", ">=", 5), event("paid"))
    goal.behaviours[0].looked_to, goal.behaviours[0].look_to = seen.id, had.id
    seen.attributes = {"grade": 5}
    new = make.make_person(session, attributes={"grade": 7})
    noticing.attributes_changed(session, "live", [seen.id, had.id, new.id])
    look_back(session)
    dated = select(BehaviourDay.person_id).where(func.isfinite(BehaviourDay.day))
    assert set(session.scalars(dated)) == {seen.id, new.id}
    assert {person for _, person in done(session, goal)} == {seen.id, had.id, new.id}


def test_an_event_told_twice_by_its_key_is_one(session: Session) -> None:
    goal = make_goal(session, keyword("yes"), event("paid"))
    person = make.make_person(session)
    given = {"name": " paid ", "at": "2030-03-05T11:00:00+01:00", "attributes": {"sum": 3}, "key": "order-7"}
    given["at"] = "2025-03-05T11:00:00+01:00"
    first, is_new = events.tell(session, person, given, None)
    again, is_again = events.tell(session, person, given, None)
    assert (is_new, is_again, first.id) == (True, False, again.id)
    assert done(session, goal) == [("paid", person.id)]
    with pytest.raises(events.EventError, match="another event"):
        events.tell(session, person, given | {"attributes": {"sum": 4}}, None)


@pytest.mark.parametrize(
    "wrong, field",
    [
        ({"name": ""}, "name"),
        ({"at": "2025-03-05"}, "at"),
        ({"at": "2199-03-05T00:00:00Z"}, "at"),
        ({"attributes": []}, "attributes"),
        ({"attributes": {"a": "\0"}}, "attributes"),
        ({"key": ""}, "key"),
    ],
)
def test_an_event_that_cannot_be_is_refused_with_its_place(
    session: Session, wrong: dict[str, object], field: str
) -> None:
    with pytest.raises(events.EventError) as refused:
        events.tell(session, make.make_person(session), {"name": "paid", **wrong}, None)
    assert refused.value.field == field


def test_where_there_is_no_goal_one_look_is_all_it_costs(session: Session) -> None:
    person, number = make.make_person(session), make.make_number(session)
    asked_: list[str] = []

    @listening.listens_for(session.connection().engine, "before_cursor_execute")
    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        asked_.append(statement)

    try:
        for _ in range(3):
            noticing.said(session, "live", [Said(person.id, number.id, "yes", MOMENT)])
            noticing.attributes_changed(session, "live", [person.id])
    finally:
        listening.remove(session.connection().engine, "before_cursor_execute", note)
    assert len(asked_) == 1


def test_two_who_become_one_did_it_once_a_day_and_an_attribute_once(session: Session) -> None:
    properties.declare(session, "live", {"grade": PropertyType.NUMBER}, None)
    goal = make_goal(session, attribute("grade", ">=", 5), keyword("yes"))
    look_back(session)
    number = make.make_number(session)
    people = [make.make_person(session) for _ in range(2)]
    noticing.said(session, "live", [Said(each.id, number.id, "yes", MOMENT) for each in people])
    events.tell(session, people[0], {"name": "paid", "key": "7"}, None)
    events.tell(session, people[1], {"name": "paid", "key": "7"}, None)
    [start] = [each.id for each in goal.behaviours if each.kind == "attribute"]
    record(session, "live", [Done(start, each.id, MOMENT + timedelta(days=n)) for n, each in enumerate(people)])
    stays = merge.merge(session, [each.id for each in people], "the test says so")
    assert sorted(done(session, goal)) == [("grade", stays), ("yes", stays)]


def test_a_change_keeps_what_was_counted_of_conditions_that_stay(session: Session) -> None:
    goal = make_goal(session, keyword("yes"), event("paid"), keyword("price"))
    person, number = make.make_person(session), make.make_number(session)
    noticing.said(session, "live", [Said(person.id, number.id, "yes, what price?", MOMENT)])
    kept = {each.name: each.id for each in goal.behaviours}
    given = goals.as_data(goal)
    given |= {"name": "Enrol now", "way": [keyword("offer")], "start": given["start"] | {"name": "agrees"}}
    goals.change(session, goal, given, COMMAND)
    now = {each.name: each.id for each in goal.behaviours}
    assert (now["agrees"], now["paid"]) == (kept["yes"], kept["paid"])
    assert done(session, goal) == [("agrees", person.id)]
    assert session.get(Behaviour, kept["price"]) is None


@pytest.mark.parametrize(
    "wrong, place",
    [
        ({"name": " "}, "name"),
        ({"stray": 1}, "stray"),
        ({"start": None}, "start"),
        ({"start": {"name": "a", "kind": "magic", "condition": {}}}, "start.kind"),
        ({"way": [keyword("")]}, "way[0].condition.words"),
        ({"way": [keyword("!?")]}, "way[0].condition.words"),
        ({"completion": step("nowhere", 1)}, "completion.condition.journey"),
        ({"completion": attribute("nothing", "is", "x")}, "completion.condition.of"),
        ({"completion": attribute("day", "in_last_days", 3)}, "completion.condition.operator"),
        ({"completion": attribute("day", "after", "soon")}, "completion.condition.value"),
    ],
)
def test_a_goal_that_cannot_be_is_refused_with_its_place(
    session: Session, wrong: dict[str, object], place: str
) -> None:
    properties.declare(session, "live", {"day": PropertyType.DATE}, None)
    given = {"name": "Enrol", "start": keyword("yes"), "completion": event("paid")} | wrong
    with pytest.raises(GoalError) as refused:
        goals.create(session, "live", given, COMMAND)
    assert place in refused.value.problems
