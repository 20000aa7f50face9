"""What the tests of a person's page have in common."""

from typing import Any

from sqlalchemy.orm import Session

from bot.models.connection import Number
from bot.models.message import Message
from bot.models.person import Person
from tests import factories as make
from tests.dashboard.visitor import Visitor


def fresh(session: Session, person: Person) -> Person:
    session.expire_all()
    return person


def accepted(
    session: Session, person: Person, number: Number, level: int, body: str = "hello", **columns: Any
) -> Message:
    columns = {"state": "accepted", "delivery_level": level} | columns
    return make.make_outbound(session, person, number, body, **columns)


def post(visitor: Visitor, person: Person, where: str = "", **form: Any) -> Any:
    visitor.get(f"/people/{person.id}")
    return visitor.post(f"/people/{person.id}{where}", form)
