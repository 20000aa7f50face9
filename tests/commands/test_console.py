"""How commands explain themselves, show what they found, and fail."""

import os
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime

import click
import pytest
from click.testing import CliRunner

from bot import db, runtime
from bot.commands import console
from bot.commands.root import make_cli
from bot.runtime import Runtime
from tests import factories
from tests.commands.conftest import Backchat

ROWS = [
    {"id": 1, "first_name": "Zoë 山田", "tags": ["a", "b"], "active": True, "at": datetime(2026, 3, 1, 12, tzinfo=UTC)},
    {"id": 20, "first_name": None, "tags": [], "active": False, "at": None},
]


def printed(show: object, *, as_json: bool = False) -> str:
    command = click.command()(lambda: console.show(show, as_json))  # type: ignore[arg-type]
    return CliRunner().invoke(command).stdout


def test_a_table_lines_up_whatever_the_script() -> None:
    assert printed(ROWS).splitlines() == [
        "ID  FIRST NAME  TAGS  ACTIVE  AT",
        "1   Zoë 山田    a, b  yes     2026-03-01 12:00 UTC",
        "20  -           -     no      -",
    ]


def test_one_thing_is_shown_line_by_line() -> None:
    assert printed({"id": 7, "first_name": "Ada"}).splitlines() == ["id          7", "first name  Ada"]


def test_json_holds_the_same_for_programs() -> None:
    assert '"at": "2026-03-01T12:00:00+00:00"' in printed(ROWS, as_json=True)
    assert printed([], as_json=True) == "[]\n"


def test_a_name_cannot_send_commands_to_the_terminal() -> None:
    shown = printed([{"name": "\x1b[2Jgone\r\nfaked line\u202e"}])
    assert shown.splitlines() == ["NAME", "\\x1b[2Jgone\\r\\nfaked line\\u202e"]


def every_command(command: click.Command, path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], click.Command]]:
    found = [(path, command)]
    if isinstance(command, click.Group):
        command.list_commands(click.Context(command))  # imports them
        for name, below in command.commands.items():
            found += every_command(below, (*path, name))
    return found


@pytest.mark.parametrize("path", [path for path, _ in every_command(make_cli())], ids=" ".join)
def test_every_command_explains_itself(backchat: Backchat, path: tuple[str, ...]) -> None:
    help_ = backchat(*path, "--help")
    assert help_.exit_code == 0
    assert help_.stdout.isascii() or "…" in help_.stdout
    assert "\x1b" not in help_.stdout
    assert "Usage: backchat" in help_.stdout


def test_every_command_that_prints_has_json_or_writes_a_file_and_says_what_it_does() -> None:
    for path, command in every_command(make_cli()):
        assert command.help, path
        assert command.name is not None
        if not isinstance(command, click.Group):
            assert {"as_json", "output"} & {parameter.name for parameter in command.params}, path


def test_the_commands_stand_under_headings(backchat: Backchat) -> None:
    help_ = backchat("--help").stdout
    assert help_.index("Set up:") < help_.index("connection") < help_.index("Talk:") < help_.index("conversation")


def test_without_a_database_one_sentence_says_what_to_do() -> None:
    environment = {"PATH": os.environ["PATH"], "BACKCHAT_HOME": "/nonexistent/backchat"}
    run = [sys.executable, "-c", "from bot.commands.root import make_cli; make_cli()()", "token", "list"]
    ended = subprocess.run(run, env=environment, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.startswith("DATABASE_URL is not set")
    assert ended.stderr.count("\n") == 1


def test_a_database_that_does_not_answer_is_named_without_its_password(backchat: Backchat, rt: Runtime) -> None:
    engine = db.make_engine("postgresql+psycopg://me:hunter2@127.0.0.1:1/nowhere", name="tests")
    runtime.use(replace(rt, engine=engine, sessions=db.make_sessions(engine)))
    refused = backchat("token", "list")
    assert (refused.exit_code, refused.stderr.count("\n")) == (1, 1)
    assert "The database does not answer" in refused.stderr
    assert "hunter2" not in refused.stderr


def test_a_database_without_tables_is_told_apart(backchat: Backchat, rt: Runtime) -> None:
    engine = rt.engine.execution_options(schema_translate_map={None: "nowhere"})
    runtime.use(replace(rt, engine=engine, sessions=db.make_sessions(engine)))
    assert "backchat db upgrade" in backchat("token", "list").stderr


def test_lists_say_so_when_there_is_nothing(backchat: Backchat) -> None:
    for noun in ("connection", "number", "operator", "token", "conversation", "journey", "reminder"):
        shown = backchat(noun, "list")
        assert shown.exit_code == 0
        assert shown.stdout.startswith("No"), noun


def test_output_is_aligned_for_real_rows(backchat: Backchat, rt: Runtime) -> None:
    with rt.transaction() as session:
        factories.make_number(session)
    header, row = backchat("number", "list").stdout.splitlines()
    assert header.index("PHONE") == row.index("+")
