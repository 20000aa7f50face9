"""What a spreadsheet or a hurried hand did to a cell is recognised, and its one right reading, if any, is proposed."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot import phone
from bot.models.words import PropertyType
from bot.people import attributes
from broadcasts.imports.reading import cells, fixes, type_fixes
from broadcasts.imports.reading.damage import Damage
from broadcasts.imports.reading.dialects import DIALECTS, PhoneForm, read_header
from broadcasts.imports.reading.problems import ProblemKind
from broadcasts.imports.reading.reader import Record
from broadcasts.imports.reading.rows import Rejected, RowReader, Wanted
from tests.broadcasts.lists import METAHUMANS_HEADER

HEADERS = {
    "auto": "Customer ID,Phone,Email,Score||NUMBER",
    "sendbird": "user_id,phone_number,email,score||NUMBER",
    "metahumans": f"{METAHUMANS_HEADER},score||NUMBER",
}


def reader_of(dialect: str, country: str | None) -> RowReader:
    return RowReader(DIALECTS[dialect], country, read_header(DIALECTS[dialect], HEADERS[dialect].split(",")))


def read(number: str, dialect: str = "auto", country: str | None = "EG") -> Wanted | Rejected:
    return reader_of(dialect, country).read(Record(2, ["ann", number, ""]))


def rejected(number: str, dialect: str = "auto", country: str | None = "EG") -> Rejected:
    found = read(number, dialect, country)
    assert isinstance(found, Rejected), found
    return found


@pytest.mark.parametrize(
    "typed, country, e164",
    [
        ("+20 101 234 5678", None, "+201012345678"),
        ("0020 (101) 234-5678", None, "+201012345678"),
        ("+201012345678", "IN", "+201012345678"),
        ("0101 234 5678", "EG", "+201012345678"),
        ("1012345678", "EG", "+201012345678"),
        ("201012345678", "EG", "+201012345678"),
        ("٠١٠١٢٣٤٥٦٧٨", "EG", "+201012345678"),
        ("\uff0b\uff12\uff10 1012345678", None, "+201012345678"),
        ("\u202a+201012345678\u202c", None, "+201012345678"),
        ("+44 (0)20 7946 0958", None, "+442079460958"),
        ("Tel.: 0101 234 5678", "EG", "+201012345678"),
        ("(11) 98765-4321", "BR", "+5511987654321"),
        ("11 8765-4321", "BR", "+5511987654321"),
        ("044 55 1234 5678", "MX", "+525512345678"),
        ("+52 1 55 1234 5678", None, "+525512345678"),
        ("011 15-2345-6789", "AR", "+5491123456789"),
        ("'01012345678", "EG", "+201012345678"),
        ("14155552671", "EG", "+14155552671"),
    ],
)
def test_a_number_is_taken_as_people_write_it(typed: str, country: str | None, e164: str) -> None:
    found = read(typed, country=country)

    if isinstance(found, Rejected):  # Mexico's old prefix is proposed rather than taken
        assert typed.startswith("044")
        assert found.proposal == {"1": e164}
    else:
        assert found.phone == e164


@pytest.mark.parametrize(
    "dialect, country, typed, kind, proposal",
    [
        ("auto", "EG", "9.2E+11", ProblemKind.DAMAGED, None),
        ("auto", "EG", "9,2E+11", ProblemKind.DAMAGED, None),
        ("auto", "EG", "2.01012345678E+11", ProblemKind.DAMAGED, "+201012345678"),
        ("sendbird", None, "2.01012345678E+11", ProblemKind.DAMAGED, "+201012345678"),
        ("metahumans", "EG", "2.01012345678E+11", ProblemKind.DAMAGED, "201012345678"),
        ("auto", "EG", "2026-01-31", ProblemKind.DAMAGED, None),
        ("auto", "EG", "31/01/2026", ProblemKind.DAMAGED, None),
        ("auto", "EG", "12-Mar", ProblemKind.DAMAGED, None),
        ("auto", "EG", "#N/A", ProblemKind.DAMAGED, None),
        ("auto", None, "201012345678", ProblemKind.PHONE_COUNTRY, "+201012345678"),
        ("auto", None, "01012345678", ProblemKind.PHONE_COUNTRY, None),
        ("auto", "EG", "O1OI2345678", ProblemKind.PHONE_FORM, "+201012345678"),
        ("auto", "EG", "ask her", ProblemKind.PHONE_FORM, None),
        ("auto", "EG", "", ProblemKind.PHONE_MISSING, None),
        ("auto", "EG", "+20101", ProblemKind.PHONE_INVALID, None),
        ("sendbird", None, "201012345678", ProblemKind.PHONE_FORM, "+201012345678"),
        ("sendbird", None, "+20 (101) 234-5678", ProblemKind.PHONE_FORM, "+201012345678"),
        ("metahumans", "IN", "+919876543210", ProblemKind.PHONE_FORM, "919876543210"),
        ("metahumans", "IN", "(91) 9876543210", ProblemKind.PHONE_FORM, "919876543210"),
        ("metahumans", "AR", "11 15 2345-6789", ProblemKind.PHONE_FORM, "5491123456789"),
        ("metahumans", "BR", "(11) 8765-4321", ProblemKind.PHONE_FORM, "5511987654321"),
    ],
)
def test_a_number_that_is_refused_names_its_kind_of_problem_and_what_would_do(
    dialect: str, country: str | None, typed: str, kind: ProblemKind, proposal: str | None
) -> None:
    found = rejected(typed, dialect, country)

    assert (found.column, found.kind) == (1, kind)
    assert found.proposal == (None if proposal is None else {"1": proposal})
    if proposal is not None:
        assert isinstance(read(proposal, dialect, country), Wanted)


@pytest.mark.parametrize(
    "typed, country, expected",
    [
        ("201012345678", "EG", Damage.LOST_PLUS),
        ("1012345678", "EG", Damage.LOST_ZERO),
        ("9.2E+11", "EG", Damage.ROUNDED),
        ("12-Mar", "EG", Damage.DATES),
        ("01012345678", "EG", None),
        ("+201012345678", "EG", None),
        ("2015550123", "US", None),
    ],
)
def test_damage_is_counted(typed: str, country: str, expected: Damage | None) -> None:
    reader = reader_of("auto", country)
    reader.read(Record(2, ["ann", typed]))

    assert dict(reader.tally) == ({expected: 1} if expected else {})


def test_a_row_is_classed_by_its_gravest_fault_and_proposes_for_each() -> None:
    found = reader_of("auto", "EG").read(Record(2, ["1.23E+15", "O1012345678", "ann@gmailcom", "1,234.50"]))

    assert isinstance(found, Rejected)
    assert (found.column, found.kind) == (0, ProblemKind.DAMAGED)
    assert found.proposal == {"1": "+201012345678", "2": "ann@gmail.com", "3": "1234.5"}
    assert [word in found.comment for word in ("Customer ID", "Phone", "Email", "Score")] == [True] * 4


def test_blank_cells_are_told_apart_from_cells_that_are_not_there() -> None:
    layout = read_header(DIALECTS["sendbird"], ["user_id", "phone_number", "nickname", "email", "score||NUMBER"])
    found = RowReader(DIALECTS["sendbird"], None, layout).read(Record(2, ["ann", "+201012345678", " ", "a@b.org"]))

    assert isinstance(found, Wanted)
    assert found.blank == ["nickname", "score"]
    assert (found.columns, found.email, found.attributes) == ({}, "a@b.org", {})


@pytest.mark.parametrize("kind", PropertyType)
def test_a_typed_cell_is_stored_as_its_type_and_another_fails_with_row_and_column(kind: PropertyType) -> None:
    layout = read_header(DIALECTS["sendbird"], ["user_id", "phone_number", f"office.no||{kind}"])
    reader = RowReader(DIALECTS["sendbird"], None, layout)
    example = attributes.FORMATS[kind].example

    found = reader.read(Record(2, ["ann", "+201012345678", example]))
    wrong = reader.read(Record(3, ["ann", "+201012345678", "x" * 5000 if kind == PropertyType.TEXT else "a text"]))

    assert isinstance(found, Wanted)
    assert found.attributes == {"office.no": attributes.read(kind, example)}
    assert isinstance(wrong, Rejected)
    assert (wrong.row, wrong.column) == (3, 2)
    assert wrong.comment.startswith(f"office.no||{kind} ")


@pytest.mark.parametrize(
    "kind, text, proposal",
    [
        ("NUMBER", "1,234.50", "1234.5"),
        ("NUMBER", "1.234,50", "1234.5"),
        ("NUMBER", "12,5", "12.5"),
        ("NUMBER", "1 234", "1234"),
        ("NUMBER", "$12", "12"),
        ("NUMBER", "1,234", None),
        ("NUMBER", "twelve", None),
        ("BOOLEAN", "Y", "true"),
        ("BOOLEAN", "nein", "false"),
        ("BOOLEAN", "maybe", None),
        ("DATE", "31.01.2026", "2026-01-31"),
        ("DATE", "31/01/2026", "2026-01-31"),
        ("DATE", "01/31/2026", "2026-01-31"),
        ("DATE", "2026/1/31", "2026-01-31"),
        ("DATE", "3.2.2026", "2026-02-03"),
        ("DATE", "3/2/2026", None),
        ("DATE", "3/3/2026", "2026-03-03"),
        ("DATE", "31 January 2026", "2026-01-31"),
        ("DATE", "Jan 31, 2026", "2026-01-31"),
        ("DATE", "46053", "2026-01-31"),
        ("DATE", "2026-01-31T00:00:00Z", "2026-01-31"),
        ("DATE", "31.02.2026", None),
        ("TIME", "2:30 PM", "14:30:00"),
        ("TIME", "12 am", "00:00:00"),
        ("TIME", "14.30", "14:30:00"),
        ("TIME", "25:00", None),
        ("DATETIME", "31.01.2026 14:30", "2026-01-31T14:30:00Z"),
        ("DATETIME", "01/31/2026 2:30 pm", "2026-01-31T14:30:00Z"),
        ("ARRAY", "red, green", '["red","green"]'),
        ("ARRAY", "red; green", '["red","green"]'),
        ("OBJECT", "{\u201ca\u201d: 1}", '{"a":1}'),
        ("OBJECT", "{'a': 1}", '{"a":1}'),
        ("OBJECT", "a=1", None),
        ("LOCATION", "30.0444 31.2357", "30.0444, 31.2357"),
        ("LOCATION", "lat: 30.0444, lng: 31.2357", "30.0444, 31.2357"),
        ("LOCATION", "Cairo", None),
    ],
)
def test_a_cell_of_another_format_has_a_proposal_where_it_can_be_read_in_one_way(
    kind: str, text: str, proposal: str | None
) -> None:
    assert type_fixes.propose(PropertyType(kind), text) == proposal


@pytest.mark.parametrize(
    "text, proposal",
    [
        ("ann@gmailcom", "ann@gmail.com"),
        ("ann@gmail", "ann@gmail.com"),
        ("ann@example,org", "ann@example.org"),
        ("ann @ example.org", "ann@example.org"),
        ("mailto:Ann@Example.org", "ann@example.org"),
        ("Ann Lee <ann@example.org>", "ann@example.org"),
        ("ann@@example.org;", "ann@example.org"),
        ("ann(at)example.org", "ann@example.org"),
        ("nobody", None),
        ("ann@somewhere", None),
        ("a@b.org, c@d.org", None),
    ],
)
def test_an_address_that_was_mistyped_has_a_proposal_where_it_is_certain(text: str, proposal: str | None) -> None:
    with pytest.raises(cells.CellError) as caught:
        cells.read_email(text)
    assert caught.value.proposal == proposal


@given(st.text(max_size=25) | st.text("0123456789+-() .eE'", max_size=20), st.sampled_from(["EG", "AR", "BR", None]))
@settings(max_examples=200, deadline=None)
def test_whatever_stands_in_the_cells_a_row_is_read_or_refused_and_a_proposal_is_right(
    text: str, country: str | None
) -> None:
    for dialect in DIALECTS:
        record = Record(2, [text, text, text, text])
        found = reader_of(dialect, country).read(record)
        assert isinstance(found, Wanted | Rejected)
    for form in PhoneForm:
        proposal = fixes.phone(text, form, country)
        assert proposal is None or phone.is_assigned(f"+{proposal.removeprefix('+')}")
    for kind in PropertyType:
        fixed = type_fixes.propose(kind, text)
        assert fixed is None or attributes.write(kind, attributes.read(kind, fixed)) == fixed
