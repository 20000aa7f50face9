"""A typed attribute is checked on the way in, and what is stored can be written down and read back unchanged."""

import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.models.words import PropertyType
from bot.people import attributes
from bot.people.attributes import FORMATS, AttributeValueError
from bot.people.formats import GREATEST

WORDS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)
NUMBERS = st.integers(-GREATEST, GREATEST) | st.floats(-(10**9), 10**9)
SCALARS = WORDS | NUMBERS | st.booleans()
NESTED = st.recursive(
    SCALARS | st.none(), lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3)
)
PLACES = st.fixed_dictionaries(
    {"latitude": st.floats(-90, 90), "longitude": st.floats(-180, 180)},
    optional={"name": WORDS, "address": WORDS},
)
STORED = {
    PropertyType.TEXT: WORDS,
    PropertyType.NUMBER: NUMBERS,
    PropertyType.DATE: st.dates().map(str),
    PropertyType.TIME: st.times().map(lambda told: told.isoformat("seconds")),
    PropertyType.DATETIME: st.datetimes().map(lambda told: told.isoformat(timespec="seconds") + "Z"),
    PropertyType.BOOLEAN: st.booleans(),
    PropertyType.ARRAY: st.lists(SCALARS, max_size=5),
    PropertyType.OBJECT: st.dictionaries(WORDS, NESTED, max_size=3),
    PropertyType.LOCATION: PLACES,
}


@pytest.mark.parametrize("kind", PropertyType)
@given(data=st.data())
@settings(max_examples=50, deadline=None)
def test_what_is_stored_is_read_back_from_its_own_text(kind: PropertyType, data: st.DataObject) -> None:
    value = attributes.accept(kind, data.draw(STORED[kind]))

    assert attributes.read(kind, attributes.write(kind, value)) == value
    assert attributes.accept(kind, value) == value


@pytest.mark.parametrize("kind", PropertyType)
@given(text=st.text(max_size=30) | st.text(string.digits + "-:.,TZ+eE {}[]\"'tfn", max_size=20))
@settings(max_examples=100, deadline=None)
def test_whatever_stands_in_a_cell_is_read_or_refused_with_the_remedy(kind: PropertyType, text: str) -> None:
    try:
        value = attributes.read(kind, text)
    except AttributeValueError as error:
        assert str(error)  # noqa: PT017 (refused or read, both are right)
    else:
        assert attributes.read(kind, attributes.write(kind, value)) == value


@pytest.mark.parametrize("kind", PropertyType)
def test_the_example_of_each_format_is_of_its_type(kind: PropertyType) -> None:
    assert attributes.write(kind, attributes.read(kind, FORMATS[kind].example))


@pytest.mark.parametrize(
    "kind, text, value",
    [
        ("TEXT", "Algebra I", "Algebra I"),
        ("NUMBER", "12", 12),
        ("NUMBER", "12.0", 12),
        ("NUMBER", "-0.5", -0.5),
        ("NUMBER", "1e3", 1000),
        ("NUMBER", str(GREATEST), GREATEST),
        ("DATE", "2024-02-29", "2024-02-29"),
        ("TIME", "9:05", "09:05:00"),
        ("TIME", "23:59:59", "23:59:59"),
        ("DATETIME", "2026-01-31T14:00:00+02:00", "2026-01-31T12:00:00Z"),
        ("DATETIME", "2026-01-31 12:00", "2026-01-31T12:00:00Z"),
        ("DATETIME", "2026-01-31T12:00:00.999Z", "2026-01-31T12:00:00Z"),
        ("DATETIME", "2026-01-31", "2026-01-31T00:00:00Z"),
        ("BOOLEAN", "TRUE", True),
        ("BOOLEAN", "no", False),
        ("ARRAY", '["a", 1, true]', ["a", 1, True]),
        ("OBJECT", '{"a": {"b": [1, null]}}', {"a": {"b": [1, None]}}),
        ("LOCATION", "30.0444;31.2357", {"latitude": 30.0444, "longitude": 31.2357}),
        (
            "LOCATION",
            '{"latitude": 30, "longitude": -3.5, "name": "x"}',
            {"latitude": 30.0, "longitude": -3.5, "name": "x"},
        ),
    ],
)
def test_each_type_has_one_normal_form(kind: str, text: str, value: object) -> None:
    found = attributes.read(PropertyType(kind), text)

    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    "kind, text, said",
    [
        ("TEXT", "x" * 5000, "longer than 4,096"),
        ("NUMBER", "abc", "abc is not of type NUMBER. Digits, with a point before decimals"),
        ("NUMBER", "1,5", "for example 12.5"),
        ("NUMBER", "٣", "not of type NUMBER"),
        ("NUMBER", "nan", "not of type NUMBER"),
        ("NUMBER", "1e400", "more than a number holds exactly"),
        ("NUMBER", str(GREATEST + 1), "more than a number holds exactly"),
        ("DATE", "31/01/2026", "for example 2026-01-31"),
        ("DATE", "2026-02-30", "not of type DATE"),
        ("TIME", "25:00", "not of type TIME"),
        ("DATETIME", "2026-01-31T25:00Z", "not of type DATETIME"),
        ("DATETIME", "0001-01-01T00:00:00+02:00", "not of type DATETIME"),
        ("BOOLEAN", "maybe", "The word true or false"),
        ("ARRAY", "red, green", "A JSON list"),
        ("ARRAY", "[[1]]", "not of type ARRAY"),
        ("ARRAY", '["\\u0000"]', "NUL"),
        ("OBJECT", "[1]", "A JSON object"),
        ("OBJECT", '{"a":' * 20 + "1" + "}" * 20, "nested more than 8 deep"),
        ("LOCATION", "91, 0", "latitude 91.0 does not lie between -90 and 90"),
        ("LOCATION", "Cairo", "Latitude and longitude"),
        ("LOCATION", '{"latitude": 1, "longitude": 2, "zoom": 3}', "not of type LOCATION"),
    ],
)
def test_what_does_not_fit_is_told_with_what_would(kind: str, text: str, said: str) -> None:
    with pytest.raises(AttributeValueError) as caught:
        attributes.read(PropertyType(kind), text)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    "kind, value",
    [
        ("NUMBER", "12"),
        ("NUMBER", True),
        ("NUMBER", float("nan")),
        ("BOOLEAN", 1),
        ("TEXT", 5),
        ("TEXT", "\ud800"),
        ("ARRAY", "[1]"),
        ("ARRAY", [None]),
        ("ARRAY", ["x" * 4096]),
        ("OBJECT", {"a": {1: 2}}),
        ("OBJECT", {"a": object()}),
        ("LOCATION", {"latitude": "1", "longitude": 2}),
        ("LOCATION", {"latitude": 1, "longitude": 2, "name": 3}),
        ("DATE", None),
    ],
)
def test_json_of_another_type_is_refused(kind: str, value: object) -> None:
    with pytest.raises(AttributeValueError):
        attributes.accept(PropertyType(kind), value)
