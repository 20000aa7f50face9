"""Summaries of Insights: when they are due, and that each arrives once, whatever breaks off."""

import http.server
import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from threading import Thread
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from aiosmtpd.controller import Controller
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from bot import runtime
from bot.connections import alerts
from bot.dashboard.summaries import jobs
from bot.insights.summaries import delivery, keeping, problems, runs
from bot.insights.summaries.calendar import Calendar
from bot.insights.summaries.delivery import DeliveryError
from bot.insights.summaries.keeping import SummaryError
from bot.media.addresses import ForbiddenAddressError
from bot.models.summary import Summary, SummaryRun
from bot.models.words import SummaryRhythm
from bot.runtime import Runtime
from tests import factories as make
from tests.harness.house import free_port
from tests.insights.test_blocks import begin

VIENNA = ZoneInfo("Europe/Vienna")
WEEKLY = {"way": "email", "place": "head@example.org", "rhythm": "weekly", "hour": "8", "language": "en"}


@dataclass
class Mailbox:
    """What a mail server's client said; refuses with `answer` if there is one."""

    letters: list[EmailMessage] = field(default_factory=list)
    answer: str | None = None

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any) -> str:  # noqa: N802 (aiosmtpd's)
        if self.answer:
            return self.answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 (aiosmtpd's)
        self.letters.append(message_from_bytes(envelope.content, policy=policy.default))
        return "250 OK"


@pytest.fixture
def mailbox(rt: Runtime) -> Iterator[Mailbox]:
    """A mail server, which the current runtime knows."""
    kept, port = Mailbox(), free_port()
    server = Controller(kept, hostname="127.0.0.1", port=port)
    server.start()
    told = replace(rt.settings, smtp_url=f"smtp://127.0.0.1:{port}", mail_from="Backchat <backchat@example.org>")
    runtime.use(replace(rt, settings=told))
    yield kept
    server.stop()


def make_summary(session: Session, **more: str) -> Summary:
    begin(session, "UTC")
    settings, operator = runtime.current().settings, make.make_operator(session)
    made = keeping.make(session, settings, "live", {**WEEKLY, **more}, operator.id, datetime.now(UTC))
    session.commit()
    return made


def come_due(session: Session, summary: Summary) -> None:
    """Its hour has come, a minute ago."""
    summary.next_at = datetime.now(UTC) - timedelta(minutes=1)
    session.commit()


@pytest.mark.parametrize(
    "rhythm, now, latest, following, first, last",
    [
        ("daily", "2026-03-20T12:00Z", "2026-03-20T07:00Z", "2026-03-21T07:00Z", "2026-03-19", "2026-03-19"),
        ("daily", "2026-03-20T07:00Z", "2026-03-20T07:00Z", "2026-03-21T07:00Z", "2026-03-19", "2026-03-19"),
        ("daily", "2026-03-28T22:59Z", "2026-03-28T07:00Z", "2026-03-29T06:00Z", "2026-03-27", "2026-03-27"),
        ("daily", "2026-10-25T00:00Z", "2026-10-24T06:00Z", "2026-10-25T07:00Z", "2026-10-23", "2026-10-23"),
        ("weekly", "2026-03-29T23:00Z", "2026-03-23T07:00Z", "2026-03-30T06:00Z", "2026-03-16", "2026-03-22"),
        ("monthly", "2026-03-01T06:59Z", "2026-02-01T07:00Z", "2026-03-01T07:00Z", "2026-01-01", "2026-01-31"),
        ("monthly", "2024-03-01T07:00Z", "2024-03-01T07:00Z", "2024-04-01T06:00Z", "2024-02-01", "2024-02-29"),
    ],
)
def test_a_summary_is_due_by_the_workspaces_clock_and_about_whole_days(
    rhythm: str, now: str, latest: str, following: str, first: str, last: str
) -> None:
    calendar, at = Calendar(SummaryRhythm(rhythm), 1, 8, VIENNA), datetime.fromisoformat(now)
    assert calendar.latest(at) == datetime.fromisoformat(latest)
    assert calendar.following(at) == datetime.fromisoformat(following)
    about = calendar.about(calendar.latest(at))
    assert (about.first, about.last) == (date.fromisoformat(first), date.fromisoformat(last))


def test_a_mail_has_the_pages_figures_and_goes_out_once_for_its_days(mailbox: Mailbox, session: Session) -> None:
    rt, summary = runtime.current(), make_summary(session, language="de")
    number, zone = make.make_number(session), ZoneInfo(rt.settings.time_zone)
    about = runs.calendar_of(summary, zone).about(runs.calendar_of(summary, zone).latest(datetime.now(UTC)))
    for back in (0, 0, 9):
        at = datetime.combine(about.last, datetime.min.time(), zone) + timedelta(hours=9) - timedelta(days=back)
        make.make_inbound(session, make.make_person(session, country="AT"), number, occurred_at=at)
    for _again in range(2):
        come_due(session, summary)
        jobs.send_due(rt)
    [letter] = mailbox.letters
    told = letter.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert letter["To"] == "head@example.org"
    assert letter["Subject"].startswith("Einblicke: ")
    assert "Aktive Personen: 2 (▲ 100" in told
    assert "Jetzt offen: 0 (Stand jetzt)" in told
    assert f"Tage von {rt.settings.time_zone}." in told
    assert "Alles, mit Bildern" in told
    assert f"since={about.first}&until={about.last}" in told
    assert "summaries/stop/" in letter["List-Unsubscribe"]
    page = letter.get_body(("html",)).get_content()  # type: ignore[union-attr]
    assert 'lang="de"' in page
    assert "Aktive Personen" in page
    session.expire_all()
    assert summary.next_at > datetime.now(UTC)


def test_whoever_was_killed_amid_sending_is_followed_by_one_who_sends_the_same_letter(
    mailbox: Mailbox, session: Session
) -> None:
    rt, summary = runtime.current(), make_summary(session)
    come_due(session, summary)
    with rt.transaction() as tx:
        runs.plan(tx, VIENNA, datetime.now(UTC))
        claimed = runs.claim(tx, datetime.now(UTC))
        assert claimed is not None
    jobs.send_due(rt)
    assert mailbox.letters == [], "whoever has it may be at it"
    session.execute(update(SummaryRun).values(lease_until=datetime.now(UTC) - timedelta(seconds=1)))
    session.commit()
    jobs.send_due(rt)
    assert [letter["Message-ID"] for letter in mailbox.letters] == [f"<summary-{claimed[1].id}@localhost>"]


def test_a_mail_that_cannot_arrive_now_is_tried_again_and_then_told_to_the_operators(
    mailbox: Mailbox, session: Session
) -> None:
    rt, summary = runtime.current(), make_summary(session)
    mailbox.answer = "451 come again"
    come_due(session, summary)
    for attempt in range(1, runs.ATTEMPTS + 2):
        jobs.send_due(rt)
        session.expire_all()
        run = session.scalars(select(SummaryRun)).one()
        assert run.attempts == min(attempt, runs.ATTEMPTS)
        assert problems.sentence(run.problem or "") == "The mail server refused the address with 451."
        assert (run.given_up_at is not None) == (attempt >= runs.ATTEMPTS)
        assert alerts.count(session) == (attempt >= runs.ATTEMPTS)
        session.execute(update(SummaryRun).values(due_at=datetime.now(UTC) - timedelta(seconds=1)))
        session.commit()
    mailbox.answer = None
    runs.ask(session, summary, VIENNA, datetime.now(UTC))
    session.commit()
    jobs.send_due(rt)
    assert len(mailbox.letters) == 1
    assert alerts.count(session) == 0


def test_an_address_that_does_not_exist_is_not_tried_again(mailbox: Mailbox, session: Session) -> None:
    mailbox.answer = "550 nobody here"
    come_due(session, make_summary(session))
    jobs.send_due(runtime.current())
    run = session.scalars(select(SummaryRun)).one()
    assert (run.attempts, run.given_up_at is not None) == (1, True)


def test_a_password_is_not_said_to_a_server_that_others_can_listen_to(
    mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = runtime.current().settings
    address = (settings.smtp_url or "").replace("smtp://", "smtp://name:secret@")
    monkeypatch.setattr(delivery, "_HERE", frozenset[str]())
    with pytest.raises(DeliveryError, match="offers no encryption"):
        delivery.send_mail(replace(settings, smtp_url=address), EmailMessage())


@pytest.fixture
def chat() -> Iterator[tuple[str, list[Any]]]:
    """The address of a chat on this machine, and what was written to it."""
    said: list[Any] = []

    class Room(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            said.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(404 if self.path == "/gone" else 200)
            self.end_headers()

        def log_message(self, *_args: object) -> None:
            """Nothing."""

    with http.server.HTTPServer(("127.0.0.1", 0), Room) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", said
        server.shutdown()
        thread.join()


def test_a_chat_of_ones_own_is_written_to(rt: Runtime, session: Session, chat: tuple[str, list[Any]]) -> None:
    address, said = chat
    runtime.use(replace(rt, settings=replace(rt.settings, chat_server=address)))
    summary = make_summary(session, way="chat", place=f"{address}/hooks/secret-word", rhythm="daily")
    assert "secret-word" not in summary.place
    come_due(session, summary)
    jobs.send_due(runtime.current())
    [message] = said
    assert message["text"].startswith("*Insights: ")
    assert "Active people 0" in message["text"]
    with pytest.raises(DeliveryError, match="404") as refused:
        delivery.post(f"{address}/gone", "hello", address)
    assert refused.value.is_final


def test_nothing_inside_is_written_to_unless_it_is_the_operators_own_chat(chat: tuple[str, list[Any]]) -> None:
    address, said = chat
    for inside in (f"{address}/", "https://169.254.169.254/latest", "https://localhost/", "ftp://chat.example.org/"):
        with pytest.raises((DeliveryError, ForbiddenAddressError)):
            delivery.post(inside, "hello", None)
    with pytest.raises((DeliveryError, ForbiddenAddressError)):
        delivery.post(f"{address}/", "hello", "http://chat.example.org:8065")
    assert said == []


@pytest.mark.parametrize(
    "change, about",
    [
        ({"place": "nobody"}, "place"),
        ({"place": "a@example.org\nBcc: all@example.org"}, "place"),
        ({"way": "chat", "place": "http://chat.example.org/"}, "place"),
        ({"way": "chat", "place": "https://127.0.0.1/"}, "place"),
        ({"way": "chat", "place": "hooks"}, "place"),
        ({"way": "chat", "place": "a@example.org"}, "place"),
        ({"way": "fax"}, "way"),
        ({"rhythm": "hourly"}, "rhythm"),
        ({"hour": "24"}, "hour"),
        ({"weekday": "0"}, "weekday"),
        ({"language": "tlh"}, "language"),
    ],
)
def test_what_could_not_go_out_is_refused_where_it_is_typed(
    mailbox: Mailbox, session: Session, change: dict[str, str], about: str
) -> None:
    with pytest.raises(SummaryError) as refused:
        make_summary(session, **change)
    assert refused.value.about == about


def test_without_a_mail_server_no_mail_is_promised(rt: Runtime, session: Session) -> None:
    with pytest.raises(SummaryError, match="BACKCHAT_SMTP_URL"):
        make_summary(session)
