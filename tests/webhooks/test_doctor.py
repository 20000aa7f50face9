"""The doctor tells each step's evidence, and why it is not green, in words an operator can act on."""

import base64
import json
import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from click.testing import CliRunner
from sqlalchemy import text
from structlog.testing import capture_logs

from bot.connections import connections
from bot.models.connection import Connection
from tests.webhooks.conftest import NUMBER_ID, SECRETS, Line, connect, contact, envelope, signed, text_message
from tests.webhooks.desk import sit_down, write_down_sightings
from tests.webhooks.test_log_pages import status
from webhooks import doctor, findings
from webhooks.commands import webhooks
from webhooks.doctor import State, Step

ADDRESS, HANDSHAKE, SIGNATURE, COMING, MESSAGE, STATUS = range(6)


def steps(line: Line) -> list[Step]:
    write_down_sightings(line) if "backchat.intake" in line.app.extensions else None
    with line.rt.transaction() as session:
        connection = session.get_one(Connection, line.connection_id)
        return doctor.examine(findings.gather(session, connection, line.rt.settings))


def body() -> bytes:
    return orjson.dumps(envelope(messages=[text_message("é / ok")], contacts=[contact()]))


def shake(line: Line, **parameters: str) -> int:
    query = {"hub.mode": "subscribe", "hub.challenge": "123", "hub.verify_token": SECRETS["verify_token"]}
    return line.client.get(f"/webhooks/{line.slug}", query_string=query | parameters).status_code


def test_before_anything_came_nothing_is_red_but_each_step_says_what_to_do(line: Line) -> None:
    found = steps(line)
    assert {step.state for step in found} == {State.WAITING}
    assert all(step.cause or step.remedy for step in found if step is not found[SIGNATURE])
    assert "No GET ever came" in found[HANDSHAKE].evidence


def test_from_the_handshake_to_a_status_everything_turns_green(line: Line) -> None:
    assert shake(line) == 200
    assert steps(line)[HANDSHAKE].state is State.GOOD
    assert "subscribe" in str(steps(line)[COMING].remedy)
    line.post(body())
    line.apply()
    line.tell(statuses=[status("wamid.1")])
    found = steps(line)
    assert {step.state for step in found} == {State.GOOD}
    assert all(step.at is not None for step in found)
    assert found[MESSAGE].event_id != found[STATUS].event_id


def test_a_wrong_verify_token_is_told_from_something_that_is_no_handshake(line: Line) -> None:
    assert shake(line, **{"hub.verify_token": "guess"}) == 403
    step = steps(line)[HANDSHAKE]
    assert step.state is State.BAD
    assert "verify token that was typed" in str(step.cause)
    line.client.get("/webhooks/line?utm_source=mail")
    assert "utm_source" in str(steps(line)[HANDSHAKE].cause)
    assert shake(line) == 200
    assert steps(line)[HANDSHAKE].state is State.GOOD


def test_a_get_that_lost_its_parameters_is_no_refused_handshake(line: Line) -> None:
    line.client.get("/webhooks/line")
    step = steps(line)[HANDSHAKE]
    assert step.state is State.WAITING
    assert "without the parameters" in step.evidence


def test_the_app_secret_of_another_app(line: Line) -> None:
    assert line.post(body(), signed(body(), "another app's")).status_code == 401
    step = steps(line)[SIGNATURE]
    assert step.state is State.BAD
    assert "another app" in str(step.cause)
    assert "App settings" in str(step.remedy)


def test_the_secret_of_another_connection_of_ours_is_named(line: Line) -> None:
    with line.rt.transaction() as session:
        connections.add(
            session,
            line.rt.settings.secret_key,
            slug="second",
            provider="cloud",
            account_id="2",
            base_url="http://127.0.0.1:9",
            secrets=SECRETS | {"app_secret": "that of the second"},
        )
    raw = body()
    assert line.post(raw, signed(raw, "that of the second")).status_code == 401
    assert "the connection second" in str(steps(line)[SIGNATURE].cause)


@pytest.mark.parametrize(
    "rewrite",
    [
        lambda document: json.dumps(document).encode(),
        lambda document: json.dumps(document, indent=1, ensure_ascii=False).encode(),
        orjson.dumps,
    ],
    ids=["spaced", "indented", "unescaped"],
)
def test_a_proxy_that_writes_the_json_anew(line: Line, rewrite: Any) -> None:
    document = envelope(messages=[text_message("é / ok")], contacts=[contact()])
    as_meta_sends_it = json.dumps(document, separators=(",", ":")).replace("/", "\\/").encode()
    assert line.post(rewrite(document), signed(as_meta_sends_it)).status_code == 401
    step = steps(line)[SIGNATURE]
    assert "A proxy in between" in str(step.cause)
    assert "The secret is right" in str(step.cause)


def test_a_proxy_that_takes_the_signature_away(line: Line) -> None:
    assert line.post(body(), {"Content-Type": "application/json"}).status_code == 401
    assert "carried no signature" in str(steps(line)[SIGNATURE].cause)


def test_no_cause_is_sought_in_a_large_refused_body(line: Line) -> None:
    """Each one tried costs a verification, and anybody can be refused."""
    document = envelope(messages=[text_message("x" * 64 * 1024)], contacts=[contact()])
    assert line.post(json.dumps(document, indent=1).encode(), signed(json.dumps(document).encode())).status_code == 401
    step = steps(line)[SIGNATURE]
    assert step.state is State.BAD
    assert "A proxy in between" not in str(step.cause)


def test_once_requests_are_right_again_the_refused_ones_are_only_counted(line: Line) -> None:
    line.post(body(), signed(b"something else"))
    line.post(body(), signed(b"something else"))
    steps(line)
    time.sleep(0.01)
    line.post(body())
    step = steps(line)[SIGNATURE]
    assert step.state is State.GOOD
    assert "refused 2 times before" in step.evidence


def test_neither_secrets_nor_bodies_are_in_the_evidence(line: Line) -> None:
    line.post(body(), signed(body(), "another app's") | {"Authorization": "Basic hunter2"})
    shake(line, **{"hub.verify_token": "guess-of-somebody"})
    write_down_sightings(line)
    kept = str(line.rows("SELECT detail FROM webhook_sighting"))
    assert "Authorization" in kept
    for secret in ("hunter2", "guess-of-somebody", *SECRETS.values(), "Amina", "/ ok", "sha256="):
        assert secret not in kept


def test_a_flood_of_refusals_is_one_row_and_no_flood_of_the_log(line: Line) -> None:
    raw = body()
    with capture_logs() as told:
        for _ in range(30):
            line.post(raw, signed(b"something else"))
        write_down_sightings(line)
    assert {(event["event"], event["kind"]) for event in told} == {("webhook.not_taken", "refused")}
    assert len(told) < 30
    assert line.rows("SELECT kind, count FROM webhook_sighting") == [("refused", 30)]


def test_a_number_that_is_not_set_up(line: Line) -> None:
    line.tell(statuses=[status("wamid.1")])
    line.post(orjson.dumps(envelope("5" * 15, messages=[text_message()], contacts=[contact()])))
    line.apply()
    with line.rt.engine.begin() as connection:  # as if its messages were too many events ago
        connection.execute(text("UPDATE webhook_event SET kinds = '{status}'"))
    step = steps(line)[MESSAGE]
    assert step.state is State.BAD
    assert "not set up under this connection" in str(step.cause)


def test_a_connection_without_a_number_says_how_to_add_one(line: Line) -> None:
    with line.rt.engine.begin() as connection:
        connection.execute(text("DELETE FROM number"))
    assert "backchat number add line" in str(steps(line)[MESSAGE].remedy)


def test_webhooks_that_nobody_applies(line: Line) -> None:
    line.post(body())
    with line.rt.engine.begin() as connection:
        connection.execute(text("UPDATE webhook_event SET received_at = received_at - interval '1 minute'"))
    step = steps(line)[MESSAGE]
    assert step.state is State.BAD
    assert "backchat worker intake" in str(step.remedy)


def test_a_provider_without_a_handshake_is_asked_for_none(line: Line) -> None:
    made = connect(line, "planted", "360dialog", api_key="key", webhook_secret="planted-by-us")
    line.slug, line.connection_id = "planted", made.id
    found = steps(line)
    assert [step.title for step in found if "handshake" in step.title] == []
    assert line.client.post("/webhooks/planted", data=b"{}").status_code == 401
    assert "carried no secret" in str(steps(line)[1].cause)
    login = base64.b64encode(b"x:wrong").decode()
    line.client.post("/webhooks/planted", data=b"{}", headers={"Authorization": f"Basic {login}"})
    assert "not this connection's" in str(steps(line)[1].cause)


def test_a_secret_that_the_provider_gave_and_signs_with_is_never_shown(line: Line) -> None:
    connect(line, "turned", "turn", access_token="t", webhook_secret="theirs alone")
    assert line.client.post("/webhooks/turned", data=body()).status_code == 401
    desk = sit_down(line)
    page = desk.get("/connections/turned").text
    assert "The signature is right" in page
    assert "Webhook secret" not in page
    assert "theirs alone" not in desk.post("/connections/turned/secrets").text


def test_an_address_that_providers_cannot_call_is_red(line: Line) -> None:
    with line.rt.transaction() as session:
        session.get_one(Connection, line.connection_id).base_url = "https://graph.facebook.com/v25.0"
    step = steps(line)[ADDRESS]
    assert step.state is State.BAD
    assert "BACKCHAT_BASE_URL" in str(step.remedy)


def test_a_public_address_is_green_once_anybody_called_it(line: Line) -> None:
    with line.rt.transaction() as session:
        connection = session.get_one(Connection, line.connection_id)
        connection.base_url = "https://graph.facebook.com/v25.0"
        found = findings.gather(session, connection, line.rt.settings)
    public = replace(found, webhook_url="https://chat.example.org/webhooks/line")
    assert doctor.examine(public)[ADDRESS].state is State.WAITING
    called = {"stray_get": findings.Seen(datetime.now(UTC), 1, {})}
    assert doctor.examine(replace(public, sightings=called))[ADDRESS].state is State.GOOD


def test_the_page_shows_what_to_paste_and_a_secret_only_when_asked(line: Line) -> None:
    admin = sit_down(line)
    page = admin.get("/connections/line").text
    assert "/webhooks/line" in page
    assert not any(secret in page for secret in SECRETS.values())
    shown = admin.post("/connections/line/secrets").text
    assert SECRETS["verify_token"] in shown
    assert SECRETS["app_secret"] not in shown
    assert SECRETS["access_token"] not in shown
    assert SECRETS["verify_token"] not in admin.get("/connections/line").text


def test_the_moving_part_of_the_page_shows_a_message_arrive(line: Line) -> None:
    admin = sit_down(line)
    assert "None is among the last webhooks" in admin.get("/connections/line/live").text
    line.tell(text_message(), contacts=[contact()])
    part = admin.get("/connections/line/live").text
    assert part.count("step-done") == 5
    assert "In order" in admin.get("/connections/line").text
    assert "Not seen yet" in admin.get("/connections").text


def test_the_command_tells_the_same_and_fails_when_a_step_is_red(line: Line) -> None:
    assert shake(line) == 200
    write_down_sightings(line)
    calm = CliRunner().invoke(webhooks, ["doctor", "line", "--json"])
    assert calm.exit_code == 0
    told = ("\n" + calm.stdout).partition("\n[")[2]  # a thread of the tests may have logged before it
    assert [step["state"] for step in orjson.loads("[" + told)][:2] == ["good", "good"]
    line.post(body(), signed(b"something else"))
    write_down_sightings(line)
    worried = CliRunner().invoke(webhooks, ["doctor", "line"])
    assert worried.exit_code == 1
    assert "BAD      The signature is right" in worried.stdout
    missing = CliRunner().invoke(webhooks, ["doctor", "nowhere"])
    assert missing.exit_code == 1
    assert "There is no connection nowhere: line." in missing.stderr


def test_the_number_shown_for_the_test_is_the_connections_own(line: Line) -> None:
    page = sit_down(line).get("/connections/line").text
    assert "+15550783881" in page
    assert NUMBER_ID not in page
