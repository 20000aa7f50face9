"""Messages in the outbox of a number at the simulator, for the tests of the send pump."""

from typing import Any

from sqlalchemy import null, select, update

from bot.messages.compose import Author, Draft, compose, text_content
from bot.messages.jobs import drain_outbox
from bot.models.broadcast import Broadcast, Template
from bot.models.connection import Number
from bot.models.message import Message
from bot.models.words import AuthorKind
from bot.runtime import Runtime
from tests import factories as make

TEMPLATE: dict[str, Any] = {
    "name": "greeting",
    "language": "en",
    "category": "MARKETING",
    "status": "APPROVED",
    "parameter_format": "POSITIONAL",
    "components": [{"type": "BODY", "text": "Hello {{1}}"}],
}


def say(rt: Runtime, number: Number, *phones: str) -> list[int]:
    """A coach writes to each phone."""
    with rt.transaction() as session:
        author = Author(AuthorKind.COACH, make.make_operator(session).id)
        people = [make.make_person(session, phone=phone) for phone in phones]
        return compose(session, number, author, [Draft(p.id, "text", text_content("hello")) for p in people])


def broadcast(rt: Runtime, number: Number, count: int, **columns: Any) -> int:
    """A running broadcast whose messages are in the outbox."""
    with rt.transaction() as session:
        number = session.get_one(Number, number.id)  # as it stands, not as it was made
        template = make.make_template(session, number.connection, **TEMPLATE)
        row = make.make_broadcast(
            session, number, make.make_segment(session), template, state="running", frozen_template=TEMPLATE, **columns
        )
        for n in range(count):
            make.make_outbound(
                session,
                make.make_person(session, first_name=f"Name{n}"),
                number,
                author_kind="broadcast",
                broadcast_id=row.id,
                priority=9,
                to_address=make.next_phone(),
            )
        session.execute(Message.__table__.update().values(content=None, body=None, kind="template"))  # type: ignore[attr-defined]
        return row.id


def copy_of(rt: Runtime, broadcast_id: int, count: int) -> int:
    """Another running broadcast like it, without a pace, to `count` more people."""
    with rt.transaction() as session:
        like = session.get_one(Broadcast, broadcast_id)
        number = session.get_one(Number, like.number_id)
        segment = make.make_segment(session)
        columns: dict[str, Any] = {"state": "running", "frozen_template": TEMPLATE}
        row = make.make_broadcast(session, number, segment, session.get_one(Template, like.template_id), **columns)
        people = [make.make_person(session, first_name="Else") for _ in range(count)]
        of: dict[str, Any] = {"author_kind": "broadcast", "broadcast_id": row.id, "priority": 9}
        for person in people:
            make.make_outbound(session, person, number, to_address=make.next_phone(), **of)
        bare = update(Message).where(Message.broadcast_id == row.id)
        session.execute(bare.values(content=null(), body=None, kind="template"))
        return row.id


def drained(rt: Runtime) -> bool:
    drain_outbox()
    return all(row.state != "queued" for row in rows(rt))


def rows(rt: Runtime) -> list[Message]:
    with rt.transaction() as session:
        return list(session.scalars(select(Message).order_by(Message.id)))
