"""What goes wrong around the sender stays where it is: other numbers, other messages and known answers survive it."""

import dataclasses
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import psycopg
from sqlalchemy import event, select, text, update
from sqlalchemy.exc import OperationalError

from bot import runtime
from bot.connections import connections, numbers
from bot.messages import outbox
from bot.messages.compose import Author, Draft, compose, text_content
from bot.messages.jobs import drain_outbox
from bot.models.connection import Connection, Number
from bot.models.message import Message
from bot.models.words import AuthorKind, Environment
from bot.providers.events import Event, InboundMessage, Sender, StatusUpdate
from bot.runtime import Runtime
from tests import factories as make
from tests.harness.children import wait_until
from webhooks import apply
from webhooks.apply import Item


def add_line(rt: Runtime, url: str, slug: str = "line") -> Number:
    secrets = {"access_token": "token", "app_secret": "secret", "verify_token": "verify"}
    with rt.transaction() as session:
        connection = connections.add(
            session, rt.settings.secret_key, slug=slug, provider="cloud", account_id=slug, base_url=url, secrets=secrets
        )
        return numbers.add(
            session,
            connection,
            environment=Environment.LIVE,
            provider_number_id=slug,
            phone=make.next_phone(),
            name=slug,
            pace_per_s=1000,
        )


def say(rt: Runtime, number: Number, count: int = 1) -> list[int]:
    with rt.transaction() as session:
        author = Author(AuthorKind.COACH, make.make_operator(session).id)
        people = [make.make_person(session, phone=make.next_phone()) for _ in range(count)]
        return compose(session, number, author, [Draft(p.id, "text", text_content("hello")) for p in people])


def states(rt: Runtime, ids: list[int]) -> list[str]:
    with rt.transaction() as session:
        return list(session.scalars(select(Message.state).where(Message.id.in_(ids)).order_by(Message.id)))


@contextmanager
def provider(
    answer: str | None, *, delay_s: float = 0.0, status: int = 200, asked: list[float] | None = None
) -> Iterator[str]:
    """A provider of one word: `{n}` in its JSON counts its answers; None takes requests and never answers.

    `asked` is told the time of each request.
    """
    listening = socket.create_server(("127.0.0.1", 0), backlog=128)
    kept: list[socket.socket] = []
    count = iter(range(1, 10_000))

    def serve(taken: socket.socket) -> None:
        with taken:
            while taken.recv(65_536):
                if asked is not None:
                    asked.append(time.monotonic())
                time.sleep(delay_s)
                if answer is not None:
                    body = answer.replace("{n}", str(next(count))).encode()
                    head = (
                        f"HTTP/1.1 {status} So\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
                    )
                    taken.sendall(head.encode() + body)

    def accept() -> None:
        while True:
            try:
                taken, _ = listening.accept()
            except OSError:
                return
            kept.append(taken)
            threading.Thread(target=serve, args=(taken,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        for taken in kept:
            taken.close()


ACCEPTED = '{"messages":[{"id":"wamid.{n}"}]}'


def test_a_provider_that_hangs_costs_another_number_nothing(live_rt: Runtime) -> None:
    impatient = dataclasses.replace(live_rt.settings, provider_timeout_s=3)
    runtime.use(dataclasses.replace(live_rt, settings=impatient))
    with provider(None) as hanging, provider(ACCEPTED) as well:
        window = live_rt.settings.send_window
        say(live_rt, add_line(live_rt, hanging, "hanging"), window)
        ids = say(live_rt, add_line(live_rt, well, "well"), window)
        drain_outbox()
    assert set(states(live_rt, ids)) == {"accepted"}


def test_one_answer_that_cannot_be_stored_costs_no_other(live_rt: Runtime) -> None:
    with provider('{"messages":[{"id":"wamid.always-the-same"}]}') as url:
        ids = say(live_rt, add_line(live_rt, url), 5)
        drain_outbox()
    assert sorted(states(live_rt, ids)) == ["accepted", "unknown", "unknown", "unknown", "unknown"]


def test_a_message_that_waits_for_an_earlier_one_keeps_nobody_busy(live_rt: Runtime) -> None:
    number = add_line(live_rt, "http://127.0.0.1:9")
    (first,) = say(live_rt, number)
    with live_rt.transaction() as session:
        later = datetime.now(UTC) + timedelta(hours=1)
        session.execute(update(Message).where(Message.id == first).values(not_before=later))
        person_id = session.scalars(select(Message.person_id).where(Message.id == first)).one()
        author = Author(AuthorKind.COACH, make.make_operator(session).id)
        compose(session, number, author, [Draft(person_id, "text", text_content("second"))])
        session.flush()
        assert outbox.due_numbers(session) == []


def test_a_connection_whose_secrets_cannot_be_read_stops_no_other(live_rt: Runtime) -> None:
    with provider(ACCEPTED) as url:
        say(live_rt, add_line(live_rt, url, "broken"))
        ids = say(live_rt, add_line(live_rt, url, "well"))
        with live_rt.transaction() as session:
            session.execute(update(Connection).where(Connection.slug == "broken").values(sealed_secrets=b"nonsense"))
        drain_outbox()
    assert states(live_rt, ids) == ["accepted"]


def test_rows_of_a_round_the_database_refused_leave_as_soon_as_it_is_well(live_rt: Runtime) -> None:
    with provider(ACCEPTED) as url:
        ids = say(live_rt, add_line(live_rt, url), 3)
        with live_rt.transaction() as session:
            session.execute(text("CREATE SEQUENCE trouble"))
            session.execute(
                text("""
                CREATE FUNCTION stumble() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                    IF new.state = 'wire' AND nextval('trouble') = 1 THEN
                        RAISE EXCEPTION 'on purpose' USING ERRCODE = 'deadlock_detected'; END IF;
                    RETURN new; END $$""")
            )
            session.execute(
                text("CREATE TRIGGER stumble BEFORE UPDATE ON message FOR EACH ROW EXECUTE FUNCTION stumble()")
            )
        drain_outbox()
    assert set(states(live_rt, ids)) == {"accepted"}


def test_answers_that_come_while_the_database_is_away_are_written_down_when_it_is_back(live_rt: Runtime) -> None:
    asked: list[float] = []

    def away(*_: object) -> None:
        if asked and time.monotonic() < asked[0] + 4:
            raise OperationalError("a statement", None, psycopg.OperationalError("away on purpose"))

    with provider(ACCEPTED, delay_s=0.5, asked=asked) as url:
        ids = say(live_rt, add_line(live_rt, url), 3)
        event.listen(live_rt.engine, "before_cursor_execute", away)
        drain_outbox()
    assert set(states(live_rt, ids)) == {"accepted"}


def test_a_message_put_off_ten_thousand_times_is_given_up_and_stops_nobody(live_rt: Runtime) -> None:
    with provider('{"error":{"code":190}}', status=401) as url:
        (id_,) = say(live_rt, add_line(live_rt, url))
        with live_rt.transaction() as session:
            session.execute(update(Message).where(Message.id == id_).values(attempt=9_998))
        drain_outbox()
    assert states(live_rt, [id_]) == ["failed"]


def test_a_round_and_an_intake_that_meet_the_same_rows_never_wait_for_each_other(live_rt: Runtime) -> None:
    """The round has written down m1 and wants to write to Ada, who has just said her name while m1's status came."""
    with live_rt.transaction() as session:
        number = make.make_number(session)
        ada = make.make_person(session, phone="+201012345678", nickname=None)
        m1 = make.make_outbound(session, make.make_person(session), number, state="wire", owner="me", attempt=1).id
        m2 = make.make_outbound(session, ada, number, state="claimed", owner="me", attempt=1).id
        row = outbox.Claimed(m2, 1, ada.id, None, "+201012345678", {"type": "text"})
    now = datetime.now(UTC)
    who = Sender(phone="201012345678", name="Ada")
    told: list[Event] = [
        InboundMessage("", number.provider_number_id, "in.1", who, "text", "hello", {}, now),
        StatusUpdate("", number.provider_number_id, "out.1", "sent", now, callback=f"o1.{m1}.1"),
    ]

    def take_in() -> None:
        with live_rt.transaction() as session:
            apply.apply(session, [Item(1, number.connection_id, event) for event in told])

    with ThreadPoolExecutor(1) as other:
        with live_rt.transaction() as session:
            outbox.record(session, "me", [outbox.Result(m1, 1, "accepted", "out.1")])
            intake = other.submit(take_in)
            wait_until(lambda: _somebody_waits(live_rt), "the intake to want what the round has")
            outbox.to_wire(session, "me", [row], 60.0)
        intake.result()
    assert states(live_rt, [m1, m2]) == ["accepted", "wire"]


def _somebody_waits(rt: Runtime) -> bool:
    with rt.transaction() as session:
        return bool(session.scalar(text("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)")))
