import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from bot import logs

EVIL = 'x"}\r\n{"event": "fake", "level": "info"}\n\x1b[2J\x1b]0;title\x07\u2028\u0085\x9b31m\u202e'


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _restore() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()


def lines(out: io.StringIO) -> list[dict[str, str]]:
    return [json.loads(line) for line in out.getvalue().splitlines()]


@pytest.mark.parametrize("make", [io.StringIO, Terminal])
def test_no_text_of_a_stranger_makes_a_second_line_or_moves_the_cursor(make: type[io.StringIO]) -> None:
    out = make()
    logs.configure("INFO", out)
    structlog.get_logger().info("file.refused", file=EVIL, agents=[EVIL], headers={EVIL: EVIL})
    structlog.get_logger().info(EVIL)
    logging.getLogger("granian.access").info("GET /%s", EVIL)
    logging.getLogger("rq.worker").info("%s", EVIL)
    written = out.getvalue()
    assert written.count("\n") == 4
    assert len(written.splitlines()) == 4  # Python also breaks at U+0085 and U+2028
    ours = written if make is io.StringIO else written.replace("\x1b[0m", "")
    assert "\x1b[2J" not in ours
    assert not {"\r", "\x07", "\x9b", "\x85", "\u2028", "\u202e"} & set(written)


def test_each_event_is_one_json_text_with_its_time_and_level() -> None:
    out = io.StringIO()
    logs.configure("INFO", out)
    structlog.get_logger().warning("doorbell.failed", queue="send", file=EVIL)
    logging.getLogger("alembic").warning("from a library")
    first, second = lines(out)
    assert first["event"] == "doorbell.failed"
    assert first["level"] == second["level"] == "warning"
    assert first["timestamp"].endswith("Z")
    assert first["file"].startswith('x"}\\r\\n{"event"')
    assert (second["event"], second["logger"]) == ("from a library", "alembic")


def test_what_is_below_the_level_is_not_written() -> None:
    out = io.StringIO()
    logs.configure("WARNING", out)
    structlog.get_logger().info("quiet")
    logging.getLogger("rq.worker").info("quiet")
    assert out.getvalue() == ""


def stumble() -> None:
    known: dict[str, str] = {}
    try:
        known["+491701234567"]
    except KeyError as error:
        raise ValueError("Hi Maria, your code is 1234") from error


def test_an_exception_is_told_by_type_and_place_and_never_by_its_text() -> None:
    out = io.StringIO()
    logs.configure("DEBUG", out)
    for log in (structlog.get_logger(), logging.getLogger("rq.worker")):
        try:
            stumble()
        except ValueError:
            log.exception("job.failed")
    assert "491701234567" not in out.getvalue()
    assert "Maria" not in out.getvalue()
    for line in lines(out):
        assert line["exception"].startswith("ValueError at tests/test_logs.py:")
        assert "caused by KeyError at tests/test_logs.py:" in line["exception"]


def test_a_traceback_that_a_library_put_into_its_message_is_left_out() -> None:
    out = io.StringIO()
    logs.configure("DEBUG", out)
    logging.getLogger("rq.worker").error("job %s: exception raised\n%s", "7", "Traceback …\nKeyError: '+491701234567'")
    assert lines(out)[0]["event"] == "job 7: exception raised"
