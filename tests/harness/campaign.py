"""A broadcast to many people, prepared in the test's own process: what the sender's tests begin with."""

from collections.abc import Sequence

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from bot.models.broadcast import Template
from bot.models.connection import Number
from bot.models.person import Address, Person
from bot.models.segment import SegmentMember
from bot.models.words import AddressKind, Environment
from broadcasts.control import lifecycle
from broadcasts.drafting import drafts
from broadcasts.drafting.drafts import Wanted
from broadcasts.running import materialising
from broadcasts.transitions import Actor
from tests import factories
from tests.harness.house import House
from tests.harness.lines import CLOUD, Line

TEMPLATE = "greeting"


def launch(house: House, size: int, line: Line = CLOUD) -> int:
    """Id of a running broadcast of a greeting to `size` new people; nobody was rung yet."""
    declared = {"waba_id": line.waba_id, "name": TEMPLATE, "language": "en", "components": factories.GREETING}
    house.simulator.configure(templates=[declared])
    with house.rt.transaction() as session:
        people = enrol(session, size)
        broadcast_id = _draft(session, house.numbers[line.provider], people)
    with house.rt.transaction() as session:
        lifecycle.launch(session, broadcast_id, Actor(), confirmed=size)
    is_preparing = True
    while is_preparing:
        with house.rt.transaction() as session:
            is_preparing = materialising.materialise(session, broadcast_id)
    house.audience |= set(people)
    return broadcast_id


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


def _draft(session: Session, number_id: int, people: Sequence[int]) -> int:
    number = session.get_one(Number, number_id)
    segment = factories.make_segment(session)
    members = [{"segment_id": segment.id, "person_id": id_, "environment": Environment.LIVE} for id_ in people]
    session.execute(insert(SegmentMember), members)
    known = select(Template).where(Template.connection_id == number.connection_id, Template.name == TEMPLATE)
    template = session.scalar(known) or factories.make_template(session, number.connection, name=TEMPLATE)
    wanted = Wanted(
        name=segment.name,
        number_id=number.id,
        template_id=template.id,
        segment_ids=[segment.id],
        slots={"body.1": "<<user.first_name>>"},
    )
    return drafts.create(session, Environment.LIVE, wanted).id
