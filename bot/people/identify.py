"""Who is writing: a person is found by phone, then by user id, and made if nobody is known by either."""

import re
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from sqlalchemy import text
from sqlalchemy.orm import Session

from bot import phone as phones
from bot.models.words import AddressKind
from bot.people import complements, keys, suppressions
from bot.people.keys import Key
from bot.providers.events import Sender

_NAME_LENGTH = 200
_ID_COUNTRY = re.compile(r"([A-Z]{2})\.")

_FIND = text("""
    SELECT a.kind, a.value, a.dial, a.person_id, p.nickname IS NULL AS nameless
      FROM unnest(CAST(:kinds AS text[]), CAST(:values AS text[])) AS k(kind, value)
      JOIN address a ON a.environment = :environment AND a.kind = k.kind AND a.value = k.value
      JOIN person p ON p.id = a.person_id
""")

_CREATE = text("""
    INSERT INTO person (environment, distinct_id, distinct_id_given, nickname, country, answers_only)
    SELECT :environment, n.distinct_id, false, n.nickname, n.country, n.distinct_id = ANY(CAST(:erased AS text[]))
      FROM unnest(CAST(:distinct_ids AS text[]), CAST(:nicknames AS text[]), CAST(:countries AS text[]))
        AS n(distinct_id, nickname, country)
    RETURNING id, distinct_id
""")

_ADDRESS = text("""
    INSERT INTO address (environment, person_id, kind, value, dial)
    SELECT :environment, n.person_id, n.kind, n.value, n.dial
      FROM unnest(CAST(:ids AS bigint[]), CAST(:kinds AS text[]), CAST(:values AS text[]), CAST(:dials AS text[]))
        AS n(person_id, kind, value, dial)
    ON CONFLICT (environment, kind, value) DO NOTHING
    RETURNING id
""")

_DIAL = text("""
    UPDATE address a SET dial = n.dial
      FROM unnest(CAST(:values AS text[]), CAST(:dials AS text[])) AS n(value, dial)
     WHERE a.environment = :environment AND a.kind = 'phone' AND a.value = n.value
""")

_NAME = text("""
    UPDATE person p SET nickname = n.nickname, updated_at = now()
      FROM unnest(CAST(:ids AS bigint[]), CAST(:nicknames AS text[])) AS n(id, nickname)
     WHERE p.id = n.id AND p.nickname IS NULL
""")


@dataclass(slots=True)
class _Known:
    """What one look-up found, and what the senders add to it."""

    people: dict[Key, int] = field(default_factory=dict)
    dials: dict[Key, str | None] = field(default_factory=dict)
    """Of each address that is stored."""
    nameless: set[int] = field(default_factory=set)


class _OvertakenError(Exception):
    """Somebody without our locks, such as an import, stored one of the addresses a moment ago."""


def find_or_create(session: Session, environment: str, senders: Sequence[Sender]) -> list[int]:
    """Person ids in the order of `senders`; addresses not known yet are added, a missing nickname is filled.

    A phone outranks a user id when the two lead to people who cannot be one. Takes the locks itself.
    """
    if not senders:
        return []
    keys.lock(session, ((environment, sender) for sender in senders))
    while True:
        try:
            with session.begin_nested():
                return _find_or_create(session, environment, senders)
        except _OvertakenError:
            continue  # whoever was quicker has committed, so the next look finds their person


def find(session: Session, environment: str, senders: Sequence[Sender]) -> list[int | None]:
    """Person ids in the order of `senders`, None for strangers; changes nothing."""
    known = _look_up(session, environment, senders)
    return [_person_of(sender, known) for sender in senders]


def attach(session: Session, environment: str, person_id: int, senders: Sequence[Sender]) -> None:
    """Add the addresses that senders show to a person, except those that are somebody's already."""
    while True:
        try:
            with session.begin_nested():
                known = _look_up(session, environment, senders)
                return _add_addresses(session, environment, [(person_id, sender) for sender in senders], known)
        except _OvertakenError:
            continue


def _person_of(sender: Sender, known: _Known) -> int | None:
    return next((known.people[key] for key in keys.to_try(sender) if key in known.people), None)


def _find_or_create(session: Session, environment: str, senders: Sequence[Sender]) -> list[int]:
    known = _look_up(session, environment, senders)
    if complements.unite(session, set(_split(senders, known))):
        known = _look_up(session, environment, senders)
    _create_strangers(session, environment, senders, known)
    found = [known.people[next(key for key in keys.to_try(sender) if key in known.people)] for sender in senders]
    pairs = list(zip(found, senders, strict=True))
    _add_addresses(session, environment, pairs, known)
    _fill_names(session, pairs, known)
    return found


def _split(senders: Iterable[Sender], known: _Known) -> Iterator[tuple[int, int]]:
    """(known by the phone, known by the user id) of senders whose two addresses lead to different people."""
    for sender in senders:
        people = [known.people[key] for key in keys.shown_by(sender) if key in known.people]
        if len(set(people)) > 1:
            yield people[0], people[1]


def _look_up(session: Session, environment: str, senders: Sequence[Sender]) -> _Known:
    wanted = {key for sender in senders for key in (*keys.to_try(sender), *keys.parent_of(sender))}
    kinds, values = [kind for kind, _ in wanted], [value for _, value in wanted]
    known = _Known()
    for row in session.execute(_FIND, {"environment": environment, "kinds": kinds, "values": values}):
        known.people[row.kind, row.value] = row.person_id
        known.dials[row.kind, row.value] = row.dial
        if row.nameless:
            known.nameless.add(row.person_id)
    return known


def _create_strangers(session: Session, environment: str, senders: Sequence[Sender], known: _Known) -> None:
    """One person for all senders of this batch that share an address, after the known have shown all of theirs.

    Whoever shows more goes first, so that those who show a part of it are recognised.
    """
    unknown = []
    for sender in senders:
        person_id = _person_of(sender, known)
        if person_id is None:
            unknown.append(sender)
        else:
            known.people |= {key: person_id for key in keys.shown_by(sender) if key not in known.people}
    strangers: dict[str, Sender] = {}
    claimed: dict[Key, str] = {}
    for sender in sorted(unknown, key=_reticence):
        if _person_of(sender, known) is not None:
            continue
        shared = next((claimed[key] for key in keys.to_try(sender) if key in claimed), None)
        distinct_id = shared or str(uuid.uuid4())
        strangers.setdefault(distinct_id, sender)
        for key in keys.shown_by(sender):
            claimed.setdefault(key, distinct_id)
    if not strangers:
        return
    people = strangers.values()
    erased = suppressions.suppressed(session, environment, claimed)
    rows = session.execute(
        _CREATE,
        {
            "environment": environment,
            "distinct_ids": list(strangers),
            "nicknames": [_nickname(sender) for sender in people],
            "countries": [_country(sender) for sender in people],
            "erased": sorted({claimed[key] for key in erased}),
        },
    )
    made = {row.distinct_id: row.id for row in rows}
    known.people |= {key: made[distinct_id] for key, distinct_id in claimed.items()}
    known.nameless |= {made[distinct_id] for distinct_id, sender in strangers.items() if _nickname(sender) is None}


def _country(sender: Sender) -> str | None:
    """The number's; of somebody who hides it, the two letters that a business-scoped user id begins with (US.1349…)."""
    if sender.phone:
        return phones.country_of(f"+{sender.phone}")
    found = _ID_COUNTRY.match(sender.user_id or "")
    return found and found[1]


def _reticence(sender: Sender) -> int:
    return -sum(1 for _ in keys.shown_by(sender))


def _add_addresses(session: Session, environment: str, found: Sequence[tuple[int, Sender]], known: _Known) -> None:
    """Every address shown that is nobody's yet, and the phone in the form it was received in: that form is dialled."""
    missing: dict[Key, tuple[int, str | None]] = {}
    redialled: dict[str, str] = {}
    for person_id, sender in found:
        dial = f"+{sender.phone}" if sender.phone else None
        for key in (*keys.shown_by(sender), *keys.parent_of(sender)):
            is_phone = key[0] == AddressKind.PHONE
            if key not in known.dials:
                missing.setdefault(key, (person_id, dial if is_phone else None))
            elif is_phone and dial and known.dials[key] != dial:
                redialled[key[1]] = dial
    if missing:
        columns = {
            "ids": [person_id for person_id, _ in missing.values()],
            "kinds": [kind for kind, _ in missing],
            "values": [value for _, value in missing],
            "dials": [dial for _, dial in missing.values()],
        }
        if len(session.execute(_ADDRESS, {"environment": environment, **columns}).all()) < len(missing):
            raise _OvertakenError
    if redialled:
        values, dials = list(redialled), list(redialled.values())
        session.execute(_DIAL, {"environment": environment, "values": values, "dials": dials})


def _fill_names(session: Session, found: Sequence[tuple[int, Sender]], known: _Known) -> None:
    names: dict[int, str] = {}
    for person_id, sender in found:
        name = _nickname(sender)
        if name and person_id in known.nameless:
            names.setdefault(person_id, name)
    if names:
        session.execute(_NAME, {"ids": list(names), "nicknames": list(names.values())})


def _nickname(sender: Sender) -> str | None:
    name = (sender.name or "").strip() or (f"@{sender.username}" if sender.username else "")
    return name[:_NAME_LENGTH] or None
