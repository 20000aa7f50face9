"""Columns are known by what people call them; what is unclear is refused, and what was put right is said."""

import io

import pytest

from bot.models.words import PropertyType
from bot.runtime import Runtime
from bot.settings import Settings
from broadcasts.imports.reading import reader, sample, synonyms, table
from broadcasts.imports.reading.dialects import AUTO, DIALECTS, METAHUMANS, SENDBIRD, Dialect, HeaderError, read_header
from broadcasts.imports.reading.findings import suggested_country, survey
from broadcasts.imports.reading.problems import ProblemKind
from broadcasts.imports.reading.rows import RowReader, Wanted
from broadcasts.imports.reading.table import Table
from tests.broadcasts import lists
from tests.broadcasts.lists import METAHUMANS_HEADER

KNOWN = {"office.no": PropertyType.NUMBER, "City": PropertyType.TEXT}


def targets(header: str, dialect: Dialect = AUTO) -> list[str | None]:
    return [column.target if column else None for column in read_header(dialect, header.split(","), KNOWN)]


def kinds(header: str, dialect: Dialect = AUTO) -> list[ProblemKind]:
    with pytest.raises(HeaderError) as caught:
        read_header(dialect, header.split(","), KNOWN)
    return [kind for kind, _ in caught.value.problems]


def opened(content: str | bytes, dialect: Dialect = AUTO) -> Table:
    data = content.encode() if isinstance(content, str) else content
    return table.read(io.BytesIO(data), reader.shape_of(lambda: io.BytesIO(data)), dialect, KNOWN)


@pytest.mark.parametrize(
    "header, expected",
    [
        ("Phone,First Name,E-Mail", ["phone", "first_name", "email"]),
        ("WhatsApp Number,LAST_NAME,Customer ID", ["phone", "last_name", "distinct_id"]),
        ("user.phone_no,user.email,user.username", ["phone", "email", "distinct_id"]),
        ("Téléphone,Prénom,Pays", ["phone", "first_name", "country"]),
        ("رقم الهاتف,الاسم", ["phone", "nickname"]),
        ("mobile no.,Name,Time Zone,Lang", ["phone", "nickname", "time_zone", "language"]),
        ("phone,city,Comments", ["phone", "City", None]),
        ("phone,Shoe size (EU),مدينة", ["phone", "Shoe_size_EU", "column_3"]),
        ("phone,Created At", ["phone", "Created_At_in_list"]),
        ("distinct_id,id,display_name,phone,created_at", ["distinct_id", None, None, "phone", None]),
    ],
)
def test_a_list_of_any_kind_is_understood(header: str, expected: list[str | None]) -> None:
    assert targets(header) == expected


def test_a_name_that_cannot_be_one_is_said_with_the_one_it_got() -> None:
    layout = read_header(AUTO, ["phone", "Shoe size"])

    assert [column.note for column in layout if column] == [
        "",
        "Its name cannot be an attribute's as it stands: it is stored as Shoe_size.",
    ]


def test_every_word_for_a_column_means_one_thing() -> None:
    assert synonyms.TARGETS[synonyms.plain("E-Mail")] == "email"
    words = [synonyms.plain(word) for words in synonyms._WORDS.values() for word in words.split(",")]
    assert sorted({word for word in words if words.count(word) > 1 and len({synonyms.TARGETS[word]}) > 1}) == []


@pytest.mark.parametrize(
    "header, dialect, expected",
    [
        ("phone,mobile", AUTO, [ProblemKind.DOUBLE_COLUMNS]),
        ("name,city", AUTO, [ProblemKind.MISSING_COLUMNS]),
        ("user_id,phone_number,office.no||TEXT", SENDBIRD, [ProblemKind.COLUMN_TYPES]),
        ("user_id,phone_number,since||DAY", SENDBIRD, [ProblemKind.COLUMN_TYPES]),
        (
            "my city,user_id,office.no||DATE,user_id",
            SENDBIRD,
            [
                ProblemKind.MISSING_COLUMNS,
                ProblemKind.DOUBLE_COLUMNS,
                ProblemKind.COLUMN_NAMES,
                ProblemKind.COLUMN_TYPES,
            ],
        ),
        (METAHUMANS_HEADER.replace("user.email,", ""), METAHUMANS, [ProblemKind.MISSING_COLUMNS]),
        (
            METAHUMANS_HEADER.replace("user.title,user.account", "user.account,user.title"),
            METAHUMANS,
            [ProblemKind.COLUMN_ORDER],
        ),
    ],
)
def test_what_is_wrong_with_a_header_is_told_gravest_first(
    header: str, dialect: Dialect, expected: list[ProblemKind]
) -> None:
    assert kinds(header, dialect) == expected


def test_two_recipients_in_a_row_are_refused_by_name() -> None:
    with pytest.raises(HeaderError, match="The columns Phone and Mobile are there for one thing, phone"):
        read_header(AUTO, ["Phone", "Mobile"])


@pytest.mark.parametrize("kind", PropertyType)
def test_a_column_says_its_type_or_has_the_one_there_is(kind: PropertyType) -> None:
    said, unsaid, new = read_header(
        SENDBIRD, ["user_id", "phone_number", f"a.b||{kind.lower()}", "known", "new"], {"known": kind}
    )[2:]

    assert [(column.target, column.kind) for column in (said, unsaid, new) if column] == [
        ("a.b", kind),
        ("known", kind),
        ("new", PropertyType.TEXT),
    ]


@pytest.mark.parametrize("dialect", DIALECTS.values(), ids=DIALECTS)
def test_a_sample_list_has_no_error_in_it(dialect: Dialect) -> None:
    known = {f"a.{kind}": kind for kind in PropertyType}
    data = b"".join(sample.as_csv(dialect, known))
    found = table.read(io.BytesIO(data), reader.shape_of(lambda: io.BytesIO(data)), dialect, known)

    rows = [RowReader(dialect, "EG", found.layout).read(record) for record in found.records]

    assert [type(row) for row in rows] == [Wanted]
    assert isinstance(rows[0], Wanted)
    assert set(rows[0].attributes) >= set(known)


@pytest.mark.parametrize("dialect", DIALECTS.values(), ids=DIALECTS)
def test_the_example_of_each_dialect_comes_in(dialect: Dialect) -> None:
    found = opened(dialect.example, dialect)
    country = "IN" if dialect.needs_country else None

    assert {type(RowReader(dialect, country, found.layout).read(record)) for record in found.records} == {Wanted}


BROKEN = METAHUMANS_HEADER.replace("user.first_name", "user,first_name")
LINE = "ann,919876543210,a@example.org,Ann,Lee,Dr,basic"


@pytest.mark.parametrize("dialect", [METAHUMANS, AUTO])
@pytest.mark.parametrize("line", [LINE, LINE.replace(",Ann", ",,Ann")], ids=["as wide as meant", "as wide as written"])
def test_a_dot_that_became_a_comma_is_put_right_and_said(dialect: Dialect, line: str) -> None:
    found = opened(f"{BROKEN}\n{line}\n", dialect)
    row = RowReader(dialect, "IN", found.layout).read(next(found.records))

    assert isinstance(row, Wanted)
    assert row.columns == {"first_name": "Ann", "last_name": "Lee"}
    assert found.notes == ["Columns 4 and 5, user and first_name, were read as one column, user.first_name."]


def test_the_same_typo_inside_quotes_is_an_alias() -> None:
    found = opened(
        f"{METAHUMANS_HEADER.replace('user.first_name', chr(34) + 'user,first_name' + chr(34))}\n", METAHUMANS
    )

    assert found.header.cells[3] == "user.first_name"
    assert found.notes == ["Column 4, user,first_name, was read as user.first_name."]


def test_a_first_look_at_wide_rows_reads_fewer() -> None:
    line = "+201012345678," + "x" * 4000 + "\n"

    told = survey(opened("phone,x\n" + line * 1500), reader.Shape("utf-8", ","), AUTO, None, {})

    assert told["sampled"] == 997


def test_a_hundred_thousand_columns_are_counted_and_refused() -> None:
    with pytest.raises(HeaderError, match="The file has 100,001 columns: 100 are the most"):
        opened("phone" + ",x" * 100_000 + "\n")


def test_bars_before_a_type_are_no_delimiters() -> None:
    found = opened('phone,"a, b",x||NUMBER,y||DATE,z||ARRAY\n')

    assert found.header.cells == ["phone", "a, b", "x||NUMBER", "y||DATE", "z||ARRAY"]


def test_a_first_look_tells_what_the_file_is() -> None:
    content = "user_id;phone_number;office.no;Shoe;Comments\nann;+201012345678;5;;\nbea;201012345679;x;;\n"
    found = opened(content, SENDBIRD)
    shape = reader.shape_of(lambda: io.BytesIO(content.encode()))

    told = survey(found, shape, SENDBIRD, None, KNOWN)

    assert {name: told[name] for name in ("dialect", "format", "encoding", "delimiter", "suggested_country")} == {
        "dialect": "sendbird",
        "format": "csv",
        "encoding": "utf-8",
        "delimiter": ";",
        "suggested_country": None,
    }
    assert [(each["becomes"], each["name"], each["type"], each["is_new"]) for each in told["columns"]] == [
        ("distinct_id", "distinct_id", "TEXT", False),
        ("phone", "phone", "TEXT", False),
        ("attribute", "office.no", "NUMBER", False),
        ("attribute", "Shoe", "TEXT", True),
        ("ignored", None, None, False),
    ]
    assert told["notes"] == ["Column office.no says no type: office.no is NUMBER already."]
    assert told["damage"]["lost_plus"] == 1


@pytest.mark.parametrize(
    "header, dialect", [("user_id,phone_number", "sendbird"), (METAHUMANS_HEADER, "metahumans"), ("Mobile", "auto")]
)
def test_a_list_of_any_kind_may_turn_out_to_be_of_a_kind(header: str, dialect: str) -> None:
    found = opened(f"{header}\n")

    assert survey(found, reader.Shape("utf-8", ","), AUTO, None, {})["dialect"] == dialect


@pytest.mark.parametrize(
    "numbers, country",
    [
        (["01012345678", "01112345678", "01212345678", "01512345678"], "EG"),
        (["1012345678", "1112345678", "1212345678", "1551234567"], "EG"),
        (["201012345678", "201112345678"], "EG"),
        (["9876543210", "98765 43211", "9123456780", "7011234567", "8123456789", "6361234567"], "IN"),
        (["11987654321", "21987654321", "11 98765-4322"], "BR"),
        (["0151 23456789", "0171 2345678", "0160 99123456", "030 901820"], "DE"),
        (["+4915123456789", "+49171234567"], "DE"),
        (["12", "nobody", ""], None),
        ([], None),
    ],
)
def test_the_country_of_a_list_is_told_from_its_numbers(numbers: list[str], country: str | None) -> None:
    assert suggested_country(numbers) == country


def test_each_dialect_has_a_limit_of_its_own_that_settings_change(rt: Runtime) -> None:
    for dialect in DIALECTS.values():
        default = next(f for f in Settings.__dataclass_fields__.values() if f.name == f"import_{dialect.name}_rows")
        assert int(default.metadata["default"]) == dialect.row_limit
        assert dialect.limit(rt.settings) == min(dialect.row_limit, rt.settings.import_max_rows)


def test_a_list_of_any_kind_comes_in_without_a_country_where_its_numbers_have_theirs(rt: Runtime) -> None:
    run = lists.take_in(rt, "Name,Phone\nAnn,+20 101 234 5678\nBea,0101 234 5679\n", dialect="auto")

    assert lists.counts(run) == (1, 0, 0, 1)
    assert run.findings is not None
    assert run.findings["suggested_country"] == "EG"
