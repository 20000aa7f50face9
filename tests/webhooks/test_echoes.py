"""What the business writes in the phone app stands in the thread like everything else it said, and is said once."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import orjson
import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from bot.conversations import threads
from bot.messages import doubts, outbox
from bot.messages.jobs import drain_outbox
from bot.models.connection import Number
from bot.models.message import Message
from bot.models.person import Person
from bot.providers.events import Event, Sender
from bot.runtime import Runtime
from tests import factories
from tests.messages.test_sender_trouble import add_line, say, states
from tests.webhooks.telling import PHONE, Desk, at, echo, message, open_desk, photo, status

SHOWN = "SELECT direction, state, author_kind, provider_message_id, to_address, occurred_at, source_key FROM message"
THREAD = "SELECT state, last_message_at, last_inbound_at, unread_count FROM conversation"


@pytest.fixture
def desk(session: Session) -> Desk:
    return open_desk(session)


def waiting(desk: Desk, state: str = "wire", body: str = "hi", **columns: object) -> Message:
    """A message of ours to Amina whose answer has not come."""
    person = desk.session.get(Person, desk.ask("SELECT max(person_id) FROM address") or 0)
    person = person or factories.make_person(desk.session, phone=f"+{PHONE}")
    columns = {"owner": "me", "attempt": 1, "wire_at": at(0), "to_address": f"+{PHONE}"} | columns
    return factories.make_outbound(desk.session, person, desk.number, body, state=state, **columns)


def test_an_echo_is_the_apps_message_and_never_goes_through_the_outbox(desk: Desk) -> None:
    told = echo(id_="x", s=-5)
    desk.tell(told, told)
    desk.tell(told)
    assert desk.rows(SHOWN) == [("out", "accepted", "app", "x", f"+{PHONE}", at(-5), None)]
    assert outbox.due_numbers(desk.session) == []
    assert desk.ask("SELECT nickname FROM person") == "Amina"


def test_an_automation_of_the_provider_is_told_apart(desk: Desk) -> None:
    desk.tell(echo(author="automation", to=Sender(user_id="EG.1")))
    assert desk.rows("SELECT author_kind, to_address FROM message") == [("automation", "EG.1")]


def test_an_echo_makes_the_thread_known_but_opens_neither_it_nor_the_window(desk: Desk) -> None:
    desk.tell(echo())
    assert desk.rows(THREAD) == [("closed", at(0), None, 0)]
    assert desk.ask("SELECT count(*) FROM episode") == 0
    desk.tell(message(s=60))
    assert desk.rows(THREAD) == [("open", at(60), at(60), 1)]
    desk.tell(echo(s=90))
    assert desk.rows(THREAD) == [("open", at(90), at(60), 1)]


def test_an_answer_in_the_phone_app_is_a_reply(desk: Desk) -> None:
    desk.tell(message())
    desk.tell(echo(s=3600))
    desk.session.execute(text("UPDATE message SET occurred_at = now() + interval '1 s' WHERE direction = 'out'"))
    threads.close(desk.session, desk.ask("SELECT id FROM conversation"), factories.make_operator(desk.session).id)
    assert desk.ask("SELECT closed_without_reply FROM episode") is False


@pytest.mark.parametrize("first", [True, False], ids=["status first", "echo first"])
def test_statuses_of_an_echo_are_shown_at_it(desk: Desk, first: bool) -> None:
    told: list[Event] = [status("x", "read", s=9), status("x", "delivered", s=5)]
    for one in [*told, echo(id_="x")] if first else [echo(id_="x"), *told]:
        desk.tell(one)
    assert desk.rows("SELECT state, delivery_level, read_at, evidence FROM message") == [("accepted", 3, at(9), "echo")]


def test_a_status_and_its_echo_in_one_batch_find_each_other(desk: Desk) -> None:
    desk.tell(status("x", "delivered", s=5), echo(id_="x"))
    assert desk.ask("SELECT delivery_level FROM message") == 2


def test_an_echo_of_what_we_sent_changes_nothing(desk: Desk) -> None:
    ours = waiting(desk, "accepted", provider_message_id="x")
    desk.tell(echo("hi", id_="x"))
    assert desk.rows("SELECT id, state, author_kind FROM message") == [(ours.id, "accepted", "automation")]


def test_a_status_with_our_mark_tells_that_the_echo_was_of_ours(desk: Desk) -> None:
    ours = waiting(desk)
    desk.tell(echo("hi", id_="x", media=photo()), status("x", "delivered", s=4))
    desk.tell(status("x", "sent", s=2, callback=f"o1.{ours.id}.1"))
    found = desk.rows("SELECT id, state, provider_message_id, delivery_level, sent_at, delivered_at FROM message")
    assert found == [(ours.id, "accepted", "x", 2, at(2), at(4))]


def test_an_echo_ends_the_doubt_about_the_one_message_it_can_be_of(desk: Desk) -> None:
    ours = waiting(desk, "unknown")
    desk.tell(echo("hi", id_="x", s=3), echo("something else", id_="y", s=4), status("x", "read", s=9))
    assert doubts.settle(desk.session) == 1
    found = desk.rows("SELECT provider_message_id, state, evidence, delivery_level FROM message ORDER BY id")
    assert found == [("x", "accepted", "recipient", 3), ("y", "accepted", "echo", 0)]
    assert desk.ask("SELECT id FROM message WHERE provider_message_id = 'x'") == ours.id


def test_an_echo_that_may_be_of_either_of_two_ends_no_doubt(desk: Desk) -> None:
    waiting(desk, "unknown")
    waiting(desk, "wire")
    desk.tell(echo("hi", id_="x", s=3))
    assert doubts.settle(desk.session) == 0
    assert desk.ask("SELECT count(*) FROM message") == 3


class Echoing(BaseHTTPRequestHandler):
    """A provider that tells of each message it takes before, while or after it answers."""

    protocol_version = "HTTP/1.1"
    rt: Runtime
    number: Number
    echoers: ThreadPoolExecutor

    def do_POST(self) -> None:
        document = orjson.loads(self.rfile.read(int(self.headers["Content-Length"])))
        to, body = document["to"].removeprefix("+"), document["text"]["body"]
        if int(to) % 3 == 0:
            self.tell(to, body)
        elif int(to) % 3 == 1:
            self.echoers.submit(self.tell, to, body)
        else:
            self.echoers.submit(self.tell, to, body, after_s=0.05)
        answer = orjson.dumps({"messages": [{"id": f"wamid.{to}"}]})
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def tell(self, to: str, body: str, after_s: float = 0) -> None:
        time.sleep(after_s)
        with self.rt.transaction() as session:
            Desk(session, self.number).tell(echo(body, id_=f"wamid.{to}", to=Sender(phone=to), author="automation"))

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def echoing(rt: Runtime) -> Iterator[Number]:
    with ThreadPoolExecutor(4) as echoers, ThreadingHTTPServer(("127.0.0.1", 0), Echoing) as server:
        number = add_line(rt, f"http://127.0.0.1:{server.server_port}")
        Echoing.rt, Echoing.number, Echoing.echoers = rt, number, echoers
        threading.Thread(target=server.serve_forever).start()
        yield number
        server.shutdown()


def test_an_echo_that_races_the_answer_makes_no_second_message_and_no_doubt(live_rt: Runtime) -> None:
    with echoing(live_rt) as number:
        ids = say(live_rt, number, 60)
        for _ in range(20):
            drain_outbox()
            if set(states(live_rt, ids)) == {"accepted"}:
                break
    with live_rt.sessions() as session:
        found = session.execute(select(Message.id, Message.state, Message.author_kind).order_by(Message.id)).all()
    assert [tuple(row) for row in found] == [(id_, "accepted", "coach") for id_ in ids]
