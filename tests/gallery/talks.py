"""What the school's people and its team said to each other, in every kind of message a thread can show."""
# ruff: noqa: RUF001 (people write in their own letters)

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import func, update
from sqlalchemy.orm import Session

from bot.conversations import assigning, labels, notes, threads
from bot.models.conversation import Conversation, Episode
from bot.models.message import Message, Reaction
from bot.models.person import Person
from bot.models.words import AuthorKind, MessageState
from tests import factories as make
from tests.gallery.school import School

READ = {"state": MessageState.ACCEPTED, "delivery_level": 3}
DELIVERED = {"state": MessageState.ACCEPTED, "delivery_level": 2}
FAILED = {
    "state": MessageState.FAILED,
    "error_code": 131026,
    "error_text": "Message undeliverable: the person has no WhatsApp, or an old version of it.",
}
BUTTONS = ("Find my level", "See courses", "Talk to a coach")
ASKED = {
    "type": "interactive",
    "interactive": {
        "type": "button",
        "body": {"text": "What would you like to do?"},
        "action": {"buttons": [{"type": "reply", "reply": {"id": word, "title": word}} for word in BUTTONS]},
    },
}
PLACE = {"latitude": 24.7136, "longitude": 46.6753, "name": "مكتبة الملك فهد", "address": "Riyadh"}
CARD = {"name": {"formatted_name": "Huda Al-Zahrani"}, "phones": [{"phone": "+966 51 234 5699", "type": "CELL"}]}

# Who, how long ago in minutes, what; the fourth, what differs from a text that was read.
AMINA: tuple[tuple[Any, ...], ...] = (
    ("in", 2890, "مرحبا، أريد أن أعرف مستواي في اللغة الألمانية"),
    ("stack", 2889, "Hi أمينة, welcome to Lingua!"),
    ("stack", 2889, "What would you like to do?", {"kind": "interactive", "content": ASKED}),
    ("in", 2885, "Talk to a coach", {"kind": "button"}),
    ("Noor Haddad", 2870, "أهلاً أمينة! يسعدني أن أساعدك. هل درستِ الألمانية من قبل؟"),
    ("in", 2862, "نعم، سنة واحدة. Ich kann schon ein bisschen sprechen 🙂", {"reacted": "👏"}),
    ("in", 2860, "", {"kind": "hologram", "content": {"type": "hologram"}}),
    ("broadcast", 180, "Hi أمينة, the evening course in German begins on Monday, 19:00. See you there!"),
    ("in", 64, "这个课程在线上吗？ My sister asks too: she only reads Chinese", {"kind": "text"}),
    ("Noor Haddad", 58, "Yes, it is online, and she can join: here is the plan.", DELIVERED),
    ("in", 41, "مكتبة الملك فهد", {"kind": "location", "content": {"type": "location", "location": PLACE}}),
    ("in", 40, "Huda Al-Zahrani", {"kind": "contacts", "content": {"type": "contacts", "contacts": [CARD]}}),
    ("in", 6, "متى يبدأ الدرس الأول؟ Und was kostet der Kurs?"),
)
OTHERS: Mapping[str, tuple[tuple[Any, ...], ...]] = {
    "Priya": (
        ("in", 1452, "Can I move from the morning to the evening group?"),
        ("app", 1440, "Yes, from next week on."),
        ("in", 1385, "धन्यवाद! फीस वही रहेगी?"),
    ),
    "João": (
        ("broadcast", 190, "Hi João, the evening course in German begins on Monday, 19:00. See you there!"),
        ("in", 131, "Posso pagar em duas vezes?"),
        ("Tomás Herrera", 96, "Claro! Metade agora, metade em abril."),
    ),
    "美玲": (("in", 75, "老師您好，我想報名初級班"), ("in", 74, "請問什麼時候開始？")),
    "Oluwaseun": (
        ("in", 8000, "Is the C1 exam preparation still open?"),
        ("Tomás Herrera", 7990, "It is: four places are left."),
        ("in", 4200, "I have paid, but nobody wrote to me"),
    ),
    "Grace": (
        ("api", 400, "Your receipt no. 2231 is here: https://lingua.example/receipts/2231", DELIVERED),
        ("in", 310, "Thank you, got it"),
    ),
    "שירה": (("in", 18, "היי, אפשר לדחות את המבחן ליום חמישי?"),),
    "Camille": (
        ("reminder", 1500, "Hi Camille, your conversation evening is tomorrow at 19:00."),
        ("in", 1388, "Merci ! Je viendrai avec une amie, si c’est possible"),
    ),
    "Αλέξανδρος": (("in", 52, "Καλησπέρα, ψάχνω μάθημα για αρχάριους"), ("stack", 51, "Hi Αλέξανδρος!", FAILED)),
    "Wolfeschlegelsteinhausenbergerdorff": (("in", 29, "Donaudampfschifffahrtsgesellschaftskapitänsmütze" * 2),),
}


def hold(session: Session, school: School, broadcast_id: int, token_id: int, reminder_id: int) -> None:
    """Everything said; Camille's thread is closed without a reply, João's is Tomás's, Amina's is looked after."""
    authors: dict[str, tuple[AuthorKind, str, int]] = {
        "stack": (AuthorKind.STACK, "journey_id", school.ids["journey_id"]),
        "broadcast": (AuthorKind.BROADCAST, "broadcast_id", broadcast_id),
        "api": (AuthorKind.API, "token_id", token_id),
        "reminder": (AuthorKind.REMINDER, "reminder_id", reminder_id),
    } | {name: (AuthorKind.COACH, "operator_id", each.id) for name, each in school.team.items()}
    threads_ = {name: _talk(session, school, name, said, authors) for name, said in OTHERS.items()}
    threads_["أمينة"] = _talk(session, school, "أمينة", AMINA, authors)
    amina, shut = threads_["أمينة"], threads_["Oluwaseun"]
    school.ids |= {"conversation_id": amina.id, "shut_id": shut.id, "closed_id": threads_["Camille"].id}
    noor, tomas = school.team["Noor Haddad"], school.team["Tomás Herrera"]
    assigning.assign(session, amina.id, noor.id, noor.id)
    assigning.assign(session, threads_["João"].id, tomas.id, noor.id, "He asked for Portuguese")
    for name, label in (("أمينة", "Placement"), ("Oluwaseun", "Payment"), ("Oluwaseun", "Complaint")):
        labels.attach(session, threads_[name], school.labels[label].id, noor.id)
    notes.write(session, amina.id, noor.id, "Her sister wants to join too. @Tomás Herrera can you teach her?", "0" * 16)
    threads.close(session, threads_["Camille"].id, noor.id)


def _talk(
    session: Session,
    school: School,
    name: str,
    said: tuple[tuple[Any, ...], ...],
    authors: Mapping[str, tuple[AuthorKind, str, int]],
) -> Conversation:
    person = school.by_name(name)
    for who, ago, body, *more in said:
        columns: dict[str, Any] = {"occurred_at": _ago(ago)} | dict(more[0] if more else {})
        emoji = columns.pop("reacted", None)
        message = _add(session, school, person, who, body, columns, authors)
        if who == "broadcast":
            school.ids["message_id"] = message.id if name == "أمينة" else school.ids.get("message_id", 0)
        if emoji:
            session.add(_reaction(message, str(emoji)))
    return _thread(session, school, person, said)


def _add(
    session: Session,
    school: School,
    person: Person,
    who: str,
    body: str,
    columns: dict[str, Any],
    authors: Mapping[str, tuple[AuthorKind, str, int]],
) -> Message:
    differs = {name: columns.pop(name) for name in ("kind", "content") if name in columns}
    if who == "in":
        message = make.make_inbound(session, person, school.number, body, **columns)
    elif who == "app":
        message = make.make_outbound(session, person, school.number, body, **(READ | columns), author_kind="app")
    else:
        kind, column, id_ = authors[who]
        columns = READ | {"author_kind": kind, column: id_} | columns
        message = make.make_outbound(session, person, school.number, body, **columns)
    for name, value in differs.items():
        setattr(message, name, value)
    session.flush()
    return message


def _thread(session: Session, school: School, person: Person, said: tuple[tuple[Any, ...], ...]) -> Conversation:
    inbound = [ago for who, ago, *_ in said if who == "in"]
    waits = [ago for who, ago, *_ in said if who == "in" and all(w in {"in", "stack"} for w, a, *_ in said if a < ago)]
    conversation = make.make_conversation(
        session, person, school.number, last_inbound_at=_ago(min(inbound)), unread_count=len(waits)
    )
    conversation.last_message_at = _ago(min(ago for _, ago, *_ in said))
    conversation.waiting_since = _ago(max(waits)) if waits else None
    opened = update(Episode).where(Episode.conversation_id == conversation.id)
    session.execute(opened.values(opened_at=_ago(max(inbound)), first_reply_at=func.now() if not waits else None))
    session.flush()
    return conversation


def _reaction(message: Message, emoji: str) -> Reaction:
    return Reaction(
        number_id=message.number_id,
        target=str(message.provider_message_id),
        person_id=message.person_id,
        environment=message.environment,
        emoji=emoji,
        occurred_at=message.occurred_at,
    )


def _ago(minutes: float) -> datetime:
    return datetime.now(UTC) - timedelta(minutes=minutes)
