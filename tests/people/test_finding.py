"""One search for pages, programs and commands: who is found by what, in which order, a page at a time."""

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from bot.models.person import Person
from bot.models.words import AddressKind, Environment, PropertyType
from bot.people import asking, finding, properties, sorts, table
from bot.people.finding import REFUSALS, Asked, Finder
from tests.factories import make_address, make_person, make_segment


@pytest.fixture
def mona(session: Session) -> Person:
    person = make_person(
        session,
        phone="+201012345678",
        distinct_id="user_1.a-b",
        nickname="momo",
        first_name="Mona",
        last_name="El-Shazly",
        attributes={
            "city": "New York (east)",
            "plan": "gold",
            "seats": 12.5,
            "tags": ["red", "green"],
            "home": {"latitude": 30.04, "longitude": 31.23, "name": "Büro"},
            "note": 'says "hi"\nand tabs\tout',
        },
    )
    make_address(session, person, AddressKind.EMAIL, "mona_h@example.org")
    make_address(session, person, AddressKind.SLACK, "U024BE7LH")
    return person


def found(session: Session, **asked: object) -> list[int]:
    return list(Finder(session, Asked("live", **asked)).page().ids)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "typed",
    [
        *("user_1.a-b", "user_1.a", "user", "USER_1", "momo", "mon", "Mona", "mona el-sha", "shazly", "El-Shazly mona"),
        *("+201012345678", "+20 10 1234", "0020 10 1234 5678", "010 1234 5678", "01012345678", "201012345678"),
        *("(010) 1234-5678", "1012345678", "+2010"),
        *("mona_h@example.org", "mona_h@", "Mona_H", "U024BE7LH", "u024"),
        *("gold", "new york", "york", "east", "12.5", "green", "büro", "BÜRO", "says hi", "and tabs", "30.04"),
        *("mona gold", "mona 0101234567", " mona ", "@mona", "-gold"),
    ],
)
def test_somebody_is_found_by_whatever_is_known_of_them(session: Session, mona: Person, typed: str) -> None:
    make_person(session, phone="+966501234567", distinct_id="other", first_name="Zed", nickname="zz")
    assert found(session, text=typed) == [mona.id]


def test_somebody_is_found_by_the_number_they_have_here(session: Session, mona: Person) -> None:
    assert found(session, text=str(mona.id)) == [mona.id]


@pytest.mark.parametrize("typed", ["city", "latitude", "ona", "+2011", "%", "_", "mona silver", "a-b user_2", "@", "'"])
def test_nobody_is_found_by_what_is_not_theirs(session: Session, mona: Person, typed: str) -> None:
    assert found(session, text=typed) == []


def test_both_ways_to_search_find_the_same(session: Session, mona: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    """A walk and the indexes: which of them is taken depends on how many there are."""
    others = [make_person(session, distinct_id=f"user_{n}", first_name="Mona") for n in range(5)]
    asked = [{"text": typed} for typed in ("mona", "user_1", "01012345678", "mona +2010", str(mona.id), "zz")]
    walked = [found(session, **each) for each in asked]
    monkeypatch.setattr(finding, "WALKED", 0)
    assert [found(session, **each) for each in asked] == walked
    assert set(walked[0]) == {mona.id, *(person.id for person in others)}


SORTS = (*sorts.INDEXED, "nickname", "phone", "plan", "seats", "enabled", "id")


@pytest.mark.parametrize("sort, is_descending", list(itertools.product(sorted(SORTS), [True, False])))
@pytest.mark.parametrize("walked", [0, 4, 2000])
def test_pages_hold_everybody_once_in_order_forwards_and_back(
    session: Session, monkeypatch: pytest.MonkeyPatch, sort: str, is_descending: bool, walked: int
) -> None:
    monkeypatch.setattr(finding, "WALKED", walked)
    properties.declare(session, "live", {"plan": PropertyType.TEXT, "seats": PropertyType.NUMBER})
    at = datetime.now(UTC)
    for n in range(11):
        attributes = {"seats": n % 3} if n % 2 else {"plan": f"p{n % 4}", "seats": 100}
        more: dict[str, Any] = {
            "country": "EG" if n % 3 else None,
            "enabled": n % 4 > 0,
            "created_at": at - timedelta(days=n % 5),
        }
        make_person(session, distinct_id=f"d{n * 7 % 11}", nickname=f"n{n % 2}", attributes=attributes, **more)
    make_person(session, environment=Environment.TEST)
    finder = Finder(session, Asked("live", sort=sort, is_descending=is_descending))
    first = finder.page(limit=4)
    second = finder.page(after=first.ids[-1], limit=4)
    third = finder.page(after=second.ids[-1], limit=4)
    everybody = [*first.ids, *second.ids, *third.ids]
    assert (first.has_before, first.has_after, third.has_before, third.has_after) == (False, True, True, False)
    assert everybody == list(session.scalars(finder.sorted()))
    assert len(set(everybody)) == 11
    back = finder.page(before=third.ids[0], limit=4)
    assert (back.ids, back.has_before) == (second.ids, True)
    assert finder.page(before=second.ids[0], limit=4).ids == first.ids
    turned = Finder(session, Asked("live", sort=sort, is_descending=not is_descending))
    assert list(turned.page().ids) == everybody[::-1]


def test_numbers_sort_as_numbers(session: Session) -> None:
    properties.declare(session, "live", {"seats": PropertyType.NUMBER})
    people = {seats: make_person(session, attributes={"seats": seats}).id for seats in (10, 9, 100, -1)}
    assert found(session, sort="seats", is_descending=False) == [people[seats] for seats in (-1, 9, 10, 100)]


def test_filters_narrow_alone_and_together(session: Session, mona: Person) -> None:
    off = make_person(session, enabled=False, country="EG", first_name="Mona")
    here = make_person(session, country="DE", first_name="Mona")
    segment = make_segment(session, [off, here])
    assert set(found(session, segment_id=segment.id)) == {off.id, here.id}
    assert found(session, segment_id=segment.id, country="DE") == [here.id]
    assert found(session, text="mona", enabled=False) == [off.id]
    assert found(session, segment_id=segment.id, enabled=True, text="mona") == [here.id]


def test_what_is_of_the_other_environment_is_not_there(session: Session, mona: Person) -> None:
    segment = make_segment(session, [mona])
    test = Asked("test", text="mona")
    assert Finder(session, test).page().ids == []
    for asked in (Asked("test", segment_id=segment.id), Asked("test", import_id=1), Asked("live", segment_id=10**9)):
        with pytest.raises(REFUSALS, match="There is no"):
            Finder(session, asked)
    with pytest.raises(REFUSALS, match="begin at the first page"):
        Finder(session, Asked("test")).page(after=mona.id)


HOSTILE = (
    *(
        "' OR 1=1 --",
        "'); DROP TABLE person; --",
        "1; SELECT pg_sleep(9)",
        '" OR ""="',
        "x' UNION SELECT id FROM person --",
    ),
    *(
        "mona' & 'x",
        "mona:*",
        "!mona",
        "mona | zed",
        "(mona",
        "mona <-> x",
        "\\",
        "\\'",
        "%%",
        "_____",
        "a%",
        "\ufffd",
        "𝓂",
    ),
    *(
        "\x00",
        "\ud800x".encode("utf-8", "replace").decode(),
        "9" * 30,
        "+",
        "+0",
        "00",
        "-" * 200,
        "'" * 200,
        "x" * 201,
        "a " * 9,
    ),
    *(
        "{{7*7}}",
        "${jndi:ldap://x}",
        "../../etc",
        "\u202e",
        "\n\t",
        "NULL",
        "true",
        "1e400",
        "-7777777",
        "<script>",
        "created_at desc",
    ),
)


THEIRS = {"+", "mona:*", "!mona", "(mona", "\\", "\\'"}
"""What is left of these once signs around words are not looked at, Mona has; her note has a quoted word."""


def ask(session: Session, query: dict[str, str]) -> list[int] | str:
    """Whom it finds, or the refusal."""
    try:
        return list(Finder(session, asking.read("live", query)).page().ids)
    except REFUSALS as error:
        return str(error)


@pytest.mark.parametrize("field", ["search", "sort", "status", "country", "segment", "import"])
def test_hostile_words_find_nobody_and_break_nothing(session: Session, mona: Person, field: str) -> None:
    """Case 133: each is refused in a sentence or finds nobody; ORDER BY takes names of properties only."""
    everybody = session.scalars(text("SELECT count(*) FROM person")).one()
    for words in HOSTILE:
        outcome = ask(session, {field: words})
        is_answered = isinstance(outcome, str) or not words.strip() or words in THEIRS
        assert is_answered or outcome == [], words
        assert not isinstance(outcome, str) or outcome.endswith("."), words
    assert session.scalars(text("SELECT count(*) FROM person")).one() == everybody


def test_what_no_index_answers_is_sorted_only_while_it_is_little(
    session: Session, mona: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_person(session)
    monkeypatch.setattr(finding, "MOST_SORTED", 1)
    with pytest.raises(REFUSALS, match="search or filter first, or sort by created_at"):
        found(session, sort="nickname")
    assert found(session, sort="nickname", text="gold") == [mona.id]


def test_long_values_are_kept_and_found_by_their_beginning(session: Session) -> None:
    """The column of words holds none of more than 2,046 bytes; nobody's list fails for it."""
    person = make_person(session, distinct_id="d" * 500, nickname="n" * 1500, attributes={"essay": "é" * 4096 + " end"})
    for typed in ("d" * 150, "n" * 199, "é" * 100, "end"):
        assert found(session, text=typed) == [person.id]


def test_a_row_of_the_table_has_what_its_columns_ask_for(session: Session, mona: Person) -> None:
    properties.declare(session, "live", {"plan": PropertyType.TEXT, "seats": PropertyType.NUMBER})
    [row] = table.load(session, [mona.id], properties.every(session, "live"))
    assert row["display_name"] == "Mona El-Shazly"
    assert (row["phone"], row["email"], row["slack"]) == ("+201012345678", "mona_h@example.org", "U024BE7LH")
    assert (row["enabled"], row["plan"], row["seats"], row["sms"]) == ("enabled", "gold", 12.5, None)
