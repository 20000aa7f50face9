"""A broadcast row gets its words when it is claimed: the frozen template, filled from the person as they are now."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.messages import templates
from bot.messages.claims import Claimed
from bot.messages.personalise import PlaceholderError
from bot.messages.templates import Plan
from bot.models.broadcast import Broadcast, BroadcastWording
from bot.people.values import load_values

Wording = tuple[int, int | None]
"""Broadcast id, and which of its wordings; None for its own."""
Plans = dict[Wording, Plan]
"""Frozen templates with their slots; neither changes after launch, so a pump may keep them."""


def fill(session: Session, rows: Sequence[Claimed], plans: Plans) -> list[Claimed]:
    """Rows with their content; one whose slots would stay empty, or too long, carries a refusal instead."""
    bare = [(row, (row.broadcast_id, row.wording_id)) for row in rows if row.content is None and row.broadcast_id]
    if not bare:
        return list(rows)
    wanted = {wording for _, wording in bare}
    _learn(session, wanted - plans.keys(), plans)
    names = frozenset[str]().union(*(plans[wording].names for wording in wanted))
    values = load_values(session, [row.person_id for row, _ in bare], names)
    filled = {row.id: _fill_one(row, plans[wording], values.get(row.person_id, {})) for row, wording in bare}
    return [filled.get(row.id, row) for row in rows]


def _fill_one(row: Claimed, plan: Plan, values: Mapping[str, str]) -> Claimed:
    try:
        done = templates.fill_plan(plan, values)
    except PlaceholderError as error:
        return replace(row, refusal=str(error))
    if done.missing or done.empty:
        return replace(row, refusal=f"nothing known for {', '.join(done.missing or done.empty)}", is_gap=True)
    return row.saying(done.content, done.body)


def _learn(session: Session, wanted: Collection[Wording], plans: Plans) -> None:
    own = [broadcast_id for broadcast_id, wording_id in wanted if wording_id is None]
    others = [wording_id for _, wording_id in wanted if wording_id is not None]
    if own:
        found = select(Broadcast.id, Broadcast.frozen_template, Broadcast.slots).where(Broadcast.id.in_(own))
        plans |= {(id_, None): templates.plan(frozen or {}, slots) for id_, frozen, slots in session.execute(found)}
    if others:
        rows = session.scalars(select(BroadcastWording).where(BroadcastWording.id.in_(others)))
        plans |= {(row.broadcast_id, row.id): templates.plan(row.frozen_template or {}, row.slots) for row in rows}
