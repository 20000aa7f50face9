"""What a team has made for its inbox, and a page of it offers to choose from: all of it in one question."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

from bot.conversations.labels import Tag

_ASK = text("""
    SELECT 'label' AS what, id, name, colour, archived_at IS NOT NULL AS is_archived, lower(name) AS place
      FROM label WHERE environment = :environment
     UNION ALL
    SELECT 'number', id, name, NULL, false, name FROM number WHERE environment = :environment
     UNION ALL
    SELECT 'segment', id, name, NULL, false, name FROM segment WHERE environment = :environment
     UNION ALL
    SELECT 'journey', id, name, NULL, false, name FROM journey WHERE environment = :environment AND active
     ORDER BY is_archived, place
""")

Options = list[tuple[int, str]]


@dataclass(frozen=True, slots=True)
class Offers:
    numbers: Options
    segments: Options
    journeys: Options
    """What a conversation can be handed back to."""
    labels: Options
    """To narrow a list by; the archived ones last."""
    tags: Sequence[Tag]
    """Labels that can still be put on a conversation."""


def load(session: Session, environment: str) -> Offers:
    found, tags = defaultdict[str, Options](list), []
    for row in session.execute(_ASK, {"environment": environment}):
        found[row.what].append((row.id, row.name))
        if row.what == "label" and not row.is_archived:
            tags.append(Tag(row.id, row.name, row.colour))
    return Offers(found["number"], found["segment"], found["journey"], found["label"], tags)
