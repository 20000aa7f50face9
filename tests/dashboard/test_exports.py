"""Whatever can be downloaded as a list can be opened in a spreadsheet without running anything (case 89)."""

import csv
import io
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.orm import Session
from werkzeug.routing import Rule

from bot import sheets
from bot.models.journey import Reminder
from bot.models.person import Person, Property
from bot.models.preference import Topic
from bot.models.webhook import Alert, Quarantine, WebhookEvent
from bot.runtime import Runtime
from bot.team import audit
from bot.team.audit import Action, By
from tests import factories as make
from tests.broadcasts import lists
from tests.dashboard.visitor import Visitor

TRIGGERS = "=+-@\t\r\uff1d\uff0b\uff0d\uff20"
EVIL = [f"{sign}cmd|' /C calc'!A{number}" for number, sign in enumerate(TRIGGERS)]
"""A NUL is no character that the database would keep: test_a_cell_that_begins_with_nul_is_guarded."""
E164 = re.compile(r"\+[1-9][0-9]{4,14}")
RAW = {"import_files.original"}
"""Gives a file back byte for byte, as it was uploaded: there is nothing of ours in it."""
WITHOUT_WORDS = {"import_files.sample_file", "import_files.rest", "rates.export"}
"""Holds nothing that anybody typed, or, of the excess of a list, nothing in a list this short."""


@pytest.fixture
def ids(rt: Runtime, session: Session) -> dict[str, Any]:
    """Something of everything, each named by every evil cell; ids by the names that routes give them."""
    number, test_number = make.make_number(session), make.make_number(session, environment="test")
    number.name = EVIL[0]
    people = [make.make_person(session, first_name=evil, last_name=evil, distinct_id=evil) for evil in EVIL]
    session.add(Property(environment="live", name="note", type="TEXT"))
    topic = Topic(environment="live", name="offers")
    session.add(topic)
    session.flush()
    for person in people:
        person.attributes = {"note": person.distinct_id}
    segment = make.make_segment(session, people, name=EVIL[0])
    now = datetime.now(UTC)
    for evil, person in zip(EVIL, people, strict=True):
        template = make.make_template(session, number.connection, name=evil, reason=evil)
        broadcast = make.make_broadcast(session, number, segment, template, state="finished", launched_at=now)
        broadcast.name = evil
        common = {"author_kind": "broadcast", "broadcast_id": broadcast.id, "to_address": phone_of(session, person)}
        message = make.make_outbound(session, person, number, evil, state="failed", error_text=evil, **common)
        session.add(
            Reminder(
                environment="live", number_id=number.id, person_id=person.id, name=evil, text=evil, due_at=now,
                state="fired",
            )
        )  # fmt: skip
        session.add(
            Alert(
                connection_id=number.connection_id, kind=evil, severity="info", text=evil, detail={}, occurred_at=now,
                resolved_at=now,
            )
        )  # fmt: skip
        session.add(
            Quarantine(connection_id=number.connection_id, webhook_event_id=1, pointer=evil, reason=evil, item={})
        )
    colleague = make.make_operator(session)
    colleague.name = EVIL[0]
    audit.note(session, By(operator_id=colleague.id), Action.ACTIVATED, "operator 1")
    event = WebhookEvent(connection_id=number.connection_id, body=b"{}", state="done", kinds=EVIL, received_at=now)
    session.add(event)
    session.commit()
    rows = "".join(f'"{evil}",12,"{evil}"\n' for evil in EVIL)
    run = lists.take_in(rt, f"user_id,phone_number,note\n{rows}", file_name="=evil.csv")
    return {
        "person_id": people[0].id, "broadcast_id": broadcast.id, "segment_id": segment.id, "message_id": message.id,
        "import_id": run.id, "event_id": event.id, "topic_id": topic.id, "filename": "none", "slug": "none",
        "number_id": test_number.id, "who": "none", "path": "none",
    }  # fmt: skip


def phone_of(session: Session, person: Person) -> str:
    query = text("SELECT value FROM address WHERE person_id = :id")
    return str(session.scalars(query, {"id": person.id}).one())


def downloads(app: Flask, visitor: Visitor, ids: dict[str, Any]) -> Iterator[tuple[str, list[list[str]]]]:
    """Every address of the app that answers a GET with CSV, with its cells; none has to be listed here."""
    for rule in app.url_map.iter_rules():
        if (
            "GET" in (rule.methods or ())
            and rule.endpoint not in RAW
            and not rule.rule.startswith(("/api", "/webhooks"))
        ):
            answer = visitor.client.get(address(rule, ids))
            if answer.mimetype == "text/csv":
                assert "attachment" in answer.headers["Content-Disposition"], rule.endpoint
                yield rule.endpoint, list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig"), newline="")))


def address(rule: Rule, ids: dict[str, Any]) -> str:
    return re.sub(r"<(?:\w+:)?(\w+)>", lambda found: str(ids.get(found[1], 1)), rule.rule)


def test_no_cell_of_any_export_runs_as_a_formula_and_none_is_lost(
    app: Flask, admin: Visitor, ids: dict[str, Any]
) -> None:
    found = dict(downloads(app, admin, ids))
    assert len(found) >= 9
    for endpoint, rows in found.items():
        cells = [cell for row in rows for cell in row]
        running = [cell for cell in cells if cell[:1] in {*TRIGGERS, "\0"} and cell and not E164.fullmatch(cell)]
        assert running == [], endpoint
        if endpoint not in WITHOUT_WORDS:
            whole = "\n".join(map(sheets.unguard, cells))
            assert any(evil in whole for evil in EVIL), f"{endpoint}: furnish it, or say that it holds no words"


def test_every_listing_of_mine_gives_back_each_evil_cell_and_each_phone_number(
    app: Flask, admin: Visitor, session: Session, ids: dict[str, Any]
) -> None:
    found = dict(downloads(app, admin, ids))
    for endpoint in ("logs.export", "reminders.export", "alerts.export", "quarantine.export", "templates.export"):
        told = {sheets.unguard(cell) for row in found[endpoint] for cell in row}
        assert told >= set(EVIL), endpoint
    phones = set(session.scalars(text("SELECT value FROM address WHERE environment = 'live' AND kind = 'phone'")))
    assert {cell for row in found["logs.export"] for cell in row} >= phones


def test_a_cell_that_begins_with_nul_is_guarded() -> None:
    [data] = sheets.as_csv([["\0=1+1", "+201012345678"]])
    assert data.decode("utf-8-sig") == "'\0=1+1,+201012345678\r\n"
