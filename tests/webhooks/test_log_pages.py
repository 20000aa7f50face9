"""Operators see what came in, what it changed, and nothing of it as markup."""

from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from sqlalchemy import text

from tests.dashboard.visitor import Visitor
from tests.webhooks.conftest import Line, connect, contact, envelope, text_message
from tests.webhooks.desk import event_ids, sit_down
from webhooks import log
from webhooks.log import Wanted

XSS = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "javascript:alert(1)",
    "</pre></code><svg/onload=alert(1)>",
    "{{7*7}}<<7*7>>",
)

MONTH_BEFORE = """
    DO $$ BEGIN
        EXECUTE format('CREATE TABLE webhook_event_past PARTITION OF webhook_event FOR VALUES FROM (%L) TO (%L)',
                       date_trunc('month', now()) - interval '1 month', date_trunc('month', now()));
    END $$
"""


@pytest.fixture
def admin(line: Line) -> Visitor:
    return sit_down(line)


def status(message_id: str, word: str = "delivered", **members: Any) -> dict[str, Any]:
    at = str(int(datetime.now(UTC).timestamp()))
    return {"id": message_id, "status": word, "timestamp": at, "recipient_id": "201000000001", **members}


def test_the_log_tells_what_each_webhook_held(line: Line) -> None:
    line.tell(text_message(), contacts=[contact()])
    line.tell(statuses=[status("wamid.x"), status("wamid.y", "read")])
    line.post(b"not json")
    line.apply()
    found = line.rows("SELECT items, kinds, number_ids, state FROM webhook_event ORDER BY id")
    assert found == [
        (1, ["message"], [line.number_id], "done"),
        (2, ["status"], [line.number_id], "done"),
        (1, ["unreadable"], [], "quarantined"),
    ]


@pytest.mark.parametrize(
    "raw, shown",
    [
        (b'{"entry": [], "half": "\\ud83d\\udcff \\ud83d"}', "\\ud83d"),
        (b"[" * 400 + b"0," * 20_000 + b"0" + b"]" * 400, "[[[["),
    ],
    ids=["half a character", "nested deeply"],
)
def test_a_body_that_is_hard_to_show_is_shown(line: Line, admin: Visitor, raw: bytes, shown: str) -> None:
    line.post(raw)
    page = admin.get(f"/events/{event_ids(line)[0]}")
    assert page.status_code == 200
    assert shown in page.text
    assert len(page.data) < 1_000_000


def test_what_nobody_knows_is_counted_once_a_day_and_shown(line: Line, admin: Visitor) -> None:
    line.tell(statuses=[status("wamid.x", "teleported"), status("wamid.y", "teleported")])
    line.tell(text_message(type="hologram", hologram={}), contacts=[contact()])
    assert line.rows("SELECT kind, word, count FROM webhook_tally ORDER BY kind") == [
        ("status", "teleported", 2),
        ("type", "hologram", 1),
    ]
    page = admin.get("/events").text
    assert "teleported" in page
    assert "hologram" in page


def test_the_log_is_narrowed_by_connection_number_kind_verdict_and_time(line: Line, admin: Visitor) -> None:
    line.tell(text_message(), contacts=[contact()])
    line.tell(statuses=[status("wamid.x")])
    line.post(b"not json")
    line.apply()
    message, told, unreadable = event_ids(line)
    connect(line, "other")
    hour = timedelta(hours=1)
    now = datetime.now(UTC)

    def shown(**wanted: Any) -> list[int]:
        with line.rt.transaction() as session:
            return [event.id for event in log.load(session, Wanted(**wanted)).events]

    assert shown() == [unreadable, told, message]
    assert shown(connection_id=line.connection_id + 1) == []
    assert shown(number_id=line.number_id) == [told, message]
    assert shown(kind="status") == [told]
    assert shown(state="quarantined") == [unreadable]
    assert shown(state="done") == [told, message]
    assert shown(state="new") == []
    assert shown(since=now - hour) == [unreadable, told, message]
    assert shown(since=now + hour) == []
    assert shown(until=now - hour) == []
    assert shown(before=unreadable) == [told, message]
    assert f'/events/{told}"' in admin.get("/events?kind=status").text
    assert f'/events/{message}"' not in admin.get("/events?kind=status").text


def test_a_filter_that_means_nothing_is_left_out(line: Line, admin: Visitor) -> None:
    line.tell(text_message(), contacts=[contact()])
    for query in ("connection=x", "since=yesterday", "before=-1", "state=%00", "before=9" + "9" * 30):
        assert f'/events/{event_ids(line)[0]}"' in admin.get(f"/events?{query}").text, query


def test_a_page_looks_back_so_far_and_offers_to_go_on(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    line.tell(text_message(), contacts=[contact()])
    for n in range(5):
        line.tell(statuses=[status(f"wamid.{n}.{n}")])
    monkeypatch.setattr(log, "LOOK_BACK", 3)
    seen, before, pages = [], None, 0
    while pages == 0 or before is not None:
        with line.rt.transaction() as session:
            page = log.load(session, Wanted(kind="message", before=before))
        seen += [event.id for event in page.events]
        before, pages = page.more, pages + 1
    assert seen == event_ids(line)[:1]
    assert pages == 3


def test_a_time_is_found_among_ids_with_gaps_and_months_of_their_own(line: Line) -> None:
    old = datetime.now(UTC) - timedelta(days=2)
    with line.rt.engine.begin() as connection:
        connection.execute(text(MONTH_BEFORE))
        for at in (old - timedelta(days=1), old, old + timedelta(hours=1)):
            connection.execute(text("SELECT nextval(pg_get_serial_sequence('webhook_event', 'id'))"))
            connection.execute(
                text(
                    "INSERT INTO webhook_event (connection_id, body, received_at, state) VALUES (:c, '', :at, 'done')"
                ),
                {"c": line.connection_id, "at": at},
            )
    with line.rt.transaction() as session:
        found = log.load(session, Wanted(since=old - timedelta(minutes=1), until=old + timedelta(minutes=1)))
    assert [event.id for event in found.events] == event_ids(line)[1:2]


def test_an_event_shows_what_it_changed_with_a_way_to_the_thread(line: Line, admin: Visitor) -> None:
    message = text_message("is anybody there")
    line.tell(message, {**text_message(), "timestamp": "yesterday"}, contacts=[contact()])
    page = admin.get(f"/events/{event_ids(line)[0]}").text
    thread = line.ask("SELECT id FROM conversation")
    assert f'href="/inbox/{thread}"' in page
    assert "Amina" in page
    assert "text: is anybody there" in page
    assert "timestamp is not in unix seconds" in page
    assert "/entry/0/changes/0/value/messages/1" in page


def test_a_status_of_a_message_we_do_not_have_says_so(line: Line, admin: Visitor) -> None:
    line.tell(statuses=[status("wamid.unknown")])
    assert "message not known" in admin.get(f"/events/{event_ids(line)[0]}").text


def test_what_people_wrote_is_text_and_never_markup(line: Line, admin: Visitor) -> None:
    line.tell(*[text_message(evil) for evil in XSS], contacts=[contact(name=XSS[0])])
    line.tell(text_message("x", type=XSS[1]), statuses=[status(XSS[1], XSS[3])])
    line.tell({**text_message(XSS[2]), "timestamp": XSS[3]})
    line.post(XSS[3].encode())
    line.apply()
    for address in ("/events", "/quarantine", *(f"/events/{id_}" for id_ in event_ids(line))):
        page = admin.get(address).text  # the visitor checks the markup of every page
        assert "<script>alert" not in page
        assert "<svg/onload" not in page
        assert "<img src=x" not in page
        assert ">49<" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in admin.get(f"/events/{event_ids(line)[0]}").text


def test_a_big_body_is_cut_on_the_page_and_whole_as_a_download(line: Line, admin: Visitor) -> None:
    body = orjson.dumps(envelope(messages=[text_message("x" * 80_000 + "THE END")], contacts=[contact()]))
    assert line.post(body).status_code == 200
    [event_id] = event_ids(line)
    page = admin.get(f"/events/{event_id}").text
    assert "Only its beginning is shown" in page
    assert "THE END" not in page
    answer = admin.client.get(f"/events/{event_id}/body")
    assert answer.data == body
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.mimetype == "application/octet-stream"


def test_a_thousand_items_are_shown_in_pages(line: Line, admin: Visitor) -> None:
    line.tell(statuses=[status(f"wamid.many.{n}") for n in range(450)])
    [event_id] = event_ids(line)
    assert "1 to 200 of 450" in admin.get(f"/events/{event_id}").text
    assert "401 to 450 of 450" in admin.get(f"/events/{event_id}?first=400").text


def test_an_event_that_is_not_there_is_a_page_that_says_so(admin: Visitor) -> None:
    assert admin.get("/events/987654321").status_code == 404
