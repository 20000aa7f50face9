"""Two clocks at work: what falls due is fired by one of them (case 77)."""

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


@pytest.mark.parametrize("size", [1000, pytest.param(10_000, marks=pytest.mark.slow)])
@pytest.mark.timeout(300)
def test_reminders_due_in_the_same_second_are_sent_once_each_by_two_clocks(empty_house: House, size: int) -> None:
    house = empty_house
    clock = house.children["clock"]
    house.children["second-clock"] = Child("second-clock", clock.command, clock.environment, clock.folder)
    house.start()
    remind(house, size)
    wait_until(lambda: house.simulator.accepted() >= size, f"{size} reminders", timeout_s=60 + size / 50)
    house.settle()
    assert house.simulator.accepted() == size
    assert house.verdict().is_green
    assert house.verdict().doubt == set()
    assert house.ask("SELECT count(*) FROM reminder WHERE state = 'fired'") == size
    assert house.ask("SELECT count(DISTINCT reminder_id) FROM message WHERE author_kind = 'reminder'") == size


def remind(house: House, size: int) -> None:
    """One reminder for each of so many new people, all due three seconds from now."""
    house.simulator.configure(
        templates=[{"waba_id": WABA_ID, "name": "exam", "language": "en", "components": factories.GREETING}]
    )
    with house.rt.transaction() as session:
        number = session.get_one(Number, house.number_id)
        template = factories.make_template(session, number.connection, name="exam")
        people = enrol(session, size)
        house.audience |= set(people)
        same = {
            "environment": Environment.LIVE,
            "name": "exam",
            "number_id": number.id,
            "template_id": template.id,
            "text": '{"body.1": "<<user.first_name>>"}',
            "due_at": datetime.now(UTC) + timedelta(seconds=3),
            "state": ReminderState.SCHEDULED,
        }
        session.execute(insert(Reminder), [same | {"person_id": id_} for id_ in people])
