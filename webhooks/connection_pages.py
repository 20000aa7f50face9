"""Pages: the connections, and of each the webhook doctor with what to paste at the provider."""

from collections.abc import Mapping
from typing import Any

import structlog
from flask import Blueprint, abort, render_template
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from bot import runtime
from bot.connections import connections
from bot.connections.secrets import SealError
from bot.dashboard import access
from bot.language import later
from bot.models.connection import Connection
from bot.providers.authenticity import PLANTED_HEADER
from bot.providers.registry import PROVIDERS
from bot.team import audit
from bot.team.audit import Action
from webhooks import doctor, findings, log, quarantine, tally
from webhooks.doctor import State
from webhooks.log import Wanted

pages = Blueprint("connections", __name__)
events = structlog.get_logger()

TONES: Mapping[str, tuple[str, str]] = {
    State.GOOD: (later("In order"), "good"),
    State.WAITING: (later("Not seen yet"), "quiet"),
    State.BAD: (later("Trouble"), "bad"),
}
"""Label and tone of a step."""
LABELS: Mapping[str, str] = {"verify_token": later("Verify token"), "webhook_secret": later("Webhook secret")}
"""Of secrets that the provider has to be told (its `chosen_secrets`); no other is ever shown."""
ARRIVALS = 5


@pages.get("/connections")
def index() -> ResponseReturnValue:
    rt = runtime.current()
    with rt.transaction() as tx:
        rows = []
        for connection in connections.every(tx):
            found = findings.gather(tx, connection, rt.settings)
            rows.append((connection, found, _worst(doctor.examine(found))))
        in_quarantine = quarantine.count_open(tx)
    return render_template("webhooks/connections.html", rows=rows, tones=TONES, in_quarantine=in_quarantine)


@pages.get("/connections/<slug>")
def show(slug: str) -> ResponseReturnValue:
    return _page(slug, {})


@pages.post("/connections/<slug>/secrets")
def reveal(slug: str) -> ResponseReturnValue:
    """The page with what must be pasted; a POST, so that no address, history or link leads to a secret."""
    rt = runtime.current()
    with rt.transaction() as tx:
        connection = _found(tx, slug)
        try:
            account = connections.account_of(connection, rt.settings)
        except SealError as error:
            return _page(slug, {}, str(error)), 409
        audit.note(tx, access.by(), Action.SECRET_SHOWN, f"connection {connection.id}")
    events.info("connection.secrets_shown", connection=slug, operator=access.operator().id)
    return _page(slug, {name: account.secrets[name] for name in PROVIDERS[connection.provider].chosen_secrets})


@pages.get("/connections/<slug>/live")
def live(slug: str) -> ResponseReturnValue:
    """The part of the doctor's page that moves, for its script."""
    with runtime.current().transaction() as tx:
        return render_template("webhooks/_doctor.html", **_shown(tx, slug))


def _page(slug: str, secrets: Mapping[str, str], problem: str | None = None) -> str:
    with runtime.current().transaction() as tx:
        shown = _shown(tx, slug)
        connection = _found(tx, slug)
        words = tally.lately(tx, connection.id)
        in_quarantine = quarantine.count_open(tx)
    return render_template(
        "webhooks/connection.html",
        **shown,
        connection=connection,
        to_paste={name: LABELS[name] for name in PROVIDERS[connection.provider].chosen_secrets},
        secrets=secrets,
        problem=problem,
        planted_header=PLANTED_HEADER,
        words=words,
        meanings=tally.MEANINGS,
        days=tally.DAYS,
        in_quarantine=in_quarantine,
    )


def _shown(session: Session, slug: str) -> dict[str, Any]:
    connection = _found(session, slug)
    found = findings.gather(session, connection, runtime.current().settings)
    return {
        "found": found,
        "steps": doctor.examine(found),
        "arrivals": log.load(session, Wanted(connection_id=connection.id)).events[:ARRIVALS],
        "tones": TONES,
    }


def _found(session: Session, slug: str) -> Connection:
    return connections.by_slug(session, slug.replace("\x00", "")) or abort(404)


def _worst(steps: list[doctor.Step]) -> State:
    states = {step.state for step in steps}
    return next(state for state in (State.BAD, State.WAITING, State.GOOD) if state in states)
