"""An operator's desk: the pages about a line's webhooks, in a browser where an admin is signed in."""

from typing import Any

from flask import Flask

from app import create_app
from bot.models.words import Role
from tests.dashboard.visitor import Visitor
from tests.factories import make_operator
from tests.webhooks.conftest import Line

_apps: list[Flask] = []
"""Made once, as compiling the templates takes longer than a test; its routes ask for the test's own runtime."""


def sit_down(line: Line, role: str = Role.ADMIN) -> Visitor:
    if not _apps:
        _apps.append(create_app(line.rt))
    with line.rt.transaction() as session:
        return Visitor(_apps[0].test_client()).enter(session, make_operator(session, role))


def event_ids(line: Line) -> list[int]:
    return [row[0] for row in line.rows("SELECT id FROM webhook_event ORDER BY id")]


def open_items(line: Line) -> list[tuple[Any, ...]]:
    """Id and reason of what is open in the quarantine."""
    return line.rows("SELECT id, reason FROM quarantine WHERE replayed_at IS NULL AND dismissed_at IS NULL ORDER BY id")


def write_down_sightings(line: Line) -> None:
    """Do at once what a thread does every few seconds."""
    line.app.extensions["backchat.intake"].sightings.flush()
