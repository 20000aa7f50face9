"""One event, one line: JSON for machines, colours at a terminal, and nothing a stranger wrote can fake a line.

Texts of exceptions stay out: a database's or a parser's quotes the phone number or the message it stumbled over. The
type and the places it came through are what is kept.
"""

import logging
import sys
import traceback
from collections.abc import Mapping, MutableMapping
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

import structlog
from structlog.typing import EventDict, Processor

ROOT = Path(__file__).parents[1]
QUIET = {"asyncio": logging.WARNING, "alembic": logging.WARNING, "rq.worker": logging.INFO}
"""The least level of libraries' loggers that say more than an operator wants, or that set their own (RQ)."""
GRANIAN = {"_granian": {"propagate": True}, "granian.access": {"level": "INFO", "propagate": True}}
"""Granian's log configuration is {"handlers": {}, "formatters": {}, "loggers": GRANIAN}: then it logs as we do.

`_granian` takes its level from the server's `log_level` alone: below ERROR it tells its own life and wonders at our
many threads, which only wait for a shared commit.
"""

_CONTROL = {code: f"\\x{code:02x}" for code in (*range(0x20), *range(0x7F, 0xA0))}
_CONTROL |= {ord("\r"): "\\r", ord("\n"): "\\n", ord("\t"): "\\t", 0x2028: "\\u2028", 0x2029: "\\u2029"}
_CONTROL |= {code: f"\\u{code:04x}" for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))}


def configure(level: str = "INFO", stream: TextIO | None = None) -> None:
    """Send structlog and the standard library's loggers the same way, to standard error unless told otherwise."""
    out = stream if stream is not None else sys.stderr
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _tell_exception,
        _escape_event,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[_name_logger, _first_line, *shared],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _renderer(out)],
            keep_exc_info=False,
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name, quiet in QUIET.items():
        logging.getLogger(name).setLevel(max(quiet, root.level))
    logging.captureWarnings(capture=True)


def escape(value: object) -> Any:  # noqa: ANN401 (as given, texts within it made harmless)
    """The value with every control, line-breaking and text-turning character of its texts written out."""
    if isinstance(value, str):
        return value.translate(_CONTROL)
    if isinstance(value, Mapping):
        return {escape(str(key)): escape(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [escape(item) for item in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    return escape(str(value))


def _renderer(out: TextIO) -> Processor:
    if out.isatty():
        return structlog.dev.ConsoleRenderer()
    return structlog.processors.JSONRenderer(ensure_ascii=True)


def _escape_event(_logger: object, _method: str, event: EventDict) -> EventDict:
    kept = {key: event[key] for key in ("_record", "_from_structlog") if key in event}
    return {**{escape(key): escape(value) for key, value in event.items() if key not in kept}, **kept}


def _name_logger(_logger: object, _method: str, event: EventDict) -> EventDict:
    event["logger"] = event["_record"].name
    return event


def _first_line(_logger: object, _method: str, event: EventDict) -> EventDict:
    """RQ and others put a whole traceback, texts and all, into the message itself."""
    event["event"] = str(event.get("event", "")).split("\n", 1)[0]
    return event


def _tell_exception(_logger: object, _method: str, event: MutableMapping[str, Any]) -> EventDict:
    given = event.pop("exc_info", None)
    event.pop("stack_info", None)
    if given is True:
        given = sys.exc_info()
    if isinstance(given, tuple):
        given = given[1]
    if isinstance(given, BaseException):
        event["exception"] = describe(given)
    return event


def describe(error: BaseException) -> str:
    """The exception and its causes without their texts: `KeyError at bot/x.py:12 in f < bot/y.py:3 in g`."""
    told: list[str] = []
    seen: BaseException | None = error
    while seen is not None and len(told) < 5:
        told.append(f"{type(seen).__qualname__} at {_way(seen.__traceback__)}")
        seen = seen.__cause__ or (None if seen.__suppress_context__ else seen.__context__)
    return " caused by ".join(told)


def _way(trace: TracebackType | None) -> str:
    frames = traceback.extract_tb(trace)
    return " < ".join(f"{_place(frame.filename)}:{frame.lineno} in {frame.name}" for frame in reversed(frames[-12:]))


def _place(filename: str) -> str:
    path = Path(filename)
    if path.is_relative_to(ROOT) and "site-packages" not in path.parts:
        return str(path.relative_to(ROOT))
    return "/".join(path.parts[-2:])
