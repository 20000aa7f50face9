"""Pages: the journeys as they were loaded, to be read; they are changed in their files."""

from flask import Blueprint, abort, render_template
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import distinct_on

from bot import runtime
from bot.dashboard import access
from bot.models.journey import Journey, JourneyRun
from bot.models.words import RunState

pages = Blueprint("journeys", __name__)


@pages.get("/journeys")
def index() -> ResponseReturnValue:
    """One line for each name: its active version, or the newest if it was retired."""
    runs = (
        select(Journey.name, func.count().label("runs"))
        .add_columns(func.count().filter(JourneyRun.state == RunState.WAITING).label("waiting"))
        .join(Journey, Journey.id == JourneyRun.journey_id)
        .where(JourneyRun.environment == access.environment())
        .group_by(Journey.name)
    )
    newest = (
        select(Journey)
        .where(Journey.environment == access.environment())
        .ext(distinct_on(Journey.name))
        .order_by(Journey.name, Journey.active.desc(), Journey.version.desc())
    )
    with runtime.current().transaction() as tx:
        found = tx.scalars(newest).all()
        counted = {name: (taken, waiting) for name, taken, waiting in tx.execute(runs)}
    rows = [(journey, *counted.get(journey.name, (0, 0))) for journey in found]
    return render_template("dashboard/journeys.html", rows=rows)


@pages.get("/journeys/<int:journey_id>")
def show(journey_id: int) -> ResponseReturnValue:
    with runtime.current().transaction() as tx:
        found = tx.get(Journey, journey_id) or abort(404)
        access.show_environment(found.environment)
        same_name = (Journey.environment == found.environment, Journey.name == found.name)
        versions = tx.scalars(select(Journey).where(*same_name).order_by(Journey.version.desc())).all()
    return render_template("dashboard/journey.html", journey=found, versions=versions)
