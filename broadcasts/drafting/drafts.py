"""Making and changing a draft: what it is made of is checked as a whole, and every problem is told at once."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields, replace
from typing import Any, Final

import orjson
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from bot.language import _, translated
from bot.models.broadcast import Broadcast, BroadcastSegment, BroadcastWording
from bot.models.words import BroadcastState, SegmentRole
from broadcasts.broadcasts import BroadcastError, WrongStateError
from broadcasts.drafting import checks, limits
from broadcasts.drafting.wanted import Care as Care
from broadcasts.drafting.wanted import Problem as Problem
from broadcasts.drafting.wanted import Schedule as Schedule
from broadcasts.drafting.wanted import Trial as Trial
from broadcasts.drafting.wanted import Wanted as Wanted
from broadcasts.drafting.wanted import Wording as Wording

_VERSION_DIGITS: Final = 16


class ChangedError(BroadcastError):
    """Somebody else saved it since it was read."""


class DraftError(BroadcastError):
    """It cannot be a draft; `problems` say where and why, its text says the same a line each."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(checks.tell(problems))
        self.problems = tuple(problems)


def create(session: Session, environment: str, wanted: Wanted) -> Broadcast:
    """A draft that could be launched as it stands; raises DraftError with every problem."""
    wanted = tidy(wanted)
    _refuse(checks.of_wanted(session, environment, wanted))
    broadcast = Broadcast(environment=environment, state=BroadcastState.DRAFT, **_columns(wanted))
    session.add(broadcast)
    session.flush()
    _write_parts(session, broadcast, wanted)
    return broadcast


def change(session: Session, broadcast_id: int, wanted: Wanted, seen: str | None = None) -> Broadcast:
    """Make the draft anew under its old id; raises DraftError, or WrongStateError unless it is a draft.

    `seen` is the `version_of` what the change was made from: ChangedError if that is not what stands there any more.
    """
    found = select(Broadcast).where(Broadcast.id == broadcast_id).with_for_update()
    broadcast = session.scalar(found.execution_options(populate_existing=True))
    if broadcast is None:
        raise BroadcastError(_("There is no broadcast %(broadcast_id)s.", broadcast_id=broadcast_id))
    if broadcast.state != BroadcastState.DRAFT:
        raise WrongStateError(
            _(
                "“%(name)s” is %(state)s: only a draft can be changed. Duplicate it instead.",
                name=broadcast.name,
                state=translated(broadcast.state),
            )
        )
    if seen is not None and seen != version_of(wanted_of(session, broadcast)):
        raise ChangedError(
            _("“%(name)s” was changed since you read it: read it again, and change that.", name=broadcast.name)
        )
    wanted = tidy(wanted)
    _refuse(checks.of_wanted(session, broadcast.environment, wanted))
    for name, value in _columns(wanted).items():
        setattr(broadcast, name, value)
    _write_parts(session, broadcast, wanted)
    return broadcast


def wanted_of(session: Session, broadcast: Broadcast) -> Wanted:
    """What would make the same draft once more: to show it in a form, to change a part of it, to copy it."""
    mine = select(BroadcastWording).where(BroadcastWording.broadcast_id == broadcast.id)
    wordings = session.scalars(mine.order_by(BroadcastWording.variant, BroadcastWording.id))
    ids = {role: tuple(each.segment_id for each in broadcast.segments if each.role == role) for role in SegmentRole}
    schedule = Schedule(**_held(broadcast, Schedule))
    return Wanted(
        name=broadcast.name,
        number_id=broadcast.number_id,
        template_id=broadcast.template_id,
        segment_ids=ids[SegmentRole.TO],
        minus_ids=ids[SegmentRole.MINUS],
        slots=broadcast.slots,
        topic_id=broadcast.topic_id,
        wordings=tuple(
            Wording(variant=each.variant, language=each.language, template_id=each.template_id, slots=each.slots)
            for each in wordings
        ),
        schedule=schedule if schedule.local_time is None else replace(schedule, scheduled_at=None),
        care=Care(**_held(broadcast, Care)),
        trial=Trial(**_held(broadcast, Trial)),
    )


def version_of(wanted: Wanted) -> str:
    """The same for the same draft: two who save the same thing are not in each other's way."""
    told = orjson.dumps(asdict(tidy(wanted)), option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(told).hexdigest()[:_VERSION_DIGITS]


def tidy(wanted: Wanted) -> Wanted:
    """As it is stored: single spaces in the name, no blank slots, each segment once."""
    return replace(
        wanted,
        name=" ".join(wanted.name.split()),
        segment_ids=tuple(dict.fromkeys(wanted.segment_ids)),
        minus_ids=tuple(dict.fromkeys(wanted.minus_ids)),
        slots=_filled(wanted.slots),
        wordings=tuple(replace(each, slots=_filled(each.slots)) for each in wanted.wordings),
    )


def _filled(slots: Mapping[str, str]) -> dict[str, str]:
    return {slot: words.strip() for slot, words in slots.items() if words.strip()}


def _columns(wanted: Wanted) -> dict[str, Any]:
    timed = asdict(wanted.schedule) | {"scheduled_at": limits.begin(wanted.schedule)}
    return {
        "name": wanted.name,
        "number_id": wanted.number_id,
        "template_id": wanted.template_id,
        "topic_id": wanted.topic_id,
        "slots": dict(wanted.slots),
        **timed,
        **asdict(wanted.care),
        **asdict(wanted.trial),
    }


def _write_parts(session: Session, broadcast: Broadcast, wanted: Wanted) -> None:
    """Its segments and wordings, in place of those it had."""
    roles = [(id_, SegmentRole.TO) for id_ in wanted.segment_ids]
    roles += [(id_, SegmentRole.MINUS) for id_ in wanted.minus_ids]
    session.execute(delete(BroadcastSegment).where(BroadcastSegment.broadcast_id == broadcast.id))
    session.execute(delete(BroadcastWording).where(BroadcastWording.broadcast_id == broadcast.id))
    session.expire(broadcast, ["segments"])
    for id_, role in roles:
        row = BroadcastSegment(segment_id=id_, broadcast_id=broadcast.id, environment=broadcast.environment, role=role)
        session.add(row)
    session.add_all(BroadcastWording(broadcast_id=broadcast.id, **asdict(each)) for each in wanted.wordings)
    session.flush()


def _held(broadcast: Broadcast, part: type[Schedule | Care | Trial]) -> dict[str, Any]:
    return {each.name: getattr(broadcast, each.name) for each in fields(part)}


def _refuse(problems: Sequence[Problem]) -> None:
    if problems:
        raise DraftError(problems)
