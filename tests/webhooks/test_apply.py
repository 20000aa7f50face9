"""What webhooks report is applied once, whole, and whatever comes beside it."""

import time
from concurrent.futures import ThreadPoolExecutor

import orjson
import pytest
from sqlalchemy import text

from bot.connections import numbers
from bot.conversations import threads
from bot.models.connection import Connection, Number
from bot.models.words import Environment
from tests import factories
from tests.webhooks.conftest import PHONE, Line, contact, envelope, quarantine, text_message
from webhooks import jobs

DAY = 86_400


def test_one_message_in_two_envelopes_is_one_message(line: Line) -> None:
    message = text_message()
    line.tell(message, contacts=[contact()])
    line.tell(text_message("another"), message)
    assert line.ask("SELECT count(*) FROM webhook_event") == 2
    assert line.ask("SELECT count(*) FROM message") == 2
    assert line.ask("SELECT unread_count FROM conversation") == 2
    assert quarantine(line) == []


def test_an_album_of_a_stranger_makes_one_person_and_one_thread(line: Line) -> None:
    start = int(time.time()) - 60
    bodies = [
        orjson.dumps(envelope(messages=[text_message(f"part {n}", timestamp=str(start + n))], contacts=[contact()]))
        for n in (3, 1, 5, 2, 4)
    ]
    with ThreadPoolExecutor(5) as threads:
        assert [a.status_code for a in threads.map(line.post, bodies)] == [200] * 5
        list(threads.map(lambda _: line.apply(), range(5)))
    assert line.ask("SELECT count(*) FROM person") == 1
    assert line.ask("SELECT count(*) FROM conversation") == 1
    assert line.ask("SELECT count(*) FROM episode") == 1
    thread = line.rows("SELECT body FROM message ORDER BY occurred_at, id")
    assert thread == [(f"part {n}",) for n in range(1, 6)]


def test_one_bad_item_of_a_hundred_stays_out_alone(line: Line) -> None:
    messages: list[object] = [text_message(f"part {n}") for n in range(100)]
    messages[40] = text_message() | {"timestamp": "yesterday"}
    answer = line.post(orjson.dumps(envelope(messages=messages, contacts=[contact()])))
    assert answer.status_code == 200
    line.apply()
    assert line.ask("SELECT count(*) FROM message") == 99
    assert quarantine(line) == [
        ("/entry/0/changes/0/value/messages/40", "timestamp is not in unix seconds"),
    ]
    assert line.ask("SELECT item->>'timestamp' FROM quarantine") == "yesterday"
    assert line.ask("SELECT state FROM webhook_event") == "quarantined"


def test_what_cannot_be_read_of_one_body_is_listed_up_to_a_bound_and_what_can_is_applied(line: Line) -> None:
    """A body has room for a million such items, and a row for each would keep the pump from all others."""
    line.tell(text_message("first"), *[{}] * 1500, text_message("last"), contacts=[contact()])
    assert line.ask("SELECT array_agg(body ORDER BY id) FROM message") == ["first", "last"]
    put_aside = quarantine(line)
    assert len(put_aside) == 1001
    assert put_aside[-1] == (
        "/entry/0/changes/0/value/messages/1001",
        "it and 499 more items of this body cannot be read",
    )


@pytest.mark.parametrize(
    "body, reason",
    [
        (b"hello", "the body is not JSON"),
        (b"", "the body is not JSON"),
        (b"\xff\xfe", "the body is not JSON"),
        (b"[]", "the body is not a JSON object"),
        (b'"text"', "the body is not a JSON object"),
        (b"[" * 10_000 + b"]" * 10_000, "the body is nested too deeply"),
        (b'{"entry": 5}', "entry is not a list"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_a_signed_body_that_cannot_be_read_is_taken_and_put_aside(line: Line, body: bytes, reason: str) -> None:
    assert line.post(body).status_code == 200
    line.apply()
    assert [told for _, told in quarantine(line)] == [reason]
    assert line.ask("SELECT state FROM webhook_event") == "quarantined"
    assert jobs.drain_once(line.rt) == 0  # nothing is left to try again


@pytest.mark.parametrize(
    "document",
    [
        {"object": "page", "entry": [{"id": "1"}]},
        {"entry": [{"changes": [{"field": "moon_phase", "value": {"phase": 1}}]}]},
        {"entry": [{"changes": [{"value": {}}]}]},
        envelope(statuses=[{"id": "wamid.S", "status": "levitated", "timestamp": "1700000000"}]),
        envelope(errors=[{"code": 130429}]),
    ],
    ids=["object", "field", "nameless", "status", "errors"],
)
def test_what_we_do_not_know_is_kept_and_breaks_nothing(
    line: Line, document: object, capfd: pytest.CaptureFixture[str]
) -> None:
    """Case 18."""
    assert line.post(orjson.dumps(document)).status_code == 200
    line.apply()
    assert line.ask("SELECT state FROM webhook_event") == "done"
    assert quarantine(line) == []
    assert not any(level in capfd.readouterr().out for level in ("[warning", "[error"))


def test_an_unknown_kind_of_message_opens_the_thread_and_can_be_seen(line: Line) -> None:
    line.tell(text_message(type="hologram", hologram={"depth": 3}), contacts=[contact()])
    assert line.rows("SELECT kind, body, content->'hologram'->>'depth' FROM message") == [("hologram", None, "3")]
    assert line.ask("SELECT state FROM conversation") == "open"


def test_odd_characters_are_stored_as_far_as_a_database_can(line: Line) -> None:
    body = orjson.dumps(envelope(messages=[text_message("SPOT")], contacts=[contact(name="NAME")]))
    body = body.replace(b"SPOT", rb"a\u0000b\ud800c \u202Ed \ud83d\ude00").replace(b"NAME", b"Z\\u0000o\\u00eb \xff")
    assert line.post(body).status_code == 200
    line.apply()
    assert quarantine(line) == []
    assert line.ask("SELECT body FROM message") == "abc \u202ed \U0001f600"
    assert line.ask("SELECT nickname FROM person") == "Zoë \ufffd"


def test_a_number_that_is_not_set_up_is_named_with_the_remedy(line: Line) -> None:
    body = envelope("777", messages=[text_message()])
    body["entry"] += envelope(messages=[text_message("to the right number")])["entry"]
    assert line.post(orjson.dumps(body)).status_code == 200
    line.apply()
    assert quarantine(line) == [
        (
            "/entry/0/changes/0/value/messages/0",
            "number 777 is not set up under this connection: add it with `backchat number add`",
        )
    ]
    assert line.rows("SELECT body FROM message") == [("to the right number",)]


@pytest.mark.parametrize("age_s, reason", [(8 * DAY + 60, "more than 8 days old"), (-660, "in the future")])
def test_a_message_out_of_its_time_is_stale_and_does_nothing(line: Line, age_s: float, reason: str) -> None:
    line.tell(text_message(age_s=age_s), contacts=[contact()])
    [(_, told)] = quarantine(line)
    assert told.startswith("stale:")
    assert told.endswith(reason)
    for table in ("message", "conversation", "person"):
        assert line.ask(f"SELECT count(*) FROM {table}") == 0


@pytest.mark.parametrize("age_s", [7 * DAY, -540])
def test_a_message_within_the_providers_retries_is_taken(line: Line, age_s: float) -> None:
    line.tell(text_message(age_s=age_s), contacts=[contact()])
    assert line.ask("SELECT count(*) FROM message") == 1
    assert quarantine(line) == []


def test_an_old_message_opens_the_thread_but_not_the_window(line: Line) -> None:
    line.tell(text_message(age_s=3 * DAY), contacts=[contact()])
    assert line.ask("SELECT state FROM conversation") == "open"
    assert line.ask("SELECT now() - last_inbound_at > interval '71 hours' FROM conversation")


def test_a_late_message_never_moves_the_window_back(line: Line) -> None:
    line.tell(text_message(age_s=60))
    line.tell(text_message(age_s=3 * DAY))
    assert line.ask("SELECT now() - last_inbound_at < interval '2 minutes' FROM conversation")
    assert line.ask("SELECT now() - last_message_at < interval '2 minutes' FROM conversation")


def test_a_reaction_is_kept_but_opens_nothing(line: Line) -> None:
    reaction = {"message_id": "wamid.out", "emoji": "\U0001f44d"}
    line.tell(text_message(type="reaction", reaction=reaction), contacts=[contact()])
    removal = {"message_id": "wamid.out"}
    line.tell(text_message(type="reaction", reaction=removal), contacts=[contact()])
    assert line.rows("SELECT kind, body, reply_to_provider_message_id FROM message ORDER BY id") == [
        ("reaction", "\U0001f44d", "wamid.out"),
        ("reaction", None, "wamid.out"),
    ]
    assert line.ask("SELECT count(*) FROM conversation") == 0


def test_one_body_for_two_numbers_of_two_environments_keeps_them_apart(line: Line) -> None:
    with line.rt.transaction() as session:
        connection = session.get_one(Connection, line.connection_id)
        numbers.add(
            session,
            connection,
            environment=Environment.TEST,
            provider_number_id="test-number",
            phone="+15550783882",
            name="Test line",
        )
    body = envelope(messages=[text_message("live")], contacts=[contact()])
    body["entry"] += envelope("test-number", messages=[text_message("test")], contacts=[contact()])["entry"]
    line.post(orjson.dumps(body))
    line.apply()
    assert sorted(line.rows("SELECT environment, body FROM message")) == [("live", "live"), ("test", "test")]
    assert sorted(line.rows("SELECT environment FROM person")) == [("live",), ("test",)]


def test_a_closed_thread_is_reopened_by_the_person(line: Line) -> None:
    line.tell(text_message())
    with line.rt.transaction() as session:
        coach = factories.make_operator(session)
        [(conversation_id,)] = line.rows("SELECT id FROM conversation")
        assert threads.close(session, conversation_id, coach.id)
    line.tell(text_message("one more thing"))
    assert line.ask("SELECT state FROM conversation") == "open"
    assert line.rows("SELECT opened_by, closed_at IS NULL FROM episode ORDER BY id") == [
        ("person", False),
        ("person", True),
    ]


def test_a_status_finds_its_message_by_our_mark(line: Line) -> None:
    with line.rt.transaction() as session:
        number = session.get_one(Number, line.number_id)
        person = factories.make_person(session, phone=f"+{PHONE}")
        sent = factories.make_outbound(session, person, number, state="wire", attempt=1)
    at = str(int(time.time()))
    status = {"id": "wamid.out", "status": "delivered", "timestamp": at, "recipient_id": PHONE}
    line.tell(statuses=[status | {"biz_opaque_callback_data": f"o1.{sent.id}.1"}])
    assert line.rows("SELECT state, delivery_level, provider_message_id FROM message") == [("accepted", 2, "wamid.out")]
    assert line.ask("SELECT count(*) FROM conversation") == 0  # a receipt is nobody's words


@pytest.mark.parametrize("mark", [True, False], ids=["with our mark", "without"])
def test_a_late_status_makes_nobody_known_again_who_was_erased(line: Line, mark: bool) -> None:
    """Case 36."""
    with line.rt.transaction() as session:
        number = session.get_one(Number, line.number_id)
        person = factories.make_person(session, phone=f"+{PHONE}")
        sent = factories.make_outbound(session, person, number, state="accepted", provider_message_id="wamid.out")
    with line.rt.transaction() as session:
        for table, column in (("message", "id"), ("address", "person_id"), ("person", "id")):
            id_ = sent.id if table == "message" else person.id
            session.execute(text(f"DELETE FROM {table} WHERE {column} = :id"), {"id": id_})
    status = {"id": "wamid.out", "status": "read", "timestamp": str(int(time.time())), "recipient_id": PHONE}
    line.tell(statuses=[status | ({"biz_opaque_callback_data": f"o1.{sent.id}.1"} if mark else {})])
    assert line.ask("SELECT state FROM webhook_event") == "done"
    assert quarantine(line) == []
    for table in ("person", "address", "conversation", "message"):
        assert line.ask(f"SELECT count(*) FROM {table}") == 0
