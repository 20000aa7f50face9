"""Where a segment is used: what would lose its people if it were deleted."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.language import _
from bot.models.broadcast import Broadcast, BroadcastSegment
from bot.models.imports import ImportRun, StoredFile
from bot.models.journey import Reminder
from bot.models.segment import Segment
from bot.models.words import BroadcastState, SegmentKind
from bot.people.rules.schema import Node, conditions, load

MOST = 200


@dataclass(frozen=True, slots=True)
class Use:
    """`kind` is broadcast, import, reminder or segment; `state` as that kind has it."""

    kind: str
    id: int
    name: str
    state: str


def of(session: Session, segment: Segment) -> list[Use]:
    """The newest of each kind first."""
    return [*_broadcasts(session, segment), *_imports(session, segment), *_reminders(session, segment)] + [
        Use("segment", each.id, each.name, _("by rule")) for each in rules_with(session, segment)
    ]


def rules_with(session: Session, segment: Segment) -> list[Segment]:
    """Segments whose rule asks for membership in it."""
    return [
        each
        for each, rule in _rules(session, segment.environment)
        if segment.id in references(rule) and each.id != segment.id
    ]


def references(rule: Node) -> set[int]:
    """Ids of the segments that a rule asks for itself."""
    return {int(each.of or 0) for each in conditions(rule) if each.what == "segment"}


def reach(session: Session, environment: str, rule: Node) -> set[int]:
    """Ids of all segments that a rule leads to, however far."""
    known = {segment.id: references(rule) for segment, rule in _rules(session, environment)}
    found: set[int] = set()
    waiting = references(rule)
    while waiting:
        each = waiting.pop()
        found.add(each)
        waiting |= known.get(each, set()) - found
    return found


def being_counted(session: Session, segment: Segment) -> Broadcast | None:
    """A broadcast that was launched and does not know its people yet, and that asks for this segment."""
    asked = select(Broadcast).where(
        Broadcast.environment == segment.environment,
        Broadcast.state.in_([BroadcastState.MATERIALISING, BroadcastState.PAUSED]),
        Broadcast.audience_frozen_at.is_(None),
    )
    for broadcast in session.scalars(asked):
        if any(_asks_for(session, each, segment) for each in _segments_of(session, broadcast)):
            return broadcast
    return None


def _asks_for(session: Session, rule: Segment, segment: Segment) -> bool:
    if rule.rule is None:
        return False
    return segment.id == rule.id or segment.id in reach(session, segment.environment, load(rule.rule))


def _segments_of(session: Session, broadcast: Broadcast) -> Sequence[Segment]:
    mine = BroadcastSegment.broadcast_id == broadcast.id
    return session.scalars(
        select(Segment).join(BroadcastSegment, BroadcastSegment.segment_id == Segment.id).where(mine)
    ).all()


def _rules(session: Session, environment: str) -> Iterator[tuple[Segment, Node]]:
    found = select(Segment).where(Segment.environment == environment, Segment.kind == SegmentKind.RULE)
    for segment in session.scalars(found.order_by(Segment.id.desc()).execution_options(populate_existing=True)):
        if segment.rule is not None:
            yield segment, load(segment.rule)


def _broadcasts(session: Session, segment: Segment) -> Iterator[Use]:
    goes_to = BroadcastSegment.segment_id == segment.id
    found = select(Broadcast).join(BroadcastSegment, BroadcastSegment.broadcast_id == Broadcast.id).where(goes_to)
    for each in session.scalars(found.order_by(Broadcast.id.desc()).limit(MOST)):
        yield Use("broadcast", each.id, each.name, each.state)


def _imports(session: Session, segment: Segment) -> Iterator[Use]:
    found = (
        select(ImportRun.id, StoredFile.name, ImportRun.state)
        .join(StoredFile, StoredFile.id == ImportRun.file_id)
        .where(ImportRun.segment_id == segment.id)
        .order_by(ImportRun.id.desc())
        .limit(MOST)
    )
    for id_, name, state in session.execute(found):
        yield Use("import", id_, name, state)


def _reminders(session: Session, segment: Segment) -> Iterator[Use]:
    found = select(Reminder).where(Reminder.segment_id == segment.id).order_by(Reminder.id.desc()).limit(MOST)
    for each in session.scalars(found):
        yield Use("reminder", each.id, each.name, each.state)
