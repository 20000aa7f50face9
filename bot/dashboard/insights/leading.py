"""Where a row leads: a kind of author to its authors, an author to their own page."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from flask import url_for

from bot.dashboard import access
from bot.insights.blocks.shapes import Answer, Block, Unit
from bot.insights.blocks.table import BLOCKS
from bot.models.words import AuthorKind

_PAGES: Final[Mapping[str, tuple[str, str]]] = {
    f"authors-{AuthorKind.STACK}": ("journeys.show", "journey_id"),
    f"authors-{AuthorKind.COACH}": ("member.show", "operator_id"),
    f"authors-{AuthorKind.BROADCAST}": ("broadcasts.show", "broadcast_id"),
    "goals": ("goals.show", "goal_id"),
}
_SET_UP: Final[Mapping[str, str]] = {"goals": "goals.new"}


def sets_up(block: Block) -> str | None:
    """Where whoever may sets up what the block counts."""
    endpoint = _SET_UP.get(block.name)
    return url_for(endpoint) if endpoint and access.may(endpoint) else None


def leads_to(block: Block, answer: Answer, row: Sequence[Any]) -> str | None:
    """None where there is nothing behind it, or nothing for whoever looks."""
    if answer.columns[0].unit is Unit.AUTHOR:
        deeper = f"authors-{row[0]}"
        return url_for("insights.show", name=deeper) if deeper in BLOCKS else None
    return _page(block.name, int(row[0] or 0)) if block.name in _PAGES else None


def author(kind: str, author_id: int) -> str | None:
    """The page of a journey, a coach or a broadcast; None of who has none, or none for whoever looks."""
    return _page(f"authors-{kind}", author_id)


def _page(place: str, id_: int) -> str | None:
    endpoint, name = _PAGES.get(place, ("", ""))
    given: dict[str, Any] = {name: id_}
    return url_for(endpoint, **given) if id_ and endpoint and access.may(endpoint) else None
