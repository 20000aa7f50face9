"""People who moved to another phone number or user id: the new address becomes theirs, the old one stays in history."""

from sqlalchemy.orm import Session

from bot.people import identify
from bot.providers.events import IdentityChange, Sender


class AddressTakenError(ValueError):
    """The new address is another person's; putting two people together is for somebody who knows them."""


def follow(session: Session, environment: str, change: IdentityChange) -> int:
    """Give the person the new address; their id. Repeats change nothing. Raises AddressTakenError."""
    after = arrived_as(change)
    leaver, holder = identify.find(session, environment, [change.sender, after])
    if holder is not None and leaver not in {None, holder}:
        raise AddressTakenError("the new phone number or user id belongs to another person: nothing was changed")
    person_id = leaver or holder
    if person_id is None:
        [person_id] = identify.find_or_create(session, environment, [change.sender])
    identify.attach(session, environment, person_id, after)
    return person_id


def arrived_as(change: IdentityChange) -> Sender:
    return Sender(phone=change.new_phone, user_id=change.new_user_id)
