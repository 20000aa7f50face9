"""What the provider and its webhooks tell of a template that was just submitted, in whatever order."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from sqlalchemy import select, text

from bot.connections import connections, news
from bot.connections.template_history import By
from bot.models.broadcast import Template
from bot.models.connection import Connection
from bot.providers.events import TemplateChange
from bot.runtime import Runtime
from broadcasts.templates import making
from broadcasts.templates.making import ProblemsError
from tests.harness.answering import Answer, answering

BODY = {"type": "BODY", "text": "Hello {{1}}!", "example": {"body_text": [["Amina"]]}}
TAKEN: Answer = (200, {}, b'{"id": "7", "status": "PENDING", "category": "MARKETING"}')


def write_down(rt: Runtime, url: str) -> Template:
    with rt.transaction() as session:
        secrets = {"access_token": "a", "app_secret": "b", "verify_token": "c"}
        connection = connections.add(
            session,
            rt.settings.secret_key,
            slug="line",
            provider="cloud",
            account_id="1022",
            base_url=url,
            secrets=secrets,
        )
        document = {"name": "hello", "language": "en", "category": "UTILITY", "parameter_format": "POSITIONAL"}
        return making.write_down(session, connection, {**document, "components": [BODY]}, By())


def submit(rt: Runtime, answer: Callable[[], Answer]) -> Template:
    """The template as it is known after the provider gave that answer."""
    with answering(lambda *_: answer()) as url:
        template_id = write_down(rt, url).id
        making.submit(rt, template_id, By())
    with rt.transaction() as session:
        return session.get_one(Template, template_id)


def test_the_provider_s_word_on_status_and_category_is_taken(live_rt: Runtime) -> None:
    found = submit(live_rt, lambda: TAKEN)
    assert (found.status, found.category, found.provider_template_id) == ("PENDING", "MARKETING", "7")


def test_an_outcome_that_a_webhook_told_before_the_answer_was_read_stays(live_rt: Runtime) -> None:
    def answer() -> Answer:
        change = TemplateChange("/0", "1022", "7", "hello", "en", status="APPROVED", occurred_at=datetime.now(UTC))
        with live_rt.transaction() as session:
            news.follow_template(session, session.scalars(select(Connection)).one().id, change)
        return TAKEN

    assert submit(live_rt, answer).status == "APPROVED"


def test_no_transaction_is_open_while_the_provider_is_asked(live_rt: Runtime) -> None:
    held = []

    def answer() -> Answer:
        with live_rt.engine.connect() as other:
            query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in%'"
            held.append(other.scalar(text(query)))
        return TAKEN

    submit(live_rt, answer)
    assert held == [0]


@pytest.mark.parametrize("answer", [(200, {}, b"<html>"), (302, {"Location": "/x"}, b""), (500, {}, b"{}")])
def test_an_answer_that_is_none_leaves_it_to_be_submitted_again(live_rt: Runtime, answer: Answer) -> None:
    with pytest.raises(ProblemsError):
        submit(live_rt, lambda: answer)
    with live_rt.transaction() as session:
        found = session.scalars(select(Template)).one()
        assert (found.status, bool(found.reason)) == ("UNSUBMITTED", True)
