"""Erasing and exporting a person by page, program and command: only who may, and only what is meant."""

import csv
import io
import zipfile
from collections.abc import Callable

import orjson
import pytest
from click.testing import CliRunner
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from bot import health, runtime
from bot.commands.root import make_cli
from bot.models.person import Erasure, Person
from bot.models.words import Role
from bot.people import ledger
from bot.people.rules import compiling
from bot.people.rules.schema import load
from bot.team import tokens
from tests.dashboard.visitor import Visitor
from tests.erasure.conftest import DIGITS, Story
from tests.factories import make_operator


@pytest.fixture
def admin(app: Flask, story: Story) -> Visitor:
    with story.rt.transaction() as session:
        return Visitor(app.test_client()).enter(session, make_operator(session, Role.ADMIN))


def test_the_page_says_what_will_go_and_erases_only_after_the_word(admin: Visitor, story: Story) -> None:
    address = f"/people/{story.ada.id}/erase"
    page = admin.get(address).text
    assert "Erase Ada Lovelace" in page
    assert "Messages that still wait" in page

    assert admin.post(address, {"typed": "yes"}).status_code == 422
    assert story.session.get_one(Person, story.ada.id, populate_existing=True).erased_at is None

    assert admin.post(address, {"typed": " Erase "}).status_code == 303
    page = admin.get(address).text
    assert "still searching" in page
    story.go_on()
    page = admin.get(address).text
    assert "everything was searched" in page
    assert "Lovelace" not in page
    assert story.session.scalars(select(Erasure.operator_id)).one() is not None


@pytest.mark.parametrize("role", [Role.COACH, Role.MARKETER])
def test_only_admins_erase_and_export(client_of: Callable[[str], FlaskClient], story: Story, role: Role) -> None:
    browser = client_of(role)

    assert browser.get(f"/people/{story.ada.id}/erase").status_code == 403
    assert browser.get(f"/people/{story.ada.id}/export").status_code == 403


@pytest.fixture
def bearer(story: Story) -> dict[str, str]:
    with story.rt.transaction() as session:
        return {"Authorization": f"Bearer {tokens.create(session, 'live', 'shop')[1]}"}


def test_a_program_erases_and_can_ask_how_far_it_is(client: FlaskClient, story: Story, bearer: dict[str, str]) -> None:
    answer = client.delete("/api/v1/people/ada-4711", headers=bearer)
    assert answer.status_code == 202
    assert (answer.get_json()["person_id"], answer.get_json()["finished_at"]) == (story.ada.id, None)
    assert client.delete("/api/v1/people/ada-4711", headers=bearer).status_code == 404

    story.go_on()

    again = client.delete(f"/api/v1/people/{story.ada.id}", headers=bearer)
    assert again.get_json()["id"] == answer.get_json()["id"]
    assert again.get_json()["finished_at"]
    assert story.found() == []


def test_everything_kept_about_a_person_is_in_the_export(
    client: FlaskClient, story: Story, bearer: dict[str, str]
) -> None:
    with story.rt.transaction() as session:
        session.get_one(Person, story.ada.id).nickname = "Countess"
    answer = client.get("/api/v1/people/ada-4711/export", headers=bearer)

    packed = zipfile.ZipFile(io.BytesIO(answer.data))
    assert packed.testzip() is None
    [profile] = [orjson.loads(packed.read("profile.json"))]
    assert (profile["nickname"], profile["attributes"]["complaint"]) == ("Countess", "my knee hurts")
    assert {row["value"] for row in orjson.loads(packed.read("addresses.json"))} >= {f"+{DIGITS}", "ada@example.org"}
    rows = list(csv.DictReader(io.StringIO(packed.read("messages.csv").decode("utf-8-sig"))))
    assert [row["body"] for row in rows] == ["Ada: my knee hurts", "Dear Lovelace", "waits"]
    assert [row["body"] for row in orjson.loads(packed.read("messages.json"))] == [row["body"] for row in rows]
    assert len(orjson.loads(packed.read("consent.json"))) == 1
    assert not any("Bob" in packed.read(name).decode() for name in packed.namelist())


def test_a_cell_that_a_spreadsheet_would_run_is_guarded(
    client: FlaskClient, story: Story, bearer: dict[str, str]
) -> None:
    story.session.connection().exec_driver_sql("UPDATE message SET body = '=1+1' WHERE body = 'waits'")

    answer = client.get(f"/api/v1/people/{story.ada.id}/export", headers=bearer)

    assert b"'=1+1" in zipfile.ZipFile(io.BytesIO(answer.data)).read("messages.csv")


def test_of_somebody_erased_there_is_no_export(client: FlaskClient, story: Story, bearer: dict[str, str]) -> None:
    story.erase()

    assert client.get(f"/api/v1/people/{story.ada.id}/export", headers=bearer).status_code == 404


def test_health_and_start_page_say_that_nothing_is_sent(admin: Visitor, story: Story) -> None:
    line = ledger.Line("unknown", "live", 7, (b"x" * 32,), story.ada.created_at)
    ledger.write(story.rt.settings.erasure_ledger, line)

    told, _ = health.report(story.rt, {"files": 0, "bytes": 0, "corrupt": 0})

    assert ledger.HELD in told["alerts"]
    assert "Nothing is sent at the moment" in admin.get("/").text


def test_nobody_has_no_profile_and_cannot_be_changed_found_or_matched(
    admin: Visitor, client: FlaskClient, story: Story, bearer: dict[str, str]
) -> None:
    story.erase()
    address = f"/api/v1/people/{story.ada.id}"

    assert admin.get(f"/people/{story.ada.id}").status_code == 404
    assert client.get(address, headers=bearer).status_code == 404
    assert client.patch(address, headers=bearer, json={"nickname": "Ada"}).status_code == 404
    disabled = load({"all": [{"what": "status", "operator": "disabled"}]})
    assert list(story.session.scalars(compiling.people(story.session, "live", disabled))) == []


def test_the_event_log_says_that_a_body_was_redacted(admin: Visitor, story: Story) -> None:
    story.erase()
    event_id = story.ask("SELECT min(id) FROM webhook_event WHERE redacted_at IS NOT NULL")

    page = admin.get(f"/events/{event_id}").text

    assert "Somebody who was erased was cut out of it" in page
    assert "Lovelace" not in page


def test_a_backups_erasures_are_done_again_by_a_command(story: Story) -> None:
    runtime.use(story.rt)
    connection = story.session.connection()
    story.session.commit()
    with connection.begin_nested() as before:
        story.erase()
        story.session.commit()
        before.rollback()
    story.session.expire_all()

    done = CliRunner().invoke(make_cli(), ["person", "reapply-erasures", "--json"])

    assert done.exit_code == 0
    assert '"reapplied": 1' in done.output


def test_a_command_asks_for_the_word_and_erases_nobody_without_it(story: Story) -> None:
    runtime.use(story.rt)

    done = CliRunner().invoke(make_cli(), ["person", "erase", str(story.ada.id)], input="yes\n")

    assert done.exit_code == 1
    assert "Nobody was erased." in done.output
    assert story.session.get_one(Person, story.ada.id, populate_existing=True).erased_at is None
