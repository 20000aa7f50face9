"""The list of broadcasts, a page at a time: what was tried again stands below what it tries again."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.models.broadcast import Broadcast
from bot.models.words import BroadcastOrigin
from broadcasts.broadcasts import PAGE
from broadcasts.results import ledger
from broadcasts.results.ledger import Counts

_ESCAPED = str.maketrans({mark: f"\\{mark}" for mark in "\\%_"})


@dataclass(frozen=True, slots=True)
class Row:
    broadcast: Broadcast
    counts: Counts
    is_below: bool
    """Tries again what failed of the one above."""


@dataclass(frozen=True, slots=True)
class Page:
    rows: Sequence[Row]
    more: int | None
    """The id before which the next page begins."""


def load(
    session: Session, environment: str, *, state: str | None = None, words: str = "", before: int | None = None
) -> Page:
    """Newest first, without test sends; of a state or with words in the name each stands by itself."""
    is_searched = bool(state or words)
    wanted = select(Broadcast).where(Broadcast.environment == environment, Broadcast.origin != BroadcastOrigin.TEST)
    if state:
        wanted = wanted.where(Broadcast.state == state)
    if words:
        wanted = wanted.where(Broadcast.name.ilike(f"%{words.translate(_ESCAPED)}%", escape="\\"))
    if not is_searched:
        wanted = wanted.where((Broadcast.origin != BroadcastOrigin.RETRY) | Broadcast.parent_id.is_(None))
    if before is not None:
        wanted = wanted.where(Broadcast.id < before)
    found = session.scalars(wanted.order_by(Broadcast.id.desc()).limit(PAGE + 1)).all()
    shown = found[:PAGE]
    below = {} if is_searched else _below(session, [each.id for each in shown])
    counted = ledger.outlines_of(session, [each.id for each in (*shown, *_flat(below))])
    rows = [Row(each, counted[each.id], is_below) for each, is_below in _in_order(shown, below)]
    return Page(rows, shown[-1].id if len(found) > PAGE else None)


def _below(session: Session, ids: Sequence[int]) -> dict[int, list[Broadcast]]:
    """By the id of the uppermost, whatever tries it again, or tries again what did, the oldest first."""
    tree = select(Broadcast.id, Broadcast.id.label("root")).where(Broadcast.id.in_(ids)).cte("retries", recursive=True)
    deeper = select(Broadcast.id, tree.c.root).join(tree, Broadcast.parent_id == tree.c.id)
    tree = tree.union_all(deeper.where(Broadcast.origin == BroadcastOrigin.RETRY))
    found = select(tree.c.root, Broadcast).join(Broadcast, Broadcast.id == tree.c.id).where(tree.c.root != tree.c.id)
    below: defaultdict[int, list[Broadcast]] = defaultdict(list)
    for root, broadcast in session.execute(found.order_by(Broadcast.id)):
        below[root].append(broadcast)
    return below


def _flat(below: dict[int, list[Broadcast]]) -> Iterator[Broadcast]:
    for retries in below.values():
        yield from retries


def _in_order(shown: Sequence[Broadcast], below: dict[int, list[Broadcast]]) -> Iterator[tuple[Broadcast, bool]]:
    for each in shown:
        yield each, False
        for retry in below.get(each.id, ()):
            yield retry, True
