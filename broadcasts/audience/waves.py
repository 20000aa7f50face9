"""The order in which parts of an audience get a broadcast: a few first, then its trial, then the rest."""

from typing import Final

from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from bot.models.broadcast import AudiencePerson, Broadcast

CANARY: Final = 0
TRIAL: Final = 1
REST: Final = 2
NAMES: Final = {CANARY: "first part", TRIAL: "trial", REST: "rest"}

LOOK_AGAIN: Final = text("now() + interval '1 minute'")
"""When a broadcast that holds for its number's daily tier is looked at again."""


def minutes(broadcast: Broadcast) -> int:
    """How long its wave is watched, once all of it is sent, before the next begins."""
    return {CANARY: broadcast.canary_minutes, TRIAL: broadcast.winner_minutes or 0}.get(broadcast.wave, 0)


def first(session: Session, broadcast: Broadcast) -> int:
    """Of an audience of nobody it is the last one."""
    mine = select(func.min(AudiencePerson.wave)).where(AudiencePerson.broadcast_id == broadcast.id)
    found = session.scalar(mine)
    return REST if found is None else found


def go_on(session: Session, broadcast: Broadcast) -> bool:
    """Begin with the next wave that has anybody in it; False if there is none."""
    mine = AudiencePerson.broadcast_id == broadcast.id
    following = session.scalar(select(func.min(AudiencePerson.wave)).where(mine, AudiencePerson.wave > broadcast.wave))
    if following is None:
        return False
    moved = {"wave": following, "cursor": 0, "wave_until": None}
    session.execute(update(Broadcast).where(Broadcast.id == broadcast.id).values(moved))
    return True
