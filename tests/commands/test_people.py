"""Everybody and their properties from a terminal."""

import csv
import io

import orjson
from click.testing import CliRunner
from sqlalchemy.orm import Session

from app import cli
from bot.models.words import Environment
from tests.factories import make_person


def run(*arguments: str) -> str:
    done = CliRunner().invoke(cli, arguments)
    assert done.exit_code == 0, done.stderr
    return done.stdout


def test_people_are_listed_searched_and_exported(session: Session) -> None:
    make_person(session, phone="+201012345678", first_name="Mona", distinct_id="user_1.a", attributes={"plan": "gold"})
    make_person(session, first_name="Zed", last_name="Zander")
    make_person(session, first_name="Tess", environment=Environment.TEST)
    session.commit()
    run("property", "add", "plan", "--type", "TEXT", "--environment", "live")
    listed = orjson.loads(run("people", "list", "--environment", "live", "--sort", "display_name", "--json"))
    assert [row["display_name"] for row in listed] == ["Mona", "Zed Zander"]
    assert "Mona" in run("people", "search", "010", "1234", "--environment", "live")
    assert "Nobody" in run("people", "search", "tess", "--environment", "live")
    told = run("people", "export", "gold", "--environment", "live")
    [row] = csv.DictReader(io.StringIO(told.removeprefix("\ufeff")))
    assert (row["distinct_id"], row["phone"], row["plan||TEXT"]) == ("user_1.a", "+201012345678", "gold")
    refused = CliRunner().invoke(cli, ["people", "list", "--environment", "live", "--sort", "nobody"])
    assert (refused.exit_code, refused.stdout) == (1, "")


def test_properties_are_listed_with_how_many_have_them(session: Session) -> None:
    make_person(session, attributes={"plan": "gold"}, country="EG")
    session.commit()
    run("property", "add", "plan", "--type", "TEXT", "--environment", "live")
    run("property", "hide", "plan", "--environment", "live")
    run("property", "show", "language", "--environment", "live")
    rows = {row["name"]: row for row in orjson.loads(run("property", "list", "--environment", "live", "--json"))}
    assert (rows["plan"]["people"], rows["plan"]["see_in_table"]) == (1, False)
    assert (rows["country"]["people"], rows["language"]["see_in_table"], rows["phone"]["people"]) == (1, True, 1)
