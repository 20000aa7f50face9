"""A backup from before an erasure brings nobody back: senders hold until they are erased again, by themselves."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import func, select, text

import app
from bot.connections.secrets import seal
from bot.erasure import erasing, reapplying
from bot.erasure.erasing import Actor
from bot.messages import jobs
from bot.models.message import Message
from bot.models.person import Erasure, Person, Suppression
from bot.people import ledger, suppressions
from bot.runtime import Runtime
from tests import factories as make
from tests.erasure.conftest import PHONE, WORDS, Story
from tests.erasure.scan import scan
from tests.harness.runtimes import live_runtime, make_settings
from tests.harness.servers import Servers


@contextmanager
def backup(story: Story) -> Iterator[None]:
    """What the block does to the database is undone at its end, as a restore would; files stay."""
    connection = story.session.connection()
    story.session.commit()  # its own savepoint would end within the block
    with connection.begin_nested() as before:
        yield
        story.session.commit()
        before.rollback()
    story.session.expire_all()


@pytest.fixture
def restored(story: Story) -> Story:
    with backup(story):
        story.erase()
    return story


def test_a_restored_database_is_behind_the_ledger(restored: Story) -> None:
    assert restored.found()
    assert ledger.is_behind(restored.session, restored.rt.settings.erasure_ledger)


def test_the_erasure_is_done_again_with_all_that_belongs_to_it(restored: Story) -> None:
    assert reapplying.reapply(restored.rt) == 1
    restored.go_on()
    restored.session.expire_all()

    assert restored.found() == []
    assert not ledger.is_behind(restored.session, restored.rt.settings.erasure_ledger)
    assert suppressions.suppressed(restored.session, "live", [("phone", PHONE)])
    assert reapplying.reapply(restored.rt) == 0


def test_two_people_who_were_one_when_they_were_erased_both_go(story: Story) -> None:
    with backup(story):
        story.session.execute(text("UPDATE address SET person_id = :ada WHERE person_id = :bob"), ids(story))
        story.session.commit()
        story.erase()

    reapplying.reapply(story.rt)

    story.session.expire_all()
    assert story.session.get_one(Person, story.bob.id).erased_at is not None
    assert story.session.get_one(Person, story.ada.id).erased_at is not None


def ids(story: Story) -> dict[str, int]:
    return {"ada": story.ada.id, "bob": story.bob.id}


def test_a_backup_from_before_they_were_known_gets_the_suppression_alone(story: Story) -> None:
    with backup(story):
        story.erase()
    story.session.execute(text("DELETE FROM person WHERE id = :ada"), {"ada": story.ada.id})
    story.session.commit()

    reapplying.reapply(story.rt)

    assert suppressions.suppressed(story.session, "live", [("phone", PHONE)])
    assert story.session.scalars(select(Erasure)).one().finished_at is not None


def test_whoever_opted_in_after_the_erasure_is_not_suppressed_by_a_restore(story: Story) -> None:
    with backup(story):
        story.erase()
        suppressions.lift(story.session, "live", [("phone", PHONE)])

    reapplying.reapply(story.rt)

    assert not suppressions.suppressed(story.session, "live", [("phone", PHONE)])
    assert suppressions.suppressed(story.session, "live", [("distinct_id", "ada-4711")])


def test_a_ledger_that_cannot_be_read_holds_the_senders(story: Story) -> None:
    story.rt.settings.erasure_ledger.mkdir(parents=True)

    assert ledger.is_behind(story.session, story.rt.settings.erasure_ledger)


def test_a_line_cut_off_by_a_power_cut_is_passed_over_and_the_next_is_whole(story: Story) -> None:
    path = story.rt.settings.erasure_ledger
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b'{"key": "cut off he')

    story.erase()

    assert [line.person_id for line in ledger.read(path)] == [story.ada.id]


def test_the_ledger_says_of_nobody_who_they_were(story: Story) -> None:
    story.erase()
    told = story.rt.settings.erasure_ledger.read_text()

    assert [word for word in WORDS if word in told] == []
    assert story.rt.settings.erasure_ledger.stat().st_mode & 0o777 == 0o600


@pytest.fixture
def both(servers: Servers, live_rt: Runtime) -> Iterator[tuple[Runtime, Runtime]]:
    """A house, and the same one on a copy of its database that was made before Ada was erased."""
    with live_rt.transaction() as session:
        secrets = {"access_token": "a" * 20, "app_secret": "b" * 20, "verify_token": "c" * 20}
        line = make.make_connection(session, sealed_secrets=seal(live_rt.settings.secret_key, secrets))
        number = make.make_number(session, line)
        ada = make.make_person(session, phone=PHONE, distinct_id="ada-4711", last_name="Lovelace")
        bob = make.make_person(session, distinct_id="bob")
        make.make_outbound(session, ada, number, "my knee hurts", to_address=PHONE)
        make.make_outbound(session, bob, number, "hello")
    live_rt.engine.dispose()
    with servers.copy_of(live_rt.settings.database_url) as url:
        settings = make_settings(live_rt.settings.home, url, servers.redis_url)
        with live_runtime(settings) as restored:
            yield live_rt, restored


def test_nothing_is_sent_from_a_backup_until_the_erasures_since_are_done_again(both: tuple[Runtime, Runtime]) -> None:
    house, restored = both
    with house.transaction() as session:
        ada = session.scalars(select(Person.id).where(Person.distinct_id == "ada-4711")).one()
        erasing.erase(session, house.settings, ada, Actor())

    jobs.drain_outbox()  # on the restored database, whose runtime is the current one

    assert tried(restored) == [("queued", 0), ("queued", 0)]
    app.go_on_erasing(restored)
    jobs.drain_outbox()
    assert tried(restored) == [("cancelled", 0), ("queued", 1)]
    with restored.transaction() as session:
        assert scan(session.connection(), WORDS) == []
        assert session.scalar(select(func.count()).select_from(Suppression))


def tried(rt: Runtime) -> list[tuple[str, int]]:
    """Each message's state, and how often a sender has tried it; its provider answers nobody."""
    with rt.transaction() as session:
        rows = session.execute(select(Message.state, Message.attempt).order_by(Message.id))
        return [(row.state, row.attempt) for row in rows]
