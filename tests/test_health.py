"""What a load balancer and whoever is on call learn from /healthz."""

from dataclasses import replace

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.orm import Session

from bot import health, queue, runtime
from bot.db import make_engine, make_sessions
from bot.models.webhook import WebhookEvent
from bot.runtime import Runtime
from tests import factories

NOTHING = {"files": 0, "bytes": 0, "corrupt": 0}


def test_an_idle_house_is_well_and_names_every_queue(client: FlaskClient) -> None:
    answer = client.get("/healthz")
    assert answer.status_code == 200
    assert answer.json == {
        "status": "ok",
        "database": "ok",
        "redis": "ok",
        "spool": NOTHING,
        "alerts": [],
        "oldest_unprocessed_event_s": None,
        "oldest_due_message_s": None,
        "workers": dict.fromkeys(queue.PUMPS, 0),
    }


@pytest.mark.parametrize("waited_s, status", [(60, 200), (health.LATE_S + 60, 503)])
def test_work_that_nobody_does_is_told_by_its_age(
    client: FlaskClient, session: Session, waited_s: float, status: int
) -> None:
    number = factories.make_number(session)
    message = factories.make_outbound(session, factories.make_person(session), number)
    session.add(WebhookEvent(connection_id=number.connection_id, body=b"{}"))
    session.flush()
    ago = {"s": waited_s}
    session.execute(text("UPDATE webhook_event SET received_at = now() - make_interval(secs => :s)"), ago)
    session.execute(text("UPDATE message SET created_at = now() - make_interval(secs => :s)"), ago)
    session.commit()

    answer = client.get("/healthz")

    assert answer.status_code == status
    assert answer.json is not None
    assert answer.json["oldest_unprocessed_event_s"] == pytest.approx(waited_s, abs=5)
    assert answer.json["oldest_due_message_s"] == pytest.approx(waited_s, abs=5)
    message.state = "accepted"
    session.commit()
    assert health.report(runtime.current(), NOTHING)[0]["oldest_due_message_s"] is None


def test_without_redis_it_goes_on_and_says_so(client: FlaskClient, rt: Runtime) -> None:
    runtime.use(replace(rt, redis=queue.connect("redis://127.0.0.1:9")))
    answer = client.get("/healthz")
    assert answer.status_code == 200
    assert answer.json is not None
    assert (answer.json["status"], answer.json["redis"]) == ("degraded", "unreachable")


def test_without_the_database_it_is_down(client: FlaskClient, rt: Runtime) -> None:
    nowhere = make_engine("postgresql+psycopg://backchat@/backchat?host=/nowhere", name="tests")
    runtime.use(replace(rt, engine=nowhere, sessions=make_sessions(nowhere)))
    answer = client.get("/healthz")
    assert answer.status_code == 503
    assert answer.json is not None
    assert (answer.json["status"], answer.json["database"]) == ("down", "unreachable")
