"""Everything kept about a person as one ZIP, made while it is sent: a long history needs no memory."""

import io
import zipfile
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import IO, Any, Final

import orjson
import structlog
from sqlalchemy import Row, TextClause, text

from bot import sheets
from bot.media.names import safe_name
from bot.media.shelf import Shelf, ShelfError, open_shelf
from bot.runtime import Runtime

log = structlog.get_logger()

_PAGE = 500

_PERSON = text("""
    SELECT id, environment, distinct_id, nickname, first_name, last_name, country, time_zone, language, enabled,
           marketing_opted_out_at, attributes, created_at, updated_at
      FROM person WHERE id = :id
""")

PARTS: Final[Mapping[str, TextClause]] = {
    "addresses": text("SELECT kind, value, dial, created_at FROM address WHERE person_id = :id ORDER BY id"),
    "former_ids": text("SELECT gone_distinct_id, reason, at FROM person_merge WHERE person_id = :id ORDER BY id"),
    "consent": text("""
        SELECT category, value, source, detail, occurred_at, created_at FROM consent_event
         WHERE person_id = :id ORDER BY occurred_at, id
    """),
    "preferences": text("""
        SELECT t.name AS topic, p.channel, p.wants, p.source, p.changed_at
          FROM preference p LEFT JOIN topic t ON t.id = p.topic_id WHERE p.person_id = :id ORDER BY p.id
    """),
    "segments": text("""
        SELECT s.id, s.name, m.added_at FROM segment_member m JOIN segment s ON s.id = m.segment_id
         WHERE m.person_id = :id ORDER BY s.id
    """),
    "conversations": text("""
        SELECT c.id, n.phone AS number, c.state, c.created_at, c.last_message_at, e.opened_at, e.opened_by, e.closed_at
          FROM conversation c JOIN number n ON n.id = c.number_id LEFT JOIN episode e ON e.conversation_id = c.id
         WHERE c.person_id = :id ORDER BY c.id, e.id
    """),
    "broadcasts": text("""
        SELECT b.id, b.name, m.id AS message_id, m.state, m.accepted_at, m.delivered_at, m.read_at, m.failed_at
          FROM message m JOIN broadcast b ON b.id = m.broadcast_id WHERE m.person_id = :id ORDER BY m.id
    """),
    "reactions": text("SELECT target, emoji, occurred_at FROM reaction WHERE person_id = :id ORDER BY occurred_at"),
    "journeys": text("""
        SELECT j.name, j.version, r.state, r.started_at, r.ended_at
          FROM journey_run r JOIN journey j ON j.id = r.journey_id WHERE r.person_id = :id ORDER BY r.id
    """),
    "events": text("SELECT name, at, attributes, key, created_at FROM person_event WHERE person_id = :id ORDER BY id"),
    "clicks": text("""
        SELECT l.name, l.target, c.at FROM link_click c JOIN tracked_link l ON l.id = c.link_id
         WHERE c.person_id = :id AND NOT c.is_preview ORDER BY c.id
    """),
    "goals": text("""
        SELECT g.name AS goal, b.name AS behaviour, nullif(d.at, '-infinity') AS at
          FROM behaviour_day d JOIN behaviour b ON b.id = d.behaviour_id JOIN goal g ON g.id = b.goal_id
         WHERE d.person_id = :id ORDER BY d.at, b.id
    """),
    "reminders": text("SELECT name, text, due_at, state, fired_at FROM reminder WHERE person_id = :id ORDER BY id"),
}
"""A JSON file each, beside profile.json."""

_MESSAGES = text("""
    SELECT m.id, m.occurred_at, m.direction, m.author_kind, n.phone AS number, m.kind, m.body, m.content, m.state,
           m.to_address, m.accepted_at, m.sent_at, m.delivered_at, m.read_at, m.failed_at, m.error_code, m.error_text,
           m.provider_message_id, m.edited_at, m.revoked_at, m.original
      FROM message m JOIN number n ON n.id = m.number_id
     WHERE m.person_id = :id AND m.id > :after ORDER BY m.id LIMIT :page
""").bindparams(page=_PAGE)
_SHEET = (
    "id",
    "occurred_at",
    "direction",
    "author_kind",
    "number",
    "kind",
    "body",
    "state",
    "sent_at",
    "delivered_at",
    "read_at",
    "failed_at",
    "error_text",
)

_FILES = text("""
    SELECT f.id, f.message_id, f.name, f.mime_type, f.size, f.storage_key
      FROM media f JOIN message m ON m.id = f.message_id
     WHERE m.person_id = :id AND f.state = 'stored' AND f.id > :after ORDER BY f.id LIMIT :page
""").bindparams(page=_PAGE)


def name(person_id: int) -> str:
    return f"person-{person_id}-{datetime.now(UTC):%Y-%m-%d}.zip"


def export(rt: Runtime, person_id: int) -> Iterator[bytes]:
    """The bytes of the ZIP, a piece at a time, each read in a short transaction of its own."""
    spout = _Spout()
    with zipfile.ZipFile(spout, "w", zipfile.ZIP_DEFLATED) as packed:
        [profile] = _rows(rt, _PERSON, person_id)
        packed.writestr("profile.json", _json(profile))
        for part, query in PARTS.items():
            packed.writestr(f"{part}.json", _json(_rows(rt, query, person_id)))
            yield spout.take()
        for file, pieces in (("messages.csv", _sheet(rt, person_id)), ("messages.json", _list(rt, person_id))):
            with packed.open(file, "w", force_zip64=True) as entry:
                yield from _fill(entry, pieces, spout)
        shelf = open_shelf(rt.settings)
        for row in _paged(rt, _FILES, person_id):
            pieces = _bytes_of(shelf, row)
            with packed.open(f"media/{row.message_id}-{safe_name(row.name, row.mime_type, row.id)}", "w") as entry:
                yield from _fill(entry, pieces, spout)
    yield spout.take()


def _fill(entry: IO[bytes], pieces: Iterator[bytes], spout: "_Spout") -> Iterator[bytes]:
    for piece in pieces:
        entry.write(piece)
        yield spout.take()


def _sheet(rt: Runtime, person_id: int) -> Iterator[bytes]:
    def rows() -> Iterator[list[str]]:
        yield list(_SHEET)
        for row in _paged(rt, _MESSAGES, person_id):
            yield [_cell(getattr(row, column)) for column in _SHEET]

    return sheets.as_csv(rows())


def _list(rt: Runtime, person_id: int) -> Iterator[bytes]:
    mark = b"["
    for row in _paged(rt, _MESSAGES, person_id):
        yield mark + b"\n" + orjson.dumps(dict(row._mapping))  # noqa: SLF001 (SQLAlchemy's public name for it)
        mark = b","
    yield b"\n]\n" if mark == b"," else b"[]\n"


def _bytes_of(shelf: Shelf, row: Row[Any]) -> Iterator[bytes]:
    """What there is of the file; one that cannot be read is empty, and the rest of the ZIP is worth having."""
    try:
        yield from shelf.read(row.storage_key, 0, row.size or 0)
    except ShelfError as error:
        log.warning("export.no_file", media=row.id, problem=str(error))


def _paged(rt: Runtime, query: TextClause, person_id: int) -> Iterator[Row[Any]]:
    after = 0
    while True:
        with rt.transaction() as session:
            rows = session.execute(query, {"id": person_id, "after": after}).all()
        yield from rows
        if len(rows) < _PAGE:
            return
        after = rows[-1].id


def _rows(rt: Runtime, query: TextClause, person_id: int) -> list[dict[str, Any]]:
    with rt.transaction() as session:
        return [dict(row) for row in session.execute(query, {"id": person_id}).mappings()]


def _json(value: object) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_INDENT_2)


def _cell(value: object) -> str:
    match value:
        case None:
            return ""
        case datetime():
            return value.astimezone(UTC).isoformat(timespec="seconds")
    return str(value)


class _Spout(io.RawIOBase):
    """Where the ZIP is written to, and taken from as it comes; it cannot go back, which the format allows for."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:  # noqa: ANN401 (collections.abc.Buffer comes with Python 3.12)
        self._pieces.append(bytes(data))
        return len(data)

    def take(self) -> bytes:
        taken, self._pieces = b"".join(self._pieces), []
        return taken
