"""Case 89: what the listing gives away can be taken in again, and changes nothing."""

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, text

from bot import sheets
from bot.models.words import AddressKind, PropertyType
from bot.people import attributes, properties, table
from bot.people.finding import Asked, Finder
from bot.runtime import Runtime
from tests.broadcasts.lists import take_in
from tests.factories import make_address, make_person

TYPES = {f"a.{kind.lower()}": kind for kind in PropertyType}

# What a cell can hold: no sign that a reader of lists strips or refuses, such as the byte order mark and NUL.
LETTERS = st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs"))
TEXTS = st.text(LETTERS, min_size=1, max_size=30).map(str.strip).filter(bool)
STARTS = st.sampled_from(["=1+1", "+1", "-3", "@x", "'quoted", "'=x", "a;b,c", 'say "hi"', "\uff1dx", "0012", "1e5"])
NUMBERS = st.integers(-(10**9), 10**9) | st.floats(-1e6, 1e6).map(lambda number: round(number, 3))
VALUES: dict[PropertyType, st.SearchStrategy[Any]] = {
    PropertyType.TEXT: TEXTS | STARTS,
    PropertyType.NUMBER: NUMBERS,
    PropertyType.BOOLEAN: st.booleans(),
    PropertyType.DATE: st.dates().map(lambda day: day.isoformat()),
    PropertyType.TIME: st.times().map(lambda at: at.replace(microsecond=0).isoformat()),
    PropertyType.DATETIME: st.datetimes().map(lambda at: f"{at.replace(microsecond=0).isoformat()}Z"),
    PropertyType.ARRAY: st.lists(TEXTS | STARTS | st.integers(-9, 9) | st.booleans(), min_size=1, max_size=3),
    PropertyType.OBJECT: st.dictionaries(st.sampled_from("abc"), TEXTS | st.integers(-9, 9), min_size=1),
    PropertyType.LOCATION: st.fixed_dictionaries(
        {"latitude": st.integers(-90, 90).map(float), "longitude": st.integers(-180, 180).map(float)}
    ),
}
PEOPLE = st.lists(
    st.fixed_dictionaries(
        {"first_name": TEXTS | STARTS | st.none(), "nickname": TEXTS | STARTS | st.none()}
        | {"attributes": st.fixed_dictionaries({}, optional={name: VALUES[kind] for name, kind in TYPES.items()})}
    ),
    min_size=1,
    max_size=4,
)


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(people=PEOPLE)
def test_an_export_that_is_taken_in_again_changes_nothing(
    rt: Runtime, connection: Connection, people: list[dict[str, Any]]
) -> None:
    with connection.begin_nested() as here:
        exported = export(rt, people)
        before = contents(connection)
        run = take_in(rt, exported, dialect="auto")
        assert (run.created, run.updated, run.unchanged, run.failed) == (0, 0, len(people), 0), run.problem
        assert contents(connection) == before
        here.rollback()


def export(rt: Runtime, people: list[dict[str, Any]]) -> bytes:
    """All of them, made and written with every column there is."""
    with rt.transaction() as session:
        properties.declare(session, "live", TYPES)
        for name in (*properties.BY_NAME, *TYPES):
            properties.show(session, "live", name, is_shown=True)
        for place, each in enumerate(people):
            values = {name: attributes.accept(TYPES[name], value) for name, value in each["attributes"].items()}
            wanted = each | {"attributes": values, "distinct_id": f"d_{place}.x", "country": "EG"}
            person = make_person(session, **wanted)
            make_address(session, person, AddressKind.EMAIL, f"p{place}@example.org")
            make_address(session, person, AddressKind.SLACK, f"U{place}")
        columns = properties.shown(session, "live")
        rows = [table.cells(columns, row) for row in table.every(session, Finder(session, Asked("live")), columns)]
    return b"".join(sheets.as_csv([table.header(columns), *rows]))


def contents(connection: Connection) -> list[Any]:
    people = (
        "SELECT id, distinct_id, nickname, first_name, last_name, country, enabled, attributes, updated_at FROM person"
    )
    reached = "SELECT person_id, kind, value FROM address"
    return [connection.execute(text(f"{each} ORDER BY 1, 2, 3")).all() for each in (people, reached)]
