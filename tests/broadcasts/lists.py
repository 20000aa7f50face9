"""Lists as people upload them, and a worker that takes them in at once."""

import io
from typing import Any

from sqlalchemy import select

from bot.models.imports import ImportRun
from bot.models.person import Address, Person
from bot.models.segment import SegmentMember
from bot.models.words import AddressKind
from bot.runtime import Runtime
from broadcasts.imports import imports, pump

METAHUMANS_HEADER = "user.username,user.phone_no,user.email,user.first_name,user.last_name,user.title,user.account"


def upload(rt: Runtime, content: str | bytes, *, dialect: str = "sendbird", **more: Any) -> int:
    """The import's id; nothing has been taken in yet."""
    data = content.encode() if isinstance(content, str) else content
    values = {"environment": "live", "segment_name": "spring", "country": None, "file_name": "list.csv"} | more
    with rt.transaction() as session:
        return imports.start(session, dialect_name=dialect, source=io.BytesIO(data), **values).id


def take_in(rt: Runtime, content: str | bytes, **more: Any) -> ImportRun:
    """Upload and let a worker do all of it."""
    run_id = upload(rt, content, **more)
    run_worker(rt)
    return reload(rt, run_id)


def check(rt: Runtime, content: str | bytes, *, confirmed: bool = False, **more: Any) -> ImportRun:
    """Upload and let a worker look at it; nobody is changed unless it is confirmed at once."""
    run_id = upload(rt, content, confirmed=confirmed, **more)
    run_worker(rt)
    return reload(rt, run_id)


def run_one_chunk(rt: Runtime) -> None:
    assert pump.work(rt, lambda: True)


def run_worker(rt: Runtime) -> None:
    while pump.work(rt, lambda: False):
        pass


def reload(rt: Runtime, run_id: int) -> ImportRun:
    with rt.transaction() as session:
        return session.get_one(ImportRun, run_id)


def counts(run: ImportRun) -> tuple[int, int, int, int]:
    return run.created, run.updated, run.unchanged, run.failed


def expected(run: ImportRun) -> tuple[int, ...]:
    return run.will_create, run.will_update, run.will_keep, run.will_fail, run.superseded, run.excess


def adds_up(run: ImportRun) -> bool:
    """Whether each row of a finished import is accounted for."""
    return sum(counts(run)) + run.superseded + run.excess == run.total


def comments(rt: Runtime, run_id: int) -> list[str]:
    with rt.transaction() as session:
        return [row.comment or "" for row in imports.rejected(session, run_id)]


def everybody(rt: Runtime) -> dict[str, tuple[Any, ...]]:
    """Distinct id to phone, names, country and attributes, of everybody there is."""
    with rt.transaction() as session:
        known = select(Address.person_id, Address.value).where(Address.kind == AddressKind.PHONE)
        phones: dict[int, str] = dict(session.execute(known).all())
        return {
            person.distinct_id: (
                phones.get(person.id),
                person.nickname,
                person.first_name,
                person.last_name,
                person.country,
                person.attributes,
            )
            for person in session.scalars(select(Person))
        }


def emails(rt: Runtime) -> dict[str, str]:
    """Distinct id to e-mail address, of those who have one."""
    with rt.transaction() as session:
        found = select(Person.distinct_id, Address.value).join(Address, Address.person_id == Person.id)
        return dict(session.execute(found.where(Address.kind == AddressKind.EMAIL)).all())


def members(rt: Runtime) -> set[str]:
    with rt.transaction() as session:
        names = select(Person.distinct_id).join(SegmentMember, SegmentMember.person_id == Person.id)
        return set(session.scalars(names))
