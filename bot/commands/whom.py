from sqlalchemy.orm import Session

from bot.commands import console
from bot.models.person import Person
from bot.people import naming


def whom(session: Session, environment: str, who: str) -> Person:
    """Whoever is meant by a user ID, a distinct ID or a phone number; the command ends if that is nobody."""
    found = naming.named(session, environment, who)
    if found is None:
        console.fail(f"Nobody in {environment} is known as {who}: give a user ID, a distinct ID or a phone number.")
    return found
