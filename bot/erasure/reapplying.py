"""Erases again, in a database from before it, whoever the ledger says was erased since; docs/erasure.md.

The ledger holds hashes alone, so everybody's addresses and ids are hashed once and compared.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

import structlog
from sqlalchemy import text
from sqlalchemy.orm import Session

from bot.erasure import erasing, statements
from bot.erasure.erasing import Actor
from bot.models.person import Erasure, Person
from bot.people import ledger, suppressions
from bot.people.ledger import Line
from bot.runtime import Runtime

log = structlog.get_logger()

_LOCK = text("SELECT pg_advisory_xact_lock(hashtext('backchat.erasure.reapply'))")

_EVERYBODY = text("""
    SELECT person_id AS id, environment, kind, value FROM address
    UNION ALL
    SELECT id, environment, 'distinct_id', distinct_id FROM person WHERE erased_at IS NULL
    UNION ALL
    SELECT person_id, environment, 'distinct_id', gone_distinct_id FROM person_merge
""")
_AT_ONCE = 10_000


def reapply(rt: Runtime) -> int:
    """How many erasures the database did not know; each is a transaction of its own. Raises LedgerError."""
    lines = ledger.read(rt.settings.erasure_ledger)
    with rt.transaction() as session:
        missing = ledger.missing(session, lines)
        people = _people_of(session, missing) if missing else {}
    for line in missing:
        with rt.transaction() as session:
            _reapply(session, rt, line, people.get(line.key, ()), _lifted_since(lines, line))
    if missing:
        log.warning("erasure.reapplied", erasures=len(missing))
    return len(missing)


def _people_of(session: Session, missing: Sequence[Line]) -> dict[str, set[int]]:
    """Ledger key → ids of the people it is about; more than one where they were merged after the backup."""
    wanted = {(line.environment, digest): line.key for line in missing for digest in line.digests}
    found: defaultdict[str, set[int]] = defaultdict(set)
    rows = session.execute(_EVERYBODY, execution_options={"yield_per": _AT_ONCE})
    for row in rows:
        for secret_key in suppressions.secret_keys():
            for digest in suppressions.digests(secret_key, row.environment, [(row.kind, row.value)]):
                if key := wanted.get((row.environment, digest)):
                    found[key].add(row.id)
    return dict(found)


def _reapply(session: Session, rt: Runtime, line: Line, people: Iterable[int], lifted: set[bytes]) -> None:
    session.execute(_LOCK)
    if not ledger.missing(session, [line]):
        return  # another process was quicker
    first: Erasure | None = None
    for number, person in enumerate(_held(session, people)):
        key = line.key if number == 0 else f"{line.key}/{number + 1}"
        made = erasing.start(session, person, rt.settings.secret_key, Actor(), at=line.at, key=key)
        first = first or made
    if first is None:
        first = _of_nobody(session, line)
    suppressions.keep(session, line.environment, first.id, [one for one in line.digests if one not in lifted])


def _held(session: Session, people: Iterable[int]) -> Iterator[Person]:
    for person_id in sorted(people):
        for hold in statements.HOLD:
            session.execute(hold, {"id": person_id})
        person = session.get(Person, person_id, populate_existing=True)
        if person is not None and person.erased_at is None:
            yield person


def _of_nobody(session: Session, line: Line) -> Erasure:
    """The backup is from before they were known: only the suppression is missing."""
    made = Erasure(
        key=line.key,
        environment=line.environment,
        person_id=line.person_id,
        receipt={},
        progress={},
        at=line.at,
        finished_at=datetime.now(line.at.tzinfo),
    )
    session.add(made)
    session.flush()
    return made


def _lifted_since(lines: Sequence[Line], line: Line) -> set[bytes]:
    after = lines[lines.index(line) + 1 :]
    return {digest for later in after if not later.key for digest in later.digests}
