"""What can be done with a list: start, confirm, cancel, undo; what cannot be refused at once is a worker's to find."""

import io
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from typing import IO

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot import phone
from bot.language import _, translated
from bot.models.imports import ImportChange, ImportRun
from bot.models.person import Person
from bot.models.words import Environment, ImportState, PropertyType
from bot.people import properties
from broadcasts.imports import files, staging
from broadcasts.imports.comments import comments as comments
from broadcasts.imports.comments import rest as rest
from broadcasts.imports.history import PAGE as PAGE
from broadcasts.imports.history import Listed as Listed
from broadcasts.imports.history import history as history
from broadcasts.imports.history import one as one
from broadcasts.imports.history import rejected as rejected
from broadcasts.imports.reading import table
from broadcasts.imports.reading.dialects import DIALECTS, Dialect, HeaderError
from broadcasts.imports.reading.reader import XLSX, BrokenFileError, shape_of
from broadcasts.imports.reading.workbook import SIGNATURE
from broadcasts.segments import segments

STOPPABLE = frozenset({ImportState.CHECKING, ImportState.READY, ImportState.WAITING, ImportState.RUNNING})
UNDOABLE = frozenset({ImportState.FINISHED, ImportState.CANCELLED, ImportState.FAILED})
READY_DAYS = 7
"""For which a checked list waits to be confirmed."""
_UNTOUCHED = frozenset({ImportState.CHECKING, ImportState.READY, ImportState.WAITING})
"""Nobody has been changed yet."""


class ImportRefusedError(ValueError):
    """The list is not taken in, or not changed so; the text says what is wrong and what would be right."""


def start(  # noqa: PLR0913 (the fields of the form)
    session: Session,
    *,
    environment: str,
    segment_name: str,
    dialect_name: str,
    country: str | None,
    file_name: str,
    source: IO[bytes],
    operator_id: int | None = None,
    token_id: int | None = None,
    confirmed: bool = True,
    erases_blanks: bool = False,
) -> ImportRun:
    """Store the file and put its import in the queue (ring "bulk" after the commit); raises ImportRefusedError.

    `source` must be able to seek. A segment of that name is added to, otherwise it is made. Without `confirmed` it
    stops when the list has been checked, and changes nobody until somebody confirms it.
    """
    if environment not in set(Environment):
        raise ImportRefusedError(
            _("There is no environment %(environment)s: choose live or test.", environment=repr(environment))
        )
    dialect = dialect_named(dialect_name)
    country = checked_country(dialect, country)
    _check_head(dialect, properties.custom(session, environment), source)
    try:
        segment = segments.find_or_create(session, environment, segment_name)
        stored = files.store(session, file_name, source)
    except (segments.SegmentError, files.FileTooLargeError) as error:
        raise ImportRefusedError(str(error)) from error
    run = ImportRun(
        environment=environment,
        segment_id=segment.id,
        file_id=stored.id,
        dialect=dialect.name,
        country=country,
        state=ImportState.CHECKING,
        erases_blanks=erases_blanks,
        confirmed_at=func.now() if confirmed else None,
        created_by_operator_id=operator_id,
        created_by_token_id=token_id,
    )
    session.add(run)
    session.flush()
    return run


def confirm(session: Session, run_id: int, operator_id: int | None) -> None:
    """Take the list in as it was shown; a second click changes nothing. Ring "bulk" after the commit."""
    run = locked(session, run_id)
    if run.confirmed_at is not None and run.state != ImportState.CANCELLED:
        return
    if run.state != ImportState.READY:
        raise ImportRefusedError(
            _("The list is %(state)s: only one that is ready can be confirmed.", state=translated(run.state))
        )
    try:
        with table.opened(lambda: nullcontext(session), run) as opened:
            properties.declare(session, run.environment, opened.properties, operator_id)
    except (properties.PropertyError, HeaderError) as error:
        raise ImportRefusedError(str(error)) from error
    run.state, run.confirmed_at = ImportState.WAITING, func.now()
    session.flush()


def check_again(session: Session, run_id: int, country: str) -> None:
    """Read the list anew with another country for the numbers that lack one."""
    run = locked(session, run_id)
    if run.state != ImportState.READY:
        raise ImportRefusedError(
            _("The list is %(state)s: only one that is ready can be checked again.", state=translated(run.state))
        )
    run.country = checked_country(DIALECTS[run.dialect], country)
    staging.forget(session, run_id)
    run.state, run.judged, run.excess, run.superseded, run.checked_at = ImportState.CHECKING, 0, 0, 0, None
    run.will_create = run.will_update = run.will_keep = run.will_fail = 0
    session.flush()


def cancel(session: Session, run_id: int) -> None:
    """Stop: at once if nobody was changed yet, else after the chunk in hand; who is in stays until it is undone."""
    run = locked(session, run_id)
    if run.state == ImportState.CANCELLED:
        return
    if run.state not in STOPPABLE:
        raise ImportRefusedError(
            _("The list is %(state)s: there is nothing left to cancel.", state=translated(run.state))
        )
    is_untouched = run.state in _UNTOUCHED
    run.state, run.finished_at, run.lease_until = ImportState.CANCELLED, func.now(), None
    session.flush()
    (staging.forget if is_untouched else staging.clear)(session, run_id)


def give_up(session: Session) -> Sequence[int]:
    """Cancel lists that nobody has confirmed within READY_DAYS of their check; their ids."""
    old = func.now() - func.make_interval(0, 0, 0, READY_DAYS)
    found = select(ImportRun).where(ImportRun.state == ImportState.READY, ImportRun.checked_at < old)
    runs = session.scalars(found.order_by(ImportRun.id).limit(10).with_for_update(skip_locked=True)).all()
    for run in runs:
        run.state, run.finished_at = ImportState.CANCELLED, func.now()
        run.problem = f"Nobody confirmed it within {READY_DAYS} days: upload the file again."
        session.flush()
        staging.forget(session, run.id)
    return [run.id for run in runs]


def undo(session: Session, run_id: int, operator_id: int | None) -> None:
    """Have a worker take back what the import did; ring "bulk" after the commit. A second click changes nothing."""
    run = locked(session, run_id)
    if run.state in {ImportState.UNDOING, ImportState.UNDONE}:
        return
    if run.state not in UNDOABLE:
        raise ImportRefusedError(
            _("The list is %(state)s: cancel it first, then undo what it did.", state=translated(run.state))
        )
    made = select(Person.id).where(Person.import_id == run_id).exists()
    if not session.scalar(select(made | select(ImportChange).where(ImportChange.import_id == run_id).exists())):
        raise ImportRefusedError(_("There is nothing to undo: this import changed nobody."))
    run.state, run.undone_by_operator_id, run.lease_until = ImportState.UNDOING, operator_id, None
    run.next_row = 0
    run.undone = {"removed": 0, "restored": 0, "kept": {}}
    session.flush()


def locked(session: Session, run_id: int) -> ImportRun:
    """The import as it stands, and nobody else's until the transaction ends."""
    found = session.scalar(
        select(ImportRun)
        .where(ImportRun.id == run_id)
        .with_for_update(
            key_share=True
        )  # or else it would wait for chunks, whose people refer to it, one after another
        .execution_options(populate_existing=True)
    )
    if found is None:
        raise ImportRefusedError(_("There is no import %(run_id)s.", run_id=run_id))
    return found


def dialect_named(name: str) -> Dialect:
    if name not in DIALECTS:
        raise ImportRefusedError(
            _("There is no dialect %(name)s: choose %(dialects)s.", name=repr(name), dialects=" or ".join(DIALECTS))
        )
    return DIALECTS[name]


def _check_head(dialect: Dialect, known: Mapping[str, PropertyType], source: IO[bytes]) -> None:
    """Refuse at once what the first lines already give away; the worker reads the rest with the same eyes."""
    head = source.read(files.PIECE_BYTES)
    if len(head) == files.PIECE_BYTES and not head.startswith(SIGNATURE):  # which is read from its end
        head = head[: max(head.rfind(b"\n"), head.rfind(b"\r")) + 1 & ~1] or head  # even: UTF-16 too
    source.seek(0)
    try:
        shape = shape_of(lambda: io.BytesIO(head))
        table.read(source if shape.format == XLSX else io.BytesIO(head), shape, dialect, known)
    except (BrokenFileError, HeaderError) as error:
        raise ImportRefusedError(str(error)) from error
    source.seek(0)


def checked_country(dialect: Dialect, country: str | None) -> str | None:
    if dialect.has_plus:
        return None
    chosen = (country or "").strip().upper()
    if not chosen and not dialect.needs_country:
        return None
    if not chosen:
        raise ImportRefusedError(
            _("Choose the country whose code is added to the numbers of a %(name)s list.", name=dialect.name)
        )
    if chosen not in phone.calling_codes():
        raise ImportRefusedError(
            _("There is no country %(chosen)s: choose one by its two letters, such as IN.", chosen=repr(chosen[:20]))
        )
    return chosen
