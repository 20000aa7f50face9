"""A school of languages: its team, its people from many countries, its lines. What pages are looked at with."""
# ruff: noqa: RUF001 (people write in their own letters)

import unicodedata
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from sqlalchemy.orm import Session

from bot.conversations import canned, labels
from bot.dashboard.summaries import writing
from bot.insights.export import orders
from bot.insights.summaries import keeping
from bot.journeys import loading, reminders
from bot.models.connection import Number
from bot.models.export import RawExport
from bot.models.inbox import Label
from bot.models.person import Person
from bot.models.segment import Segment
from bot.models.summary import SummaryRun
from bot.models.team import Operator
from bot.models.words import AddressKind, Environment, PropertyType, Role
from bot.people import consent, properties, stop_words, topics
from bot.people.consent import MARKETING, STOP, Word
from bot.settings import Settings
from bot.team import audit, invitations, permission_sets, resets, sign_ins, tokens
from bot.team.audit import Action, By
from bot.team.rights import Permission
from tests import factories as make

LIVE = Environment.LIVE
TEAM = {
    "Mara Lindqvist": Role.ADMIN,
    "Tomás Herrera": Role.COACH,
    "Noor Haddad": Role.COACH,
    "Yuki Tanaka": Role.MARKETER,
    "Ben Adler": Role.VIEWER,
}
PEOPLE = (
    ("أمينة", "الزهراني", "SA", "ar", "B1", "+966512345601"),
    ("Priya", "Raghunathan", "IN", "hi", "A2", "+919812345602"),
    ("João", "Figueiredo", "BR", "pt_BR", "B2", "+5511912345603"),
    ("美玲", "陳", "TW", "zh_TW", "A1", "+886912345604"),
    ("Oluwaseun", "Adébáyọ̀", "NG", "en", "C1", "+2348012345605"),
    ("Grace", "Wanjikũ", "KE", "en", "B1", "+254712345606"),
    ("Jürgen", "Weiß", "DE", "de", "A2", "+4915112345607"),
    ("שירה", "לוי", "IL", "he", "B1", "+972501234608"),
    ("Camille", "Dubois-Lefèvre", "FR", "fr", "B2", "+33612345609"),
    ("Αλέξανδρος", "Παπαδόπουλος", "GR", "el", "A1", "+306912345610"),
    ("Sofía", "Ramírez", "MX", "es", "A2", "+5215512345611"),
    ("Linh", "Nguyễn", "VN", "vi", "B1", "+84912345612"),
    ("Fatou", "Diallo", "SN", "fr", "A2", "+221771234613"),
    ("Emre", "Yılmaz", "TR", "tr", "B2", "+905321234614"),
    ("Wolfeschlegelsteinhausenbergerdorff", "", "AT", "de", "A1", "+436641234615"),
    ("Dina", "Farouk", "EG", "ar", "B1", "+201012345616"),
)
CANNED = (
    ("hours", "We are here Monday to Friday, 9 to 18 h."),
    ("level", "Hi <<user.first_name>>, the placement test takes ten minutes: https://lingua.example/placement"),
    ("fees", "An evening course is 140 € for ten weeks; you may pay in two parts."),
)
WELCOME = """\
journey: welcome
start:
  first_message: true
  keywords: [menu]
steps:
  - say: "Hi <<user.first_name|default('there')>>, welcome to Lingua!"
  - ask: What would you like to do?
    buttons: [Find my level, See courses, Talk to a coach]
    save_as: wish
  - say: "“<<user.wish>>” it is. A coach takes over in a moment."
"""


@dataclass
class School:
    """`secrets` are those of links: `join`, `reset`, and of sign-ins by the name of their operator."""

    team: dict[str, Operator]
    number: Number
    people: list[Person] = field(default_factory=list)
    labels: dict[str, Label] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    ids: dict[str, int] = field(default_factory=dict)
    """What the addresses of pages hold, by its name."""

    def by_name(self, first_name: str) -> Person:
        return next(person for person in self.people if person.first_name == first_name)


def found(session: Session, number: Number, settings: Settings) -> School:
    """The school, with nobody having said anything yet."""
    team = {name: make.make_operator(session, role) for name, role in TEAM.items()}
    for name, operator in team.items():
        operator.name, operator.email = name, f"{_plain(name.split()[0])}@lingua.example"
    school = School(team, number)
    school.ids |= {"operator_id": team["Noor Haddad"].id}
    _enrol(session, school)
    _furnish(session, school, settings)
    return school


def _plain(name: str) -> str:
    return unicodedata.normalize("NFD", name.lower()).encode("ascii", "ignore").decode()


def _enrol(session: Session, school: School) -> None:
    properties.declare(
        session,
        LIVE,
        {"level": PropertyType.TEXT, "points": PropertyType.NUMBER, "evening": PropertyType.BOOLEAN},
    )
    for at, (first, last, country, language, level, phone) in enumerate(PEOPLE):
        person = make.make_person(
            session,
            phone=phone,
            distinct_id=f"student-{4101 + at}",
            first_name=first,
            last_name=last or None,
            country=country,
            language=language,
            attributes={"level": level, "points": 40 + at * 7, "evening": bool(at % 2)},
        )
        school.people.append(person)
    amina = school.people[0]
    make.make_address(session, amina, AddressKind.EMAIL, "amina.alzahrani@example.com")
    school.ids |= {"person_id": amina.id, "other_id": school.people[15].id}
    news = topics.create(session, LIVE, "Course news", "New courses and dates, twice a month.")
    topics.create(session, LIVE, "Conversation evenings", "Where to practise this week.")
    school.ids["topic_id"] = news.id
    consent.tell(session, [Word(school.people[12].id, MARKETING, STOP, "word", datetime.now(UTC), "STOP")])
    stop_words.add(session, LIVE, "en", "no more news", "stop", None)


def _furnish(session: Session, school: School, settings: Settings) -> None:
    mara, noor = school.team["Mara Lindqvist"], school.team["Noor Haddad"]
    for name, colour in (("Placement", "blue"), ("Payment", "amber"), ("Complaint", "red"), ("Evening", "violet")):
        school.labels[name] = labels.make(session, LIVE, name, colour)
    for shortcut, text in CANNED:
        canned.create(session, LIVE, noor.id, shortcut, text)
    school.ids["journey_id"] = loading.load(session, LIVE, WELCOME, "welcome.yaml").id
    evening = make.make_segment(session, school.people[:6], name="Evening course, spring")
    school.ids["segment_id"] = evening.id
    _remind(session, school, evening)
    permission_sets.add(session, "Front desk", [Permission.INBOX_READ, Permission.INBOX_REPLY, Permission.PEOPLE_READ])
    for name, scopes in (("shop", [Permission.MESSAGES_SEND]), ("data warehouse", None)):
        tokens.create(session, LIVE, name, scopes=scopes, expires_at=datetime.now(UTC) + timedelta(days=200))
    _take_along(session, mara)
    _summarise(session, school, settings)
    for action, subject in (
        (Action.SIGNED_IN, f"operator {noor.id}"),
        (Action.ROLE_CHANGED, f"operator {noor.id}"),
        (Action.EXPORTED, "people"),
    ):
        audit.note(session, By(mara.id, address="192.0.2.7"), action, subject, after={"role": "coach"})
    _, school.secrets["join"] = invitations.invite(session, "ines@lingua.example", Role.COACH, mara.id)
    school.secrets["reset"] = resets.offer(session, school.team["Ben Adler"].id)
    school.secrets["half signed in"] = sign_ins.begin(session, noor.id, awaits_factor=True)
    for name, operator in school.team.items():
        school.secrets[name] = sign_ins.begin(session, operator.id)


def _summarise(session: Session, school: School, settings: Settings) -> None:
    """One goes to a chat; the other's address does not exist."""
    wanted = {"way": "chat", "rhythm": "weekly", "weekday": "1", "hour": "8", "language": "en"}
    for place in ("https://chat.lingua.example/hooks/1", "https://rooms.lingua.example/hooks/2"):
        told = wanted | {"place": place}
        made = keeping.make(session, settings, LIVE, told, school.team["Mara Lindqvist"].id, datetime.now(UTC))
    school.secrets["stop_word"] = writing.stop_word(settings, made.id)
    yesterday = datetime.now(UTC) - timedelta(days=1)
    session.add(
        SummaryRun(
            summary_id=made.id,
            first=yesterday.date(),
            last=yesterday.date(),
            attempts=1,
            problem="The chat answered with 404.",
            given_up_at=yesterday,
        )
    )


def _take_along(session: Session, mara: Operator) -> None:
    """Exports of raw data: one is there, one failed, one is being made."""
    yesterday = datetime.now(UTC) - timedelta(days=1)
    whole = {"is_whole": True, "rows": {"messages": 1_204_311}}
    for state, columns in (
        ("finished", {"manifest": whole, "rows_done": 1_204_311, "size": 87_412_331, "storage_key": "school"}),
        ("failed", {"problem": orders.NO_DISK}),
        ("running", {"is_pseudonymised": False, "rows_done": 412_000, "tables_done": 12, "at_table": "messages"}),
    ):
        wanted = {"environment": LIVE, "operator_id": mara.id, "is_pseudonymised": True, "created_at": yesterday}
        session.add(RawExport(state=state, started_at=yesterday, **(wanted | columns)))
        session.flush()


def _remind(session: Session, school: School, evening: Segment) -> None:
    soon = datetime.now(UTC) + timedelta(days=1)
    words = "Hi <<user.first_name>>, your conversation evening is tomorrow at 19:00."
    wishes = (
        reminders.Wanted("Conversation evening", soon, segment_id=evening.id, text=words),
        reminders.Wanted(
            "Placement test", soon, person_id=school.people[3].id, text="Your placement test is at 10:00."
        ),
    )
    for wish in wishes:
        reminders.add(session, school.number, wish, operator_id=school.team["Noor Haddad"].id)
