"""Two clocks at work: what falls due is fired by one of them (case 77)."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import insert

from bot.models.connection import Number
from bot.models.journey import Reminder
from bot.models.words import Environment, ReminderState
from tests import factories
from tests.harness.campaign import enrol
from tests.harness.children import Child, wait_until
from tests.harness.house import House
from tests.harness.simulator import WABA_ID
from tests.harness.sizes import sizes


@pytest.fixture
def clocks(line: House) -> Iterator[House]:
    """A house with two clocks."""
    clock = line.children["clock"]
    line.children["second-clock"] = Child("second-clock", clock.command, clock.environment, clock.folder)
    line.start("second-clock")
    yield line
    line.children.pop("second-clock").stop()


@pytest.mark.parametrize("size", sizes(200, 1000, 10_000))
def test_reminders_due_in_the_same_second_are_sent_once_each_by_two_clocks(clocks: House, size: int) -> None:
    accepted, doubt = clocks.simulator.accepted(), clocks.verdict().doubt
    reminders = remind(clocks, size)
    wait_until(lambda: clocks.simulator.accepted() >= accepted + size, "the reminders", timeout_s=60 + size / 50)
    clocks.settle()
    assert clocks.simulator.accepted() == accepted + size
    assert clocks.verdict().is_green
    assert clocks.verdict().doubt == doubt
    assert clocks.ask(f"SELECT count(*) FROM reminder WHERE state = 'fired' AND {NAMED}", name=reminders) == size
    query = f"SELECT count(*) FROM message m JOIN reminder ON reminder.id = m.reminder_id WHERE {NAMED}"
    assert clocks.ask(query, name=reminders) == size


NAMED = "reminder.name = :name"


def remind(house: House, size: int) -> str:
    """The name of the reminders for so many new people, one each, all due three seconds from now."""
    name = f"exam_{size}"
    house.simulator.configure(
        templates=[{"waba_id": WABA_ID, "name": name, "language": "en", "components": factories.GREETING}]
    )
    with house.rt.transaction() as session:
        number = session.get_one(Number, house.number_id)
        template = factories.make_template(session, number.connection, name=name)
        people = enrol(session, size)
        house.audience |= set(people)
        same = {
            "environment": Environment.LIVE,
            "name": name,
            "number_id": number.id,
            "template_id": template.id,
            "text": '{"body.1": "<<user.first_name>>"}',
            "due_at": datetime.now(UTC) + timedelta(seconds=3),
            "state": ReminderState.SCHEDULED,
        }
        session.execute(insert(Reminder), [same | {"person_id": id_} for id_ in people])
    return name
