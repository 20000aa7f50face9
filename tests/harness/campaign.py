"""A broadcast to many people, put straight into its running state: what the sender's tests begin with."""

from collections.abc import Sequence

from sqlalchemy import Select, insert, select
from sqlalchemy.orm import Session

from bot.messages.compose import compose_audience
from bot.models.broadcast import Broadcast, Template
from bot.models.connection import Number
from bot.models.person import Address, Person
from bot.models.segment import SegmentMember
from bot.models.words import AddressKind, BroadcastState, Environment
from tests import factories
from tests.harness.house import House
from tests.harness.simulator import WABA_ID

TEMPLATE = "greeting"


def launch(house: House, size: int, *, category: str = "UTILITY") -> int:
    """Id of a running broadcast of a greeting to `size` new people; nobody was rung yet."""
    declared = {"waba_id": WABA_ID, "name": TEMPLATE, "language": "en", "components": factories.GREETING}
    house.simulator.configure(templates=[declared])
    with house.rt.transaction() as session:
        number = session.get_one(Number, house.number_id)
        people = enrol(session, size)
        broadcast = _start(session, number, people, category)
        members: Select[tuple[int]] = select(SegmentMember.person_id).where(  # type: ignore[assignment] # a tuple at last
            SegmentMember.segment_id == broadcast.segment_id
        )
        compose_audience(session, broadcast, number, members)
        house.audience |= set(people)
        return broadcast.id


def enrol(session: Session, size: int) -> list[int]:
    """Ids of new people, each with a phone and a first name like no other's."""
    phones = [factories.next_phone() for _ in range(size)]
    made = [
        {"environment": Environment.LIVE, "distinct_id": f"member-{phone}", "first_name": f"Name{phone[-5:]}"}
        for phone in phones
    ]
    ids = session.scalars(insert(Person).returning(Person.id, sort_by_parameter_order=True), made).all()
    addresses = [
        {"environment": Environment.LIVE, "person_id": id_, "kind": AddressKind.PHONE, "value": phone}
        for id_, phone in zip(ids, phones, strict=True)
    ]
    session.execute(insert(Address), addresses)
    return list(ids)


def _start(session: Session, number: Number, people: Sequence[int], category: str) -> Broadcast:
    segment = factories.make_segment(session)
    members = [{"segment_id": segment.id, "person_id": id_, "environment": Environment.LIVE} for id_ in people]
    session.execute(insert(SegmentMember), members)
    template = session.scalar(select(Template).where(Template.name == TEMPLATE)) or factories.make_template(
        session, number.connection, name=TEMPLATE, category=category
    )
    frozen = {name: getattr(template, name) for name in FROZEN}
    return factories.make_broadcast(
        session, number, segment, template, state=BroadcastState.RUNNING, frozen_template=frozen
    )


FROZEN = ("name", "language", "category", "parameter_format", "components")
