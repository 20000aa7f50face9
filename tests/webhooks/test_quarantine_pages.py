"""What is in the quarantine comes out once, whoever presses the button how often."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import orjson
import pytest
from sqlalchemy import text

from bot.connections import numbers
from bot.journeys import loading
from bot.models.connection import Connection
from bot.models.words import Environment, Role
from tests.dashboard.visitor import Visitor
from tests.webhooks.conftest import Line, contact, envelope, quarantine, text_message
from tests.webhooks.desk import event_ids, open_items, sit_down
from webhooks import partitions, replay

NEW_NUMBER = "999000111222333"
WELCOME = """
journey: welcome
start: {first_message: true}
steps:
  - say: Welcome!
"""


@pytest.fixture
def admin(line: Line) -> Visitor:
    return sit_down(line)


def write_to_a_number_not_set_up(line: Line, *bodies: str) -> None:
    """Each in a webhook of its own, from the same person."""
    for body in bodies:
        line.post(orjson.dumps(envelope(NEW_NUMBER, messages=[text_message(body)], contacts=[contact()])))
    line.apply()


def set_up_the_number(line: Line) -> None:
    with line.rt.transaction() as session:
        connection = session.get_one(Connection, line.connection_id)
        numbers.add(
            session,
            connection,
            environment=Environment.LIVE,
            provider_number_id=NEW_NUMBER,
            phone="+15550783882",
            name="Second line",
        )


def thread(line: Line) -> list[Any]:
    return [row[0] for row in line.rows("SELECT body FROM message WHERE direction = 'in' ORDER BY id")]


def test_after_its_number_was_added_a_message_comes_out_and_is_answered(line: Line, admin: Visitor) -> None:
    with line.rt.transaction() as session:
        loading.load(session, "live", WELCOME, "welcome.yaml")
    write_to_a_number_not_set_up(line, "is anybody there")
    set_up_the_number(line)
    [(item, _)] = open_items(line)
    assert "backchat number add" in admin.get("/quarantine").text
    admin.post(f"/quarantine/{item}/replay")
    assert "Applied." in admin.get("/quarantine").text
    assert thread(line) == ["is anybody there"]
    assert line.ask("SELECT count(*) FROM message WHERE author_kind = 'stack'") == 1
    assert line.ask("SELECT state FROM webhook_event") == "done"
    assert open_items(line) == []
    assert line.rt.redis.exists("backchat:rung:send")


def test_two_admins_press_at_once_and_it_is_done_once(line: Line) -> None:
    """Case 27: the second is told who was quicker."""
    with line.rt.transaction() as session:
        loading.load(session, "live", WELCOME, "welcome.yaml")
    write_to_a_number_not_set_up(line, "hello")
    set_up_the_number(line)
    [(item, _)] = open_items(line)
    both = [sit_down(line), sit_down(line)]
    with ThreadPoolExecutor(2) as threads:
        list(threads.map(lambda admin: admin.post(f"/quarantine/{item}/replay"), both))
    pages = [admin.get("/quarantine").text for admin in both]
    assert sorted("Applied." in page for page in pages) == [False, True]
    assert sorted("It is already applied: Admin" in page for page in pages) == [False, True]
    assert thread(line) == ["hello"]
    assert line.ask("SELECT count(*) FROM message WHERE author_kind = 'stack'") == 1


def test_everything_of_one_reason_comes_out_in_its_order(line: Line, admin: Visitor) -> None:
    write_to_a_number_not_set_up(line, "one", "two", "three")
    line.tell({**text_message("for another reason"), "timestamp": "yesterday"})
    set_up_the_number(line)
    newest = open_items(line)[2][0]
    admin.post(f"/quarantine/{newest}/replay-like")
    assert "3 applied, 0 not." in admin.get("/quarantine").text
    assert thread(line) == ["one", "two", "three"]
    assert [reason for _, reason in open_items(line)] == ["timestamp is not in unix seconds"]


def test_what_one_press_has_no_time_for_is_left_for_the_next(line: Line) -> None:
    write_to_a_number_not_set_up(line, "one", "two")
    set_up_the_number(line)
    first = open_items(line)[0][0]
    assert replay.replay_like(line.rt, first, None, for_s=-1) == replay.Many(applied=0, refused=0, left=2)
    assert replay.replay_like(line.rt, first, None, for_s=60) == replay.Many(applied=2, refused=0, left=0)


def test_what_is_refused_again_stays_with_the_new_reason(line: Line, admin: Visitor) -> None:
    write_to_a_number_not_set_up(line, "hello")
    [(item, _)] = open_items(line)
    with line.rt.engine.begin() as connection:
        connection.execute(text("UPDATE quarantine SET reason = 'what was wrong then'"))
    admin.post(f"/quarantine/{item}/replay")
    assert "Refused again: number 999000111222333 is not set up" in admin.get("/quarantine").text
    assert len(quarantine(line)) == 1
    assert open_items(line)[0][1].startswith("number 999000111222333 is not set up")
    assert line.ask("SELECT state FROM webhook_event") == "quarantined"


def test_a_neighbour_that_was_applied_is_not_applied_again(line: Line) -> None:
    good, bad = text_message("good"), {**text_message("bad"), "timestamp": "yesterday"}
    line.tell(good, bad, contacts=[contact()])
    [(item, _)] = open_items(line)
    with line.rt.transaction() as session:
        assert not replay.replay(session, item, None).is_applied
    assert thread(line) == ["good"]
    assert line.ask("SELECT unread_count FROM conversation") == 1


def test_a_body_given_up_as_a_whole_is_applied_as_a_whole(line: Line) -> None:
    line.tell(text_message("one"), text_message("two"), contacts=[contact()])
    with line.rt.engine.begin() as connection:  # as if the database had been busy five times
        connection.execute(text("DELETE FROM message"))
        connection.execute(text("UPDATE webhook_event SET state = 'quarantined'"))
        connection.execute(
            text(
                "INSERT INTO quarantine (connection_id, webhook_event_id, pointer, reason)"
                " SELECT connection_id, id, '', 'it could not be applied in 5 attempts' FROM webhook_event"
            )
        )
    [(item, _)] = open_items(line)
    with line.rt.transaction() as session:
        assert replay.replay(session, item, None).is_applied
    assert thread(line) == ["one", "two"]


def test_an_event_is_done_when_the_last_of_its_items_is(line: Line, admin: Visitor) -> None:
    line.post(orjson.dumps(envelope(NEW_NUMBER, messages=[text_message("a"), text_message("b")], contacts=[contact()])))
    line.apply()
    (first, _), (second, _) = open_items(line)
    admin.post(f"/quarantine/{first}/dismiss")
    assert line.ask("SELECT state FROM webhook_event") == "quarantined"
    set_up_the_number(line)
    admin.post(f"/quarantine/{second}/replay")
    assert line.ask("SELECT state FROM webhook_event") == "done"
    assert thread(line) == ["b"]
    page = admin.get(f"/events/{event_ids(line)[0]}").text
    assert "put aside" in page
    assert "text: b" in page


def test_what_is_put_aside_is_not_applied_any_more(line: Line, admin: Visitor) -> None:
    write_to_a_number_not_set_up(line, "one", "two")
    (first, _), (second, _) = open_items(line)
    admin.post(f"/quarantine/{first}/dismiss")
    set_up_the_number(line)
    admin.post(f"/quarantine/{first}/replay")
    assert "It is already put aside: Admin" in admin.get("/quarantine").text
    admin.post(f"/quarantine/{second}/dismiss-like")
    assert thread(line) == []
    assert "put aside" in admin.get("/quarantine?state=aside").text
    assert "Nothing is here" in admin.get("/quarantine").text


def test_without_its_body_nothing_can_be_replayed_and_the_page_says_so(line: Line, admin: Visitor) -> None:
    write_to_a_number_not_set_up(line, "hello")
    [(item, _)] = open_items(line)
    with line.rt.transaction() as session:
        session.execute(text("DELETE FROM webhook_event"))
        partitions.ensure(session)
    set_up_the_number(line)
    admin.post(f"/quarantine/{item}/replay")
    assert "Its raw body is gone" in admin.get("/quarantine").text
    assert thread(line) == []
    assert len(open_items(line)) == 1
    admin.post(f"/quarantine/{item}/dismiss")
    assert open_items(line) == []


def test_what_broke_a_worker_is_not_tried_in_the_web_process(line: Line, admin: Visitor) -> None:
    write_to_a_number_not_set_up(line, "hello")
    set_up_the_number(line)
    [(item, _)] = open_items(line)
    with line.rt.engine.begin() as connection:
        connection.execute(text("UPDATE quarantine SET reason = 'it ended the process that applied it 3 times'"))
    for button in ("replay", "replay-like"):
        assert f"/quarantine/{item}/{button}" not in admin.get("/quarantine").text
        admin.post(f"/quarantine/{item}/{button}")
        assert "in a terminal" in admin.get("/quarantine").text
    assert thread(line) == []
    assert run("quarantine", "--replay", str(item), "--json")["applied"]
    assert thread(line) == ["hello"]


def test_the_list_is_narrowed_by_connection_and_reason(line: Line, admin: Visitor) -> None:
    write_to_a_number_not_set_up(line, "hello")
    line.tell({**text_message(), "timestamp": "yesterday"})
    page = admin.get("/quarantine", query_string={"reason": "timestamp is not in unix seconds"}).text
    assert page.count('class="member"') == 1
    assert "Nothing is here" in admin.get(f"/quarantine?connection={line.connection_id + 1}").text


def test_only_admins_get_near_it(line: Line) -> None:
    coach = sit_down(line, Role.COACH)
    for address in ("/events", "/quarantine", "/connections", "/connections/line"):
        assert coach.get(address).status_code == 403
    assert "/connections" not in coach.get("/").text
    assert coach.post("/connections/line/secrets").status_code == 403


def test_the_command_replays_and_says_what_became_of_it(line: Line) -> None:
    write_to_a_number_not_set_up(line, "hello")
    set_up_the_number(line)
    [(item, _)] = open_items(line)
    told = run("quarantine", "--json")
    assert [row["id"] for row in told] == [item]
    assert "backchat number add" in told[0]["remedy"]
    assert run("quarantine", "--replay-like", str(item), "--json") == {"applied": 1, "refused": 0}
    assert run("quarantine", "--replay", str(item), "--json")["told"].startswith("It is already applied: it was done")
    assert [row["kinds"] for row in run("log", "--connection", "line", "--kind", "message", "--json")] == [["message"]]


def run(*arguments: str) -> Any:
    """What `backchat webhooks …` prints, in this process."""
    from click.testing import CliRunner  # noqa: PLC0415 (only these tests type commands)

    from webhooks.commands import webhooks  # noqa: PLC0415

    done = CliRunner().invoke(webhooks, arguments)
    assert done.exit_code == 0, done.output
    return orjson.loads(done.stdout)
