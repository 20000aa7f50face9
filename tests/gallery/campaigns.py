"""What the school's marketer has at hand: lists taken in, templates in every state, broadcasts from draft to ledger."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from bot.models.broadcast import AudiencePerson, Broadcast, Template
from bot.models.connection import Connection, Number
from bot.models.message import Message
from bot.models.person import Person
from bot.models.segment import Segment
from bot.models.words import BroadcastState, MessageState
from bot.runtime import Runtime
from broadcasts import jobs
from broadcasts.drafting import drafts
from broadcasts.drafting.wanted import Care, Schedule, Wanted
from broadcasts.segments import editing
from tests import factories as make
from tests.broadcasts import lists, standings
from tests.gallery.school import LIVE, PEOPLE, School

STARTS = [
    {"type": "HEADER", "format": "TEXT", "text": "Evening course"},
    {
        "type": "BODY",
        "text": "Hi {{1}}, the evening course in German begins on Monday, 19:00. See you there!",
        "example": {"body_text": [["Amina"]]},
    },
    {"type": "FOOTER", "text": "Lingua, the school of languages"},
    {"type": "BUTTONS", "buttons": [{"type": "QUICK_REPLY", "text": "I'll be there"}]},
]
TEMPLATES: tuple[tuple[Any, ...], ...] = (
    ("course_starts", "en", "MARKETING", "APPROVED", STARTS, {"quality": "GREEN"}),
    ("course_starts", "pt_BR", "MARKETING", "APPROVED", STARTS, {"quality": "YELLOW"}),
    ("are_you_there", "en", "UTILITY", "APPROVED", None, {"quality": "GREEN"}),
    ("summer_sale", "en", "MARKETING", "REJECTED", None, {"reason": "The example values are missing."}),
    ("placement_result", "de", "UTILITY", "PENDING", None, {}),
    ("old_newsletter", "en", "MARKETING", "PAUSED", None, {"reason": "People blocked it too often."}),
)
RULE = {
    "version": 1,
    "all": [
        {"what": "attribute", "of": "level", "operator": "is", "value": "B1"},
        {"any": [{"what": "country", "operator": "is", "value": code} for code in ("SA", "KE", "EG")]},
    ],
}
LIST = (
    "user_id,phone_number,email,first_name,last_name,level,evening||BOOLEAN\n"
    "student-4101,+966512345601,amina@example.com,أمينة,الزهراني,B2,yes\n"
    "student-4201,+201012340001,hany@example.com,Hany,Mansour,A1,no\n"
    "student-4202,01012340002,mona@example.com,Mona,Samir,A2,yes\n"
    "student-4203,2.01012E+11,omar@example.com,Omar,Tawfik,B1,no\n"
    "student-4204,not a number,laila@example.com,Laila,Nassar,B1,yes\n"
    "student-4205,+4915112340006,jonas@example,Jonas,Brandt,A1,maybe\n"
    "student-4206,+4915112340007,,Svenja,Köhler,C1,yes\n"
)
OUTCOMES: tuple[dict[str, Any], ...] = (
    *({"state": MessageState.ACCEPTED, "delivery_level": level} for level in (3, 3, 3, 3, 3, 2, 2, 2, 1, 1)),
    {"state": MessageState.FAILED, "error_code": 131026, "error_text": "Message undeliverable"},
    {"state": MessageState.FAILED, "error_code": 131049, "error_text": "Held back to keep people's attention"},
    {"state": MessageState.SUPPRESSED, "error_text": "this person wants no marketing messages"},
    {"state": MessageState.UNKNOWN},
    *({"state": MessageState.QUEUED} for _ in range(3)),
)


def plan(rt: Runtime, school: School) -> None:
    """In transactions of its own, as workers take lists in."""
    with rt.transaction() as session:
        _approve(session, school)
    for name, confirmed in (("spring-list.csv", True), ("autumn-list.csv", False)):
        run = lists.check(
            rt, LIST, dialect="auto", country="EG", confirmed=confirmed, segment_name=name[:6], file_name=name
        )
        school.ids["done_import_id" if confirmed else "import_id"] = run.id
    with rt.transaction() as session:
        _draft(session, school)
        _send(session, school)
    jobs.work()


def _approve(session: Session, school: School) -> None:
    connection = school.number.connection
    for name, language, category, status, components, more in TEMPLATES:
        made = make.make_template(
            session, connection, name=name, language=language, category=category, status=status,
            components=components, **more,
        )  # fmt: skip
        school.ids.setdefault("template_id", made.id)
        if status == "REJECTED":
            school.ids["rejected_id"] = made.id
    rule = editing.create_rule(session, LIVE, "B1 in three countries", RULE)
    school.ids["rule_id"] = rule.id


def _draft(session: Session, school: School) -> None:
    evening = session.get_one(Segment, school.ids["segment_id"])
    wanted = Wanted(
        name="Evening course, reminder of the first lesson",
        number_id=school.number.id,
        template_id=school.ids["template_id"],
        segment_ids=[evening.id, school.ids["rule_id"]],
        slots={"body.1": "<<user.nickname>>"},
        care=Care(canary_percent=10, stop_failed_percent=5),
        schedule=Schedule(scheduled_at=datetime.now(UTC) + timedelta(days=2)),
    )
    school.ids["draft_id"] = drafts.create(session, LIVE, wanted).id


def _send(session: Session, school: School) -> None:
    """One at work, one done and some at every other stage, all about the same course."""
    template = session.get_one(Template, school.ids["template_id"])
    frozen = {
        "name": template.name,
        "language": template.language,
        "category": template.category,
        "parameter_format": "POSITIONAL",
        "components": template.components,
    }
    for name, state, unmade in (("Evening course, spring", "running", 4), ("Summer course in Lisbon", "finished", 0)):
        outcomes = [each for each in OUTCOMES if unmade or each["state"] != MessageState.QUEUED]
        made = standings.make(session, *outcomes, unmade=unmade, state=state, frozen_template=frozen)
        _name(session, made.id)
        _bring_home(session, school, made, name)
        made.name, made.launched_at = name, datetime.now(UTC) - timedelta(minutes=12)
        made.launched_by_operator_id = school.team["Yuki Tanaka"].id
        school.ids["broadcast_id" if unmade else "finished_id"] = made.id
    segment = session.get_one(Segment, school.ids["segment_id"])
    stages: tuple[tuple[str, str, dict[str, Any]], ...] = (
        ("Placement tests in June", BroadcastState.APPROVAL, {}),
        ("Conversation evening", BroadcastState.SCHEDULED, {"scheduled_at": datetime.now(UTC) + timedelta(days=3)}),
        ("Price list", BroadcastState.PAUSED, {"reason": "More than 5 % failed: look at why, then resume."}),
        ("Open day", BroadcastState.CANCELLED, {"reason": "Cancelled by Yuki Tanaka."}),
    )
    for name, state, more in stages:
        broadcast = make.make_broadcast(session, school.number, segment, template, state=state, **more)
        broadcast.name, broadcast.frozen_template = name, frozen


def _bring_home(session: Session, school: School, made: Broadcast, name: str) -> None:
    """To the school's own line and template; those it was made with are gone."""
    number = session.get_one(Number, made.number_id)
    session.execute(update(Message).where(Message.broadcast_id == made.id).values(number_id=school.number.id))
    template, made.template_id, made.number_id = made.template_id, school.ids["template_id"], school.number.id
    session.get_one(Segment, made.segments[0].segment_id).name = f"{name}: everybody"
    session.flush()
    for model, id_ in ((Template, template), (Number, number.id), (Connection, number.connection_id)):
        session.execute(delete(model).where(model.id == id_))


def _name(session: Session, broadcast_id: int) -> None:
    """Those it went to, who all have one name, after the people of the school."""
    them = select(Person).join(AudiencePerson, AudiencePerson.person_id == Person.id)
    found = session.scalars(them.where(AudiencePerson.broadcast_id == broadcast_id).order_by(Person.id))
    for at, person in enumerate(found):
        first, _, country, language, level, _ = PEOPLE[at % len(PEOPLE)]
        _, last, *_ = PEOPLE[(at * 5 + broadcast_id) % len(PEOPLE)]
        person.first_name, person.last_name, person.country, person.language = first, last, country, language
        person.attributes = {"level": level, "points": 20 + at * 3}
