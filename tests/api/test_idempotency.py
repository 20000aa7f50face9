"""The same Idempotency-Key is one message, whatever the network and the client do."""

import threading
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import orjson
import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from werkzeug.serving import make_server
from werkzeug.test import TestResponse

from bot.models.message import Message
from bot.models.team import ApiRequest
from bot.runtime import Runtime
from bot.team import tokens
from tests import factories
from tests.api.conftest import Shop, make_app

TO = "+4930901820"
BODY = {"to": TO, "text": "Your parcel is here"}


@pytest.fixture
def reachable(shop: Shop, session: Session) -> None:
    factories.make_conversation(session, factories.make_person(session, phone=TO), shop.number)


def count(session: Session) -> int:
    return session.scalar(select(func.count(Message.id)).where(Message.direction == "out")) or 0


def told(answer: TestResponse) -> Any:
    return answer.json


@pytest.mark.usefixtures("reachable")
def test_a_repeated_request_gets_the_stored_answer_and_makes_no_second_message(shop: Shop, session: Session) -> None:
    first = shop.post(BODY, key="order-7")
    session.execute(Message.__table__.update().values(state="accepted"))  # type: ignore[attr-defined]
    again = shop.post({"text": BODY["text"], "to": TO}, key="order-7")  # other order of the fields, same request
    assert (again.status_code, again.data) == (first.status_code, first.data) == (202, first.data)
    assert count(session) == 1


@pytest.mark.usefixtures("reachable")
def test_a_key_used_with_another_body_is_refused(shop: Shop, session: Session) -> None:
    shop.post(BODY, key="order-7")
    answer = shop.post({**BODY, "text": "Something else"}, key="order-7")
    assert (answer.status_code, told(answer)["error"]["code"]) == (422, "idempotency_key_reused")
    assert count(session) == 1


@pytest.mark.usefixtures("reachable")
def test_without_a_key_each_request_is_a_message(shop: Shop, session: Session) -> None:
    assert {shop.post(BODY).status_code, shop.post(BODY).status_code} == {202}
    assert count(session) == 2


@pytest.mark.usefixtures("reachable")
def test_two_programs_may_use_the_same_key(shop: Shop, session: Session) -> None:
    _token, secret = tokens.create(session, "live", "other shop")
    other = Shop(shop.client, _token, secret, shop.number)
    assert told(shop.post(BODY, key="1"))["id"] != told(other.post(BODY, key="1"))["id"]


def test_a_refused_request_does_not_use_up_its_key(shop: Shop, session: Session) -> None:
    assert shop.post(BODY, key="order-7").status_code == 409
    assert session.scalar(select(func.count()).select_from(ApiRequest)) == 0
    factories.make_conversation(session, factories.make_person(session, phone=TO), shop.number)
    assert shop.post(BODY, key="order-7").status_code == 202


@pytest.mark.usefixtures("reachable")
@pytest.mark.parametrize("key", ["", " ", "a b", "é", "x" * 256])
def test_a_key_that_is_none_is_refused(shop: Shop, key: str) -> None:
    answer = shop.post(BODY, key=key)
    assert (answer.status_code, told(answer)["error"]["code"]) == (400, "bad_idempotency_key")


@pytest.mark.usefixtures("reachable")
def test_the_longest_key_is_taken(shop: Shop) -> None:
    assert shop.post(BODY, key="~" * 255).status_code == 202


def test_fifty_requests_at_once_with_one_key_are_one_message_and_fifty_equal_answers(live_rt: Runtime) -> None:
    with live_rt.transaction() as session:
        _token, secret = tokens.create(session, "live", "shop")
        number = factories.make_number(session)
        factories.make_conversation(session, factories.make_person(session, phone=TO), number)
    server = make_server("127.0.0.1", 0, make_app(), threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        answers = at_once(50, f"http://127.0.0.1:{server.server_port}/api/v1/messages", secret)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert {status for status, _ in answers} == {202}
    assert len({body for _, body in answers}) == 1
    with live_rt.transaction() as session:
        assert count(session) == 1
        assert session.scalar(select(func.count()).select_from(ApiRequest)) == 1


def at_once(times: int, url: str, secret: str) -> list[tuple[int, bytes]]:
    """Status and body of so many equal requests, each from a thread of its own that waits for all the others."""
    barrier = threading.Barrier(times)

    def ask(_: int) -> tuple[int, bytes]:
        barrier.wait()
        return post(url, secret)

    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(ask, range(times)))


def post(url: str, secret: str) -> tuple[int, bytes]:
    headers = {"Authorization": f"Bearer {secret}", "Idempotency-Key": "one", "Content-Type": "application/json"}
    request = urllib.request.Request(url, orjson.dumps(BODY), headers)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()
