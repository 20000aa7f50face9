"""Signed bodies become durable rows, and nothing else does."""

import hashlib
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import orjson
import pytest
from sqlalchemy import text

from bot.connections import numbers
from tests.harness.children import wait_until
from tests.webhooks.conftest import SECRETS, Line, connect, contact, envelope, signed, text_message
from webhooks import spool
from webhooks.inbox import Inbox
from webhooks.spool import Spool
from webhooks.store import Entry


def message_body(text_: str = "hi there") -> bytes:
    return orjson.dumps(envelope(messages=[text_message(text_)], contacts=[contact()]))


def inbox_of(line: Line) -> Inbox:
    return Inbox(line.rt.engine, Spool(line.rt.settings.spool, 2**20), lambda: True)


def entry(line: Line, body: bytes) -> Entry:
    return Entry(line.connection_id, "application/json", body, hashlib.sha256(body).digest())


def test_a_signed_message_is_a_row_before_it_is_answered_and_a_message_after(line: Line) -> None:
    body = message_body()
    answer = line.post(body)
    assert (answer.status_code, answer.data) == (200, b"")
    assert line.rows("SELECT body, state FROM webhook_event") == [(body, "new")]
    line.apply()
    assert line.ask("SELECT state FROM webhook_event") == "done"
    assert line.rows("SELECT body, kind, direction, state FROM message") == [("hi there", "text", "in", "received")]
    assert line.rows("SELECT nickname, country FROM person") == [("Amina", "EG")]
    assert line.rows("SELECT state, unread_count FROM conversation") == [("open", 1)]
    assert line.rows("SELECT opened_by, closed_at FROM episode") == [("person", None)]


def test_the_doorbell_rings_once_a_body_is_stored(line: Line) -> None:
    line.post(message_body())
    wait_until(lambda: line.rt.redis.llen("rq:queue:intake") == 1, "the ring")


def test_the_same_body_twice_is_one_event(line: Line) -> None:
    body = message_body()
    assert [line.post(body).status_code for _ in range(2)] == [200, 200]
    line.apply()
    assert line.post(body).status_code == 200
    assert line.ask("SELECT count(*) FROM webhook_event") == 1
    assert line.ask("SELECT count(*) FROM message") == 1


def test_the_same_body_on_two_connections_is_two_events(line: Line) -> None:
    connect(line, "other")
    body = message_body()
    line.post(body)
    line.slug = "other"
    assert line.post(body).status_code == 200
    assert line.ask("SELECT count(*) FROM webhook_event") == 2


def test_many_threads_share_commits_and_each_body_becomes_one_event(line: Line) -> None:
    inbox = inbox_of(line)
    bodies = [b'{"n": %d}' % (number // 4) for number in range(400)]  # four of each in a row: often in one group
    with ThreadPoolExecutor(32) as threads:
        list(threads.map(lambda body: inbox.put(entry(line, body)), bodies))
    assert line.ask("SELECT count(*) FROM webhook_event") == 100
    assert line.ask("SELECT count(DISTINCT body) FROM webhook_event") == 100
    assert line.ask("SELECT count(DISTINCT xmin::text) FROM webhook_digest") < 100  # fewer commits than bodies


def test_events_keep_the_order_in_which_they_came(line: Line) -> None:
    inbox = inbox_of(line)
    for number in range(20):
        inbox.put(entry(line, b"%d" % number))
    assert line.ask("SELECT array_agg(body ORDER BY id) FROM webhook_event") == [b"%d" % n for n in range(20)]


def test_what_the_database_never_takes_is_set_aside_and_its_neighbours_are_stored(line: Line) -> None:
    inbox = inbox_of(line)
    stranger = Entry(999_999, None, b"{}", b"x" * 32)  # breaks the statement of everybody in its group
    with ThreadPoolExecutor(16) as threads:
        futures = [threads.submit(inbox.put, entry(line, b"%d" % number)) for number in range(64)]
        futures += [threads.submit(inbox.put, stranger) for _ in range(4)]
    assert [future.exception() for future in futures] == [None] * 68
    assert {bytes(body) for (body,) in line.rows("SELECT body FROM webhook_event")} == {b"%d" % n for n in range(64)}

    def is_set_aside() -> bool:
        held = spool.measure(line.rt.settings.spool)
        return held.corrupt > 0 and held.files == 0

    wait_until(is_set_aside, "the stranger to be set aside")


def test_a_month_without_a_partition_gets_one(line: Line) -> None:
    names = [name for (name,) in line.rows("SELECT relname FROM pg_class WHERE relname ~ '^webhook_event_[0-9_]+$'")]
    assert len(names) == 3
    with line.rt.transaction() as session:
        for name in names:
            session.execute(text(f"DROP TABLE {name}"))
    assert line.post(message_body()).status_code == 200
    assert line.ask("SELECT count(*) FROM webhook_event") == 1


BODY = b'{"entry": [], "caf\\u00e9": 1}'
RIGHT = signed(BODY)["X-Hub-Signature-256"]


@pytest.mark.parametrize(
    "signature",
    [
        None,
        "",
        "sha256=" + "0" * 64,
        RIGHT.replace("sha256=", "sha1="),
        RIGHT[:-1],
        RIGHT + "0",
        "sha256=" + RIGHT.removeprefix("sha256=").upper(),
        RIGHT.upper(),
        RIGHT.replace("sha256=", ""),
        " " + RIGHT,
        RIGHT + "\n",
        "sha256=" + "é" * 64,
        f"{RIGHT},{RIGHT}",
    ],
    ids=lambda value: str(value)[:16],
)
def test_a_wrong_signature_is_refused_without_a_trace(
    closed_line: Line, signature: str | None, capfd: pytest.CaptureFixture[str]
) -> None:
    environ = {"HTTP_X_HUB_SIGNATURE_256": signature} if signature is not None else {}
    answer = closed_line.client.post("/webhooks/line", data=BODY, environ_overrides=environ)
    assert (answer.status_code, answer.text) == (401, "bad signature")
    told = "".join(capfd.readouterr())
    assert RIGHT[7:20] not in told
    assert "caf" not in told
    assert signature is None or len(signature) < 9 or signature[7:] not in told


def test_only_the_exact_bytes_fit_their_signature(line: Line) -> None:
    """Case 22."""
    for changed in (
        BODY.replace(b"\\u00e9", "é".encode()),
        BODY + b" ",
        BODY.replace(b": ", b":"),
        b'{"caf\\u00e9": 1, "entry": []}',
    ):
        assert line.post(changed, signed(BODY)).status_code == 401, changed
    assert line.post(BODY, signed(BODY)).status_code == 200


def test_another_accounts_secret_does_not_open_this_connection(closed_line: Line) -> None:
    body = message_body()
    assert closed_line.post(body, signed(body, "secret-of-another")).status_code == 401


def test_another_accounts_number_is_nobodys_here(line: Line) -> None:
    """Case 26: signed by A, about a number of B."""
    other = connect(line, "other", app_secret="secret-of-another")
    with line.rt.transaction() as session:
        numbers.add(
            session, other, environment="live", provider_number_id="999", phone="+4930901820", name="B's number"
        )
    body = orjson.dumps(envelope("999", messages=[text_message()], contacts=[contact()]))
    line.slug = "other"
    assert line.post(body).status_code == 401
    line.slug = "line"
    assert line.post(body).status_code == 200
    line.apply()
    assert line.ask("SELECT count(*) FROM message") == 0
    assert line.ask("SELECT count(*) FROM person") == 0
    assert "number 999 is not set up under this connection" in line.ask("SELECT reason FROM quarantine")


ODD = ("nul \x00 in it", "lone \ud83d surrogate", "right \u202e to left", "four bytes \U0001f98a")


@pytest.mark.parametrize("text_", ODD, ids=["NUL", "surrogate", "override", "emoji"])
def test_odd_characters_in_texts_and_names_are_kept_as_far_as_a_database_can(line: Line, text_: str) -> None:
    """Case 20."""
    body = json.dumps(envelope(messages=[text_message(text_)], contacts=[contact(name=text_)])).encode()
    assert line.post(body).status_code == 200
    line.apply()
    assert line.ask("SELECT body FROM webhook_event") == body
    [(said, name)] = line.rows("SELECT m.body, p.nickname FROM message m JOIN person p ON p.id = m.person_id")
    assert said.startswith(text_[:4])
    assert said.endswith(text_[-3:].lstrip("\x00\ud83d"))
    assert name
    assert not any(mark in said + name for mark in ("\x00", "\ud83d"))


def test_bytes_that_are_no_text_at_all_are_kept_and_put_aside(line: Line) -> None:
    """Case 20: invalid UTF-8."""
    body = message_body().replace(b"hi there", b"\xff\xfe\xc3(")
    assert line.post(body).status_code == 200
    line.apply()
    assert line.ask("SELECT body FROM webhook_event") == body
    assert line.ask("SELECT count(*) FROM message") + line.ask("SELECT count(*) FROM quarantine") == 1


def test_a_captured_body_that_comes_again_after_a_month_starts_nothing(line: Line) -> None:
    """Case 24: even if its digest was gone."""
    month = 31 * 24 * 3600
    body = orjson.dumps(envelope(messages=[text_message("menu", age_s=month)], contacts=[contact()]))
    assert line.post(body).status_code == 200
    line.apply()
    assert line.ask("SELECT reason FROM quarantine").startswith("stale")
    assert line.ask("SELECT count(*) FROM message") + line.ask("SELECT count(*) FROM conversation") == 0


def test_an_unknown_connection_is_not_found(closed_line: Line) -> None:
    closed_line.slug = "nowhere"
    assert closed_line.post(message_body()).status_code == 404
    assert closed_line.client.get("/webhooks/nowhere").status_code == 404


def test_a_secret_in_the_address_may_hold_a_slash_as_base64_does(line: Line) -> None:
    connect(line, "planted", "360dialog", api_key="key", webhook_secret="ab/c+d==")
    for address in ("ab/c+d==", "ab%2Fc%2Bd%3D%3D"):
        assert line.client.post(f"/webhooks/planted/{address}", data=b"{}").status_code == 200, address
        assert line.client.post(f"/webhooks/planted/{address}/", data=b"{}").status_code == 401, address


def test_what_cannot_be_a_connection_is_not_even_asked_for(line: Line) -> None:
    """The database refuses a NUL, and with it everybody whose connection is asked for in the same statement."""
    for slug in ("%00", "line%00", "%0A", "Line", "line-", "%C3%A9", "%FF", "a" * 65):
        assert line.client.post(f"/webhooks/{slug}", data=b"{}").status_code == 404, slug
        assert line.client.get(f"/webhooks/{slug}").status_code == 404, slug


@pytest.mark.parametrize(
    "token, challenge, status, told",
    [
        (SECRETS["verify_token"], "1158201444", 200, "1158201444"),
        (SECRETS["verify_token"], "<script>alert(1)</script>", 400, "not a challenge"),
        (SECRETS["verify_token"], "9" * 129, 400, "not a challenge"),
        ("wrong", "1158201444", 403, "not verified"),
        ("", "1158201444", 403, "not verified"),
        ("é", "1158201444", 403, "not verified"),
    ],
)
def test_the_handshake_repeats_the_challenge_to_who_knows_the_token(
    closed_line: Line, token: str, challenge: str, status: int, told: str
) -> None:
    query = {"hub.mode": "subscribe", "hub.verify_token": token, "hub.challenge": challenge}
    answer = closed_line.client.get("/webhooks/line", query_string=query)
    assert (answer.status_code, answer.text) == (status, told)
    assert answer.content_type == "text/plain; charset=utf-8"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("query", [{}, {"hub.mode": "unsubscribe"}])
def test_a_visit_that_is_no_handshake_is_refused(closed_line: Line, query: dict[str, str]) -> None:
    query |= {"hub.verify_token": SECRETS["verify_token"]} if query else {}
    assert closed_line.client.get("/webhooks/line", query_string=query).status_code == 403


def test_a_body_of_just_the_limit_is_taken_and_one_byte_more_is_not(line: Line) -> None:
    limit = line.rt.settings.webhook_max_bytes
    assert line.post(b" " * limit).status_code == 200
    assert line.post(b" " * (limit + 1)).status_code == 413


def test_a_body_without_a_length_is_read_no_further_than_the_limit(closed_line: Line) -> None:
    limit = closed_line.rt.settings.webhook_max_bytes
    endless = Endless()
    answer = closed_line.client.post(
        "/webhooks/line",
        environ_overrides={
            "wsgi.input": endless,
            "wsgi.input_terminated": True,
            "HTTP_TRANSFER_ENCODING": "chunked",
            "CONTENT_LENGTH": "",
        },
    )
    assert answer.status_code == 413
    assert endless.given <= limit + 64 * 1024


class Endless:
    """A stream that counts what is read of it."""

    given = 0

    def read(self, size: int = -1) -> bytes:
        assert size >= 0, "somebody wants to read it to its end"
        self.given += size
        return b"a" * size

    def __iter__(self) -> Iterator[bytes]:
        raise AssertionError
