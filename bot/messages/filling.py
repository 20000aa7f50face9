"""A broadcast row gets its words when it is claimed: the frozen template, filled from the person as they are now."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.messages import templates
from bot.messages.outbox import Claimed
from bot.messages.personalise import PlaceholderError
from bot.models.broadcast import Broadcast
from bot.people.values import load_values

Plans = dict[int, tuple[dict[str, Any], dict[str, Any]]]
"""Broadcast id → its frozen template and its slots; neither changes after launch, so a pump may keep them."""


@dataclass(frozen=True, slots=True)
class Filled:
    rows: list[Claimed]
    refusals: dict[int, str]
    """Message id → why nothing can be sent to this person."""


def fill(session: Session, rows: Sequence[Claimed], plans: Plans) -> Filled:
    """Rows with their content; a row whose slots would stay empty is refused, never sent with a hole."""
    bare = [row for row in rows if row.content is None]
    if not bare:
        return Filled(list(rows), {})
    _learn(session, bare, plans)
    values = load_values(session, [row.person_id for row in bare])
    filled: list[Claimed] = []
    refusals: dict[int, str] = {}
    for row in rows:
        if row.content is not None or row.broadcast_id is None:
            filled.append(row)
            continue
        full, refusal = _fill_one(row, *plans[row.broadcast_id], values.get(row.person_id, {}))
        filled.append(full)
        if refusal:
            refusals[row.id] = refusal
    return Filled(filled, refusals)


def _fill_one(
    row: Claimed, frozen: dict[str, Any], slots: dict[str, Any], values: Mapping[str, str]
) -> tuple[Claimed, str | None]:
    try:
        done = templates.fill(frozen, slots, values)
    except PlaceholderError as error:
        return row, str(error)
    if done.missing or done.empty:
        return row, f"nothing known for {', '.join(done.missing or done.empty)}"
    return replace(row, content=done.content, body=done.body), None


def _learn(session: Session, rows: Sequence[Claimed], plans: Plans) -> None:
    missing = {row.broadcast_id for row in rows if row.broadcast_id is not None} - plans.keys()
    if missing:
        found = select(Broadcast.id, Broadcast.frozen_template, Broadcast.slots).where(Broadcast.id.in_(missing))
        for id_, frozen, slots in session.execute(found):
            plans[id_] = (frozen or {}, slots)
