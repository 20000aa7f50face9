"""A broadcast row gets its words when it is claimed: the frozen template, filled from the person as they are now."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.messages import templates
from bot.messages.outbox import Claimed
from bot.messages.personalise import PlaceholderError
from bot.messages.templates import Plan
from bot.models.broadcast import Broadcast
from bot.people.values import load_values

Plans = dict[int, Plan]
"""Broadcast id → its frozen template and its slots; neither changes after launch, so a pump may keep them."""


def fill(session: Session, rows: Sequence[Claimed], plans: Plans) -> list[Claimed]:
    """Rows with their content; a row whose slots would stay empty carries a refusal: nothing leaves with a hole."""
    bare = [row for row in rows if row.content is None and row.broadcast_id is not None]
    if not bare:
        return list(rows)
    broadcasts = {row.broadcast_id for row in bare if row.broadcast_id is not None}
    _learn(session, broadcasts - plans.keys(), plans)
    names = frozenset[str]().union(*(plans[id_].names for id_ in broadcasts))
    values = load_values(session, [row.person_id for row in bare], names)
    return [
        row
        if row.content is not None or row.broadcast_id is None
        else _fill_one(row, plans[row.broadcast_id], values.get(row.person_id, {}))
        for row in rows
    ]


def _fill_one(row: Claimed, plan: Plan, values: Mapping[str, str]) -> Claimed:
    try:
        done = templates.fill_plan(plan, values)
    except PlaceholderError as error:
        return replace(row, refusal=str(error))
    if done.missing or done.empty:
        return replace(row, refusal=f"nothing known for {', '.join(done.missing or done.empty)}")
    return replace(row, content=done.content, body=done.body)


def _learn(session: Session, wanted: set[int], plans: Plans) -> None:
    if wanted:
        found = select(Broadcast.id, Broadcast.frozen_template, Broadcast.slots).where(Broadcast.id.in_(wanted))
        for id_, frozen, slots in session.execute(found):
            plans[id_] = templates.plan(frozen or {}, slots)
