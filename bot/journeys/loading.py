"""From a file to the active version of a journey."""

from collections.abc import Iterable

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from bot.journeys.language import Spec, check
from bot.journeys.source import Document, JourneyError, Path, Problem, read
from bot.journeys.triggers import normalise
from bot.models.journey import Journey


def load(session: Session, environment: str, source: str, filename: str) -> Journey:
    """The active journey of this text: a new version only if the text has changed. Runs stay on the version they have.

    Raises JourneyError, also if another active journey of the environment already starts on the same thing.
    """
    spec = check(source, filename)
    _one_at_a_time(session, environment)
    active = _active(session, environment)
    current = active.pop(spec["journey"], None)
    if problems := _claimed_twice(spec, read(source, filename), active.values()):
        raise JourneyError(filename, problems)
    if current is not None and current.source == source:
        return current
    if current is not None:
        current.active = False
        session.flush()
    last = select(func.max(Journey.version)).where(Journey.environment == environment, Journey.name == spec["journey"])
    journey = Journey(
        environment=environment,
        name=spec["journey"],
        version=(session.scalar(last) or 0) + 1,
        source=source,
        spec=dict(spec),
        active=True,
    )
    session.add(journey)
    session.flush()
    return journey


def retire(session: Session, environment: str, name: str) -> bool:
    """Let nothing start this journey any more; who is in it stays in it. False if there is no such active journey."""
    _one_at_a_time(session, environment)
    journey = _active(session, environment).get(name)
    if journey is not None:
        journey.active = False
        session.flush()
    return journey is not None


def _one_at_a_time(session: Session, environment: str) -> None:
    """Two loads at once would not see each other's keywords."""
    session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended('journeys:' || :it, 0))"), {"it": environment})


def _active(session: Session, environment: str) -> dict[str, Journey]:
    found = select(Journey).where(Journey.environment == environment, Journey.active)
    return {journey.name: journey for journey in session.scalars(found.execution_options(populate_existing=True))}


def _claimed_twice(spec: Spec, document: Document, others: Iterable[Journey]) -> list[Problem]:
    wanted = {normalise(keyword): index for index, keyword in enumerate(spec["start"]["keywords"])}
    problems = []
    for other in others:
        start = other.spec["start"]
        claims: list[tuple[Path, str]] = [
            (("start", "keywords", wanted[normalise(keyword)]), f"the keyword {keyword!r}")
            for keyword in start["keywords"]
            if normalise(keyword) in wanted
        ]
        if spec["start"]["first_message"] and start["first_message"]:
            claims.append((("start", "first_message"), "everybody's first message"))
        for path, claim in claims:
            taken = f"{claim[0].upper()}{claim[1:]} starts the journey {other.name!r} already"
            remedy = f"so it cannot start {spec['journey']!r}. Take it out of one of them."
            problems.append(Problem(document.line_of(path), f"{taken}, {remedy}"))
    return problems
