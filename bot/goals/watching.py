"""Which behaviours there are to look out for: one look in each transaction, whatever happens in it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.models.goals import Behaviour, BehaviourKind

_KEPT: Final = "goals.watched"


@dataclass(frozen=True, slots=True)
class Watched:
    id: int
    environment: str
    kind: str
    condition: Mapping[str, Any]
    is_looking: bool
    """What was before it is still being looked through."""


def watched(session: Session, environment: str, kind: BehaviourKind) -> Sequence[Watched]:
    """Those of a kind; most often none, and then there is nothing to do."""
    begun, found = session.info.get(_KEPT, (None, ()))
    if begun is None or begun is not session.get_transaction():
        found = _every(session)
        session.info[_KEPT] = (session.get_transaction(), found)
    return [each for each in found if each.environment == environment and each.kind == kind]


def forget(session: Session) -> None:
    """After a change of goals in this very transaction."""
    session.info.pop(_KEPT, None)


def _every(session: Session) -> Sequence[Watched]:
    columns = (Behaviour.id, Behaviour.environment, Behaviour.kind, Behaviour.condition)
    found = session.execute(select(*columns, Behaviour.looked_at.is_(None)).order_by(Behaviour.id))
    return [Watched(*row) for row in found]
