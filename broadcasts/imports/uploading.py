"""A list that a program uploads: once per Idempotency-Key, whatever the network does."""

import functools
import hashlib
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import IO

import orjson
from flask import request
from sqlalchemy.orm import Session
from werkzeug.exceptions import RequestEntityTooLarge

from bot.api import idempotency
from bot.api.refusals import RefusalError
from bot.api.requests import read_key
from bot.language import _
from bot.models.team import ApiRequest, ApiToken
from bot.models.words import Channel
from broadcasts.imports import files, imports
from broadcasts.imports.imports import ImportRefusedError

OPTIONS = ("segment", "dialect", "country", "channel", "erases_blanks", "confirm", "name")
LARGEST_BODY = files.LARGEST_BYTES + 1024**2
IN_MEMORY = 1024**2

_WORDS = {"true": True, "false": False}


@dataclass(frozen=True, slots=True)
class Asked:
    segment: str
    dialect: str
    country: str | None
    erases_blanks: bool
    confirm: bool
    name: str


def read() -> tuple[Asked, IO[bytes]]:
    """What the request asks for, and its file, which can seek; raises RefusalError."""
    request.max_content_length = LARGEST_BODY
    try:
        if request.mimetype == "multipart/form-data":
            return _read_form()
        return _asked({**request.args.to_dict()}, "upload.csv"), _spooled()
    except RequestEntityTooLarge as error:
        largest = files.LARGEST_BYTES // 1024**2
        raise RefusalError(
            413, "too_large", _("The file is larger than %(largest)s MiB: split it in two or more.", largest=largest)
        ) from error


def start(session: Session, token: ApiToken, asked: Asked, source: IO[bytes]) -> int:
    """The id of the import asked for, or with a key used before of the one it made then."""
    key = read_key(request.headers.get("Idempotency-Key"))
    fingerprint = b"" if key is None else _fingerprint(asked, source)
    make = functools.partial(_make, session, token, asked, source)
    return idempotency.once(session, token, key, fingerprint, ApiRequest.import_id, make)


def _make(session: Session, token: ApiToken, asked: Asked, source: IO[bytes]) -> int:
    try:
        run = imports.start(
            session,
            environment=token.environment,
            segment_name=asked.segment,
            dialect_name=asked.dialect,
            country=asked.country,
            erases_blanks=asked.erases_blanks,
            confirmed=asked.confirm,
            file_name=asked.name,
            source=source,
            token_id=token.id,
        )
    except ImportRefusedError as error:
        raise RefusalError(422, "import_refused", str(error)) from error
    return run.id


def _read_form() -> tuple[Asked, IO[bytes]]:
    chosen = request.files.getlist("file")
    if len(chosen) != 1 or len(request.files) != 1:
        raise RefusalError(422, "invalid_field", "Send one file, in the part named file.", "file")
    twice = [name for name, values in request.form.lists() if len(values) > 1 or name in request.args]
    if twice:
        raise RefusalError(422, "invalid_field", f"{twice[0][:64]} is there more than once.", twice[0][:64])
    given = {**request.args.to_dict(), **request.form.to_dict()}
    return _asked(given, chosen[0].filename or "upload.csv"), chosen[0].stream


def _spooled() -> IO[bytes]:
    """The body, in memory while it is small: a file has to be read more than once."""
    held = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 (whoever asked for it closes it)
    shutil.copyfileobj(request.stream, held)
    held.seek(0)
    return held


def _asked(given: Mapping[str, str], name: str) -> Asked:
    for field in given:
        if field not in OPTIONS:
            known = ", ".join(OPTIONS)
            raise RefusalError(422, "invalid_field", f"There is no field {field[:64]!r}: use {known}.", field[:64])
    if given.get("channel", Channel.WHATSAPP) != Channel.WHATSAPP:
        raise RefusalError(
            422, "invalid_field", "channel must be whatsapp: people are written to by no other.", "channel"
        )
    return Asked(
        segment=given.get("segment", ""),
        dialect=given.get("dialect", "auto"),
        country=given.get("country"),
        erases_blanks=_truth(given, "erases_blanks", default=False),
        confirm=_truth(given, "confirm", default=True),
        name=given.get("name", name),
    )


def _truth(given: Mapping[str, str], name: str, *, default: bool) -> bool:
    word = given.get(name)
    if word is None:
        return default
    if word not in _WORDS:
        raise RefusalError(422, "invalid_field", f"{name} must be true or false.", name)
    return _WORDS[word]


def _fingerprint(asked: Asked, source: IO[bytes]) -> bytes:
    digest = hashlib.sha256(orjson.dumps(asked, option=orjson.OPT_SORT_KEYS))
    while data := source.read(files.PIECE_BYTES):
        digest.update(data)
    source.seek(0)
    return digest.digest()
