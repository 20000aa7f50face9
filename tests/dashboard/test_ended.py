"""A page that is pushed to learns of it at once when it is not its reader's any more."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from app import create_app
from bot import live
from bot.dashboard import pushing
from bot.models.team import Operator
from bot.models.words import Role
from bot.runtime import Runtime
from bot.team import factor, operators, permission_sets, sign_ins
from tests.dashboard.visitor import Visitor
from tests.factories import make_operator
from tests.harness.children import wait_until


@pytest.fixture
def pages(live_rt: Runtime, monkeypatch: pytest.MonkeyPatch) -> Iterator[Flask]:
    """Streams that end by nothing but news."""
    for name in ("LIFE_S", "HEARTBEAT_S"):
        monkeypatch.setattr(live, name, 3600.0)
    app = create_app(live_rt)
    yield app
    pushing.hub_of(app).end()


def end_all(tx: Session, kim: Operator) -> None:
    sign_ins.end_all(tx, kim.id)


def end_one(tx: Session, kim: Operator) -> None:
    (mine,) = sign_ins.of_operator(tx, kim.id)
    sign_ins.end_one(tx, kim.id, mine.id)


def deactivate(tx: Session, kim: Operator) -> None:
    operators.deactivate(tx, kim.id)


def change_role(tx: Session, kim: Operator) -> None:
    operators.set_role(tx, kim.id, Role.MARKETER)


def change_set(tx: Session, _: Operator) -> None:
    (own,) = permission_sets.every(tx)
    permission_sets.change(tx, own, own.name, ["inbox.read"])


def require_factor(tx: Session, _: Operator) -> None:
    factor.require(tx, required=True)


def has_set(tx: Session, kim: Operator) -> None:
    permission_sets.add(tx, "Night", ["inbox.read", "people.see_contact"])
    operators.set_role(tx, kim.id, "Night")


@contextmanager
def listening(visitor: Visitor) -> Iterator[None]:
    """The visitor's inbox is pushed to while the block runs; after it, the stream must end by itself."""
    came, ended = threading.Semaphore(0), threading.Event()

    def read() -> None:
        with visitor.client.get("/inbox/listen", buffered=False) as answer:
            for _ in answer.response:
                came.release()
        ended.set()

    reading = threading.Thread(target=read, daemon=True)
    reading.start()
    for _ in ("how soon to come again", "how things stand"):
        assert came.acquire(timeout=60)
    yield
    assert ended.wait(60)
    reading.join()


def test_a_pushed_page_ends_with_the_session_and_with_what_it_was_allowed(pages: Flask, live_rt: Runtime) -> None:
    stories: list[tuple[Callable[[Session, Operator], None], int]] = [
        (end_all, 401),
        (end_one, 401),
        (deactivate, 401),
        (change_role, 403),
        (change_set, 200),
        (require_factor, 401),
    ]
    for change, then in stories:
        with live_rt.transaction() as tx:
            kim = make_operator(tx, Role.COACH)
            if change is change_set:
                has_set(tx, kim)
        visitor = Visitor(pages.test_client()).sign_in(kim)
        with listening(visitor):
            wait_until(lambda: live_rt.redis.pubsub_numpat() > 0, "the hub to listen")
            with live_rt.transaction() as tx:
                change(tx, kim)
        assert visitor.client.get("/inbox/rows").status_code == then, change.__name__


def test_signing_out_in_one_window_ends_what_another_is_pushed(pages: Flask, live_rt: Runtime) -> None:
    with live_rt.transaction() as tx:
        kim = make_operator(tx, Role.COACH)
    visitor = Visitor(pages.test_client()).sign_in(kim)
    with listening(visitor):
        wait_until(lambda: live_rt.redis.pubsub_numpat() > 0, "the hub to listen")
        assert visitor.post("/sign-out").status_code == 303
