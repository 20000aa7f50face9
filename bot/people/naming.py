"""How an address, a command or a program names somebody: by user ID, distinct ID or phone number."""

import re
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot import phone as phones
from bot.models.person import Person
from bot.people import identify
from bot.providers.events import Sender

DISTINCT: Final = "distinct:"

_USER_ID = re.compile(r"[0-9]{1,18}", re.ASCII)


def named(session: Session, environment: str, who: str) -> Person | None:
    """`311` is a user ID, `+201012345678` a phone number, `distinct:7` and any other word a distinct ID."""
    if _USER_ID.fullmatch(who):
        found = session.get(Person, int(who))
        is_theirs = found is not None and found.environment == environment and found.erased_at is None
        return found if is_theirs else None
    if who.startswith("+"):
        try:
            digits = phones.parse(who, None).e164.removeprefix("+")
        except phones.PhoneError:
            return None
        person_id = identify.find(session, environment, [Sender(phone=digits)])[0]
        return None if person_id is None else session.get(Person, person_id)
    distinct_id = who.removeprefix(DISTINCT).replace("\x00", "")
    return session.scalar(
        select(Person).where(
            Person.environment == environment, Person.distinct_id == distinct_id, Person.erased_at.is_(None)
        )
    )
