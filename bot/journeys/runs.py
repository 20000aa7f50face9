"""What happens to journey runs in the database, many at a time: look up, move on, begin, give way, fail."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from bot.journeys.turns import Turn
from bot.models.connection import Number
from bot.models.words import RunState


@dataclass(frozen=True, slots=True)
class Waiting:
    """A run that waits for the answer to step `step`."""

    id: int
    journey_id: int
    person_id: int
    step: int
    started_at: datetime


_WAITING = text("""
    SELECT id, journey_id, person_id, step, started_at FROM journey_run
     WHERE number_id = :number_id AND person_id = ANY(CAST(:people AS bigint[])) AND state = 'waiting'
""")

_ADVANCE = text("""
    UPDATE journey_run r
       SET step = t.rests_at, state = t.state, ended_at = CASE t.state WHEN 'finished' THEN now() END
      FROM unnest(CAST(:ids AS bigint[]), CAST(:steps AS bigint[]), CAST(:rests AS bigint[]), CAST(:states AS text[]))
           AS t(id, step, rests_at, state)
     WHERE r.id = t.id AND r.step = t.step AND r.state = 'waiting'
    RETURNING r.id
""")

_GIVE_WAY = text("""
    UPDATE journey_run SET state = 'replaced', ended_at = now()
     WHERE number_id = :number_id AND person_id = ANY(CAST(:people AS bigint[])) AND state = 'waiting'
""")

_BEGIN = text("""
    INSERT INTO journey_run (environment, journey_id, person_id, number_id, step, state, ended_at)
    SELECT :environment, t.journey_id, t.person_id, :number_id, t.rests_at, t.state,
           CASE t.state WHEN 'finished' THEN now() END
      FROM unnest(CAST(:journeys AS bigint[]), CAST(:people AS bigint[]), CAST(:rests AS bigint[]),
                  CAST(:states AS text[])) AS t(journey_id, person_id, rests_at, state)
    ON CONFLICT (person_id, number_id) WHERE state = 'waiting' DO NOTHING
    RETURNING person_id, id
""")

_FAIL = text("""
    UPDATE journey_run SET state = 'failed', ended_at = now() WHERE id = ANY(CAST(:ids AS bigint[]))
""")

_SAVE = text("""
    UPDATE person p
       SET attributes = p.attributes || jsonb_build_object(t.name, t.value), updated_at = now()
      FROM unnest(CAST(:people AS bigint[]), CAST(:names AS text[]), CAST(:values AS text[])) AS t(id, name, value)
     WHERE p.id = t.id
""")


def waiting(session: Session, number: Number, people: Sequence[int]) -> dict[int, Waiting]:
    """By person: a thread has at most one."""
    found = session.execute(_WAITING, {"number_id": number.id, "people": list(people)})
    return {row.person_id: Waiting(*row) for row in found}


def advance(session: Session, moves: Sequence[tuple[Waiting, Turn]]) -> set[int]:
    """Ids of the runs that were moved; one that somebody else has moved since is not among them."""
    if not moves:
        return set()
    given = {
        "ids": [run.id for run, _ in moves],
        "steps": [run.step for run, _ in moves],
        "rests": [turn.rests_at for _, turn in moves],
        "states": [_state(turn) for _, turn in moves],
    }
    return set(session.scalars(_ADVANCE, given))


def begin(session: Session, number: Number, starts: Sequence[tuple[int, int, Turn]]) -> dict[int, int]:
    """From (person id, journey id, turn) to person → id of their new run; what waited in the thread gives way."""
    if not starts:
        return {}
    people = [person_id for person_id, _, _ in starts]
    session.execute(_GIVE_WAY, {"number_id": number.id, "people": people})
    given = {
        "environment": number.environment,
        "number_id": number.id,
        "journeys": [journey_id for _, journey_id, _ in starts],
        "people": people,
        "rests": [turn.rests_at for _, _, turn in starts],
        "states": [_state(turn) for _, _, turn in starts],
    }
    return {row.person_id: row.id for row in session.execute(_BEGIN, given)}


def fail(session: Session, run_ids: Iterable[int]) -> None:
    if ids := list(run_ids):
        session.execute(_FAIL, {"ids": ids})


def save_answers(session: Session, answers: Sequence[tuple[int, str, str]]) -> None:
    """(person id, attribute, value); at most one for each person."""
    if answers:
        people, names, values = (list(column) for column in zip(*answers, strict=True))
        session.execute(_SAVE, {"people": people, "names": names, "values": values})


def _state(turn: Turn) -> str:
    return RunState.WAITING if turn.waits else RunState.FINISHED
