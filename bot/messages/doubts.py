"""Ends doubt where a provider returns no mark: by a report, or an echo, that can only mean the one message in doubt.

The clock's sweep looks, so that the intake pays nothing for it (docs/sending.md, "How doubt ends").
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from bot import phone as phones
from bot.messages import echoes, statuses

_EARLIEST, _LATEST = timedelta(seconds=-5), timedelta(minutes=15)
"""When a report may be of, after the message was marked as leaving; the provider's clock is not ours."""
_LIMIT = 5_000
"""Of messages in doubt, and of reports: the newest."""
_PHONE = re.compile(r"\+?[0-9]+")

# What is still on the wire may be meant too: it is a candidate, though it waits for its own answer.
_DOUBTS = text("""
    (SELECT id, number_id, person_id, to_address AS recipient, kind, body, wire_at, true AS in_doubt FROM message
      WHERE state = 'unknown' AND provider_message_id IS NULL AND wire_at IS NOT NULL
      ORDER BY id DESC LIMIT :limit)
    UNION ALL
    SELECT id, number_id, person_id, to_address, kind, body, wire_at, false FROM message
     WHERE state = 'wire' AND provider_message_id IS NULL AND wire_at IS NOT NULL
""")

_REPORTS = text("""
    WITH newest AS (
        SELECT number_id, provider_message_id, recipient, callback, occurred_at FROM status_event
         WHERE message_id IS NULL ORDER BY id DESC LIMIT :limit)
    SELECT number_id, provider_message_id AS provider_id, recipient, occurred_at FROM newest
     WHERE callback IS NULL AND recipient IS NOT NULL AND number_id = ANY(CAST(:numbers AS bigint[]))
""")

_ECHOES = text("""
    SELECT DISTINCT e.id, e.number_id, e.person_id, e.kind, e.body, e.provider_message_id AS provider_id, e.occurred_at
      FROM unnest(CAST(:numbers AS bigint[]), CAST(:people AS bigint[]), CAST(:times AS timestamptz[]))
            AS d(number_id, person_id, wire_at)
      JOIN message e ON e.person_id = d.person_id AND e.number_id = d.number_id AND e.evidence = 'echo'
                    AND e.occurred_at BETWEEN d.wire_at - interval '5 s' AND d.wire_at + interval '15 min'
""")

_ACCEPT = text("""
    UPDATE message SET state = 'accepted', provider_message_id = :provider_id, accepted_at = clock_timestamp(),
           evidence = 'recipient', lease_until = NULL
     WHERE id = :id AND state = 'unknown'
""")


def settle(session: Session) -> int:
    """Accept what a report or an echo proves; number of messages. Two candidates on either side prove nothing."""
    doubts = session.execute(_DOUBTS, {"limit": _LIMIT}).all()
    if not any(row.in_doubt for row in doubts):
        return 0
    by_report = _by_report(session, doubts)
    return by_report + _by_echo(session, session.execute(_DOUBTS, {"limit": _LIMIT}).all())


def _by_report(session: Session, doubts: Sequence[Row[Any]]) -> int:
    numbers = sorted({row.number_id for row in doubts})
    reports = session.execute(_REPORTS, {"limit": _LIMIT, "numbers": numbers})
    proven = [(row.number_id, provider_id, row.id) for row, provider_id in _proven(doubts, reports, _recipient)]
    statuses.adopt(session, proven, statuses.BY_RECIPIENT)
    return len(proven)


def _by_echo(session: Session, doubts: Sequence[Row[Any]]) -> int:
    columns = {
        "numbers": [row.number_id for row in doubts],
        "people": [row.person_id for row in doubts],
        "times": [row.wire_at for row in doubts],
    }
    proven = list(_proven(doubts, session.execute(_ECHOES, columns), _wording))
    for row, provider_id in proven:
        echoes.make_way(session, row.number_id, [(row.id, provider_id)])
        session.execute(_ACCEPT, {"id": row.id, "provider_id": provider_id})
    statuses.merge(session, [row.id for row, _ in proven])
    return len(proven)


def _recipient(row: Row[Any]) -> object:
    """The number and whom it wrote to, whatever form of a phone either side uses."""
    to = row.recipient or ""
    return row.number_id, phones.canonical(to) if _PHONE.fullmatch(to) else to


def _wording(row: Row[Any]) -> object:
    return row.number_id, row.person_id, row.kind, row.body


def _proven(
    doubts: Sequence[Row[Any]], evidence: Iterable[Row[Any]], key: Callable[[Row[Any]], object]
) -> Iterator[tuple[Row[Any], str]]:
    """Each message in doubt with the one provider's id that nobody else could have and that could be nobody else's."""
    told: defaultdict[object, list[tuple[str, datetime]]] = defaultdict(list)
    for each in evidence:
        told[key(each)].append((each.provider_id, each.occurred_at))
    fitting = [
        {id_ for id_, at in told.get(key(row), ()) if _EARLIEST <= at - row.wire_at <= _LATEST} for row in doubts
    ]
    wanted: defaultdict[object, int] = defaultdict(int)
    for row, ids in zip(doubts, fitting, strict=True):
        for id_ in ids:
            wanted[row.number_id, id_] += 1
    for row, ids in zip(doubts, fitting, strict=True):
        if row.in_doubt and len(ids) == 1 and wanted[row.number_id, *ids] == 1:
            yield row, next(iter(ids))
