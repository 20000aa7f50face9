"""Erases a person: what their id leads to goes in one transaction; bot/erasure/rounds.py searches the rest."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import TextClause, select, text
from sqlalchemy.orm import Session

from bot.erasure import statements, traces
from bot.erasure.traces import Traces
from bot.language import _
from bot.models.person import Address, Erasure, Person
from bot.models.words import AddressKind
from bot.people import keys, ledger, suppressions
from bot.providers.events import Sender
from bot.settings import Settings

TYPED: Final = "erase"
"""What somebody types to show that they mean it."""

_COUNTS: Final = {
    "messages": "SELECT count(*) FROM message WHERE person_id = :id",
    "messages that still wait": (
        "SELECT count(*) FROM message WHERE person_id = :id AND state IN ('queued', 'claimed')"
    ),
    "messages on the wire": "SELECT count(*) FROM message WHERE person_id = :id AND state = 'wire'",
    "files": "SELECT count(*) FROM media f JOIN message m ON m.id = f.message_id WHERE m.person_id = :id",
    "conversations": "SELECT count(*) FROM conversation WHERE person_id = :id",
    "addresses": "SELECT count(*) FROM address WHERE person_id = :id",
    "words about what they want": "SELECT count(*) FROM consent_event WHERE person_id = :id",
    "segments": "SELECT count(*) FROM segment_member WHERE person_id = :id",
    "reminders": "SELECT count(*) FROM reminder WHERE person_id = :id AND state = 'scheduled'",
    "imports they came with or were changed by": (
        "SELECT (SELECT count(*) FROM import_change WHERE person_id = :id) "
        "+ (SELECT count(import_id) FROM person WHERE id = :id)"
    ),
}


class ErasureError(ValueError):
    """Nobody is erased; the text says why."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asks: a team member, a token, or nobody of these from a terminal."""

    operator_id: int | None = None
    token_id: int | None = None


def preview(session: Session, person_id: int) -> dict[str, int]:
    """What of theirs is found by their id: {"messages": 12, …}; bodies, lists and the spool are searched afterwards."""
    return {name: session.scalar(text(query), {"id": person_id}) or 0 for name, query in _COUNTS.items()}


def erase(
    session: Session, settings: Settings, person_id: int, actor: Actor, environment: str | None = None
) -> Erasure:
    """Everything their id leads to, and a line in the ledger before the commit; raises ErasureError, LedgerError.

    With `environment` a person of another one is nobody. Erasing somebody again is the erasure there was.
    """
    person = session.get(Person, person_id)
    if person is None or environment not in {None, person.environment}:
        raise ErasureError(_("There is no person %(person_id)s.", person_id=person_id))
    keys.lock(session, [(person.environment, sender) for sender in _senders(session, person_id)])
    for hold in statements.HOLD:
        session.execute(hold, {"id": person_id})
    session.refresh(person)
    if person.erased_at is not None:
        return _earlier(session, person_id)
    digests = suppressions.digests(
        settings.secret_key, person.environment, traces.keys_of(session, person_id, person.distinct_id)
    )
    now = datetime.now(UTC)
    erasure = start(session, person, settings.secret_key, actor, at=now)
    suppressions.keep(session, person.environment, erasure.id, digests)
    ledger.write(settings.erasure_ledger, ledger.Line(erasure.key, person.environment, person_id, tuple(digests), now))
    return erasure


def start(
    session: Session, person: Person, secret_key: str, actor: Actor, *, at: datetime, key: str | None = None
) -> Erasure:
    """Empty the person's rows and leave to the rounds what to look for; for whoever holds the person."""
    names = (person.first_name, person.last_name, person.nickname)
    found = traces.of_person(session, person.id, names, person.distinct_id)
    erasure = Erasure(
        environment=person.environment,
        person_id=person.id,
        receipt={},
        progress={},
        sealed_traces=traces.sealed(secret_key, found),
        operator_id=actor.operator_id,
        token_id=actor.token_id,
        at=at,
    )
    if key is not None:
        erasure.key = key
    session.add(erasure)
    session.flush()
    erasure.receipt = empty(session, erasure, found, statements.ALL)
    session.flush()
    session.refresh(person)
    return erasure


def empty(session: Session, erasure: Erasure, found: Traces, what: Sequence[tuple[str, TextClause]]) -> dict[str, int]:
    """Run statements of bot/erasure/statements.py; rows of each kind that they met."""
    values = {
        "id": erasure.person_id,
        "operator_id": erasure.operator_id,
        "spoken": found.named_in(),
        "named": found.found_in(),
        "spellings": found.spellings(),
        "gone": statements.GONE,
        "gone_alert": "It named a person who was erased.",
    }
    counts: Counter[str] = Counter()
    for name, statement in what:
        asked = {key: values[key] for key in statement.compile().params}
        counts[name] += session.execute(statement, asked).rowcount  # type: ignore[attr-defined]  # a CursorResult
    return {name: count for name, count in counts.items() if count}


def _earlier(session: Session, person_id: int) -> Erasure:
    return session.scalars(
        select(Erasure).where(Erasure.person_id == person_id).order_by(Erasure.id.desc()).limit(1)
    ).one()


def _senders(session: Session, person_id: int) -> list[Sender]:
    """Their addresses as webhooks would show them, for the locks that keep anybody from being made or merged."""
    rows = session.execute(
        select(Address.kind, Address.value).where(
            Address.person_id == person_id, Address.kind.in_([AddressKind.PHONE, AddressKind.USER_ID])
        )
    )
    return [
        Sender(phone=value.removeprefix("+")) if kind == AddressKind.PHONE else Sender(user_id=value)
        for kind, value in rows
    ]
