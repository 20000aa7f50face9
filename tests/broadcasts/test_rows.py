"""Each row that is kept out is told why, by column and with the remedy; everything else is taken as it stands."""

import pytest

from broadcasts.imports.reading.dialects import DIALECTS, HeaderError, read_header
from broadcasts.imports.reading.reader import Record
from broadcasts.imports.reading.rows import Rejected, RowReader, Wanted
from tests.broadcasts.lists import METAHUMANS_HEADER

SENDBIRD = "user_id,phone_number,nickname,email,country,time_zone,language,city"


def read(line: str, header: str = SENDBIRD, dialect: str = "sendbird", country: str | None = None) -> Wanted | Rejected:
    layout = read_header(DIALECTS[dialect], header.split(","))
    return RowReader(DIALECTS[dialect], country, layout).read(Record(2, line.split(",")))


def comment(line: str, **more: str) -> str:
    found = read(line, **more)
    assert isinstance(found, Rejected), found
    return found.comment


def metahumans(phone: str) -> Wanted | Rejected:
    return read(f"ann,{phone},,,,,", METAHUMANS_HEADER, "metahumans", "IN")


def test_a_full_row_is_read_into_person_address_and_attribute() -> None:
    found = read("ann,+201012345678,Annie,Ann@Example.org,eg,Africa/Cairo,ar,Cairo")

    assert isinstance(found, Wanted)
    assert (found.distinct_id, found.phone, found.country, found.email) == (
        "ann",
        "+201012345678",
        "EG",
        "ann@example.org",
    )
    assert found.columns == {"nickname": "Annie", "country": "EG", "time_zone": "Africa/Cairo", "language": "ar"}
    assert found.attributes == {"city": "Cairo"}


def test_invisible_characters_around_a_number_are_forgiven() -> None:
    found = read("ann,\u202a+201012345678\u202c,,,,,,")

    assert isinstance(found, Wanted)
    assert found.phone == "+201012345678"


@pytest.mark.parametrize(
    "line, said",
    [
        ("ann,,,,,,,", "phone_number is empty"),
        ("ann,201012345678,,,,,,", "phone_number 201012345678 has no plus sign"),
        (
            "ann,+20 101 234 5678,,,,,,",
            "phone_number +20 101 234 5678 is not written as a plus sign and 5 to 15 digits",
        ),
        ("ann,+(20)1012345678,,,,,,", "is not written as"),
        ("ann,2.01012E+11,,,,,,", "phone_number 2.01012E+11 was shortened by a spreadsheet"),
        ("ann,+999123456789,,,,,,", "cannot be used: it does not begin with"),
        ("ann,+20101,,,,,,", "cannot be used: it is too short"),
        (",+201012345678,,,,,,", "user_id is empty"),
        ("ann lee,+201012345678,,,,,,", "user_id ann lee may hold only letters"),
        ("ann,+201012345678,,not-an-address,,,,", "email not-an-address is not an e-mail address"),
        ("ann,+201012345678,,,Egypt,,,", "country Egypt is not a country code"),
        ("ann,+201012345678,,,,Cairo,,", "time_zone Cairo is not a time zone"),
        ("ann,+201012345678,,,,,Arabic!,", "language Arabic! is not a language code"),
        ("ann,+201012345678,a\0b,,,,,", "nickname holds a NUL character"),
        ("ann,+201012345678,,,,,," + "x" * 5000, "city is longer than 4,096 characters"),
        ("ann,+201012345678,,,,,,Cairo,more", "The row has 9 cells and the header 8"),
        ("ann", "phone_number is missing from this row"),
    ],
)
def test_a_bad_cell_is_named_with_its_remedy(line: str, said: str) -> None:
    assert said in comment(line)


def test_all_that_is_wrong_with_a_row_is_told_at_once() -> None:
    told = comment("ann lee,12,,x,,,,")

    assert [word in told for word in ("user_id", "phone_number", "email")] == [True] * 3


@pytest.mark.parametrize("phone", ["919876543210", "9876543210", "09876543210"])
def test_a_list_of_digits_knows_the_number_with_and_without_its_country(phone: str) -> None:
    found = metahumans(phone)

    assert isinstance(found, Wanted)
    assert found.phone == "+919876543210"


def test_a_number_of_another_country_keeps_the_code_it_begins_with() -> None:
    found = metahumans("14155552671")

    assert isinstance(found, Wanted)
    assert (found.phone, found.country) == ("+14155552671", "US")


@pytest.mark.parametrize("phone", ["+919876543210", "(91) 9876543210", "91-9876543210", "9.19877E+11", "12", ""])
def test_a_list_of_digits_takes_digits_alone(phone: str) -> None:
    found = metahumans(phone)

    assert isinstance(found, Rejected)
    assert found.comment.startswith("user.phone_no ")


@pytest.mark.parametrize(
    "dialect, header, said",
    [
        ("sendbird", "name,phone", "missing: user_id, phone_number."),
        ("sendbird", "user_id,name", "missing: phone_number."),
        ("sendbird", "user_id,phone_number,my city", "only letters, digits, underscore, hyphen and period"),
        ("sendbird", "user_id,phone_number,,city", "Column 3 has no name"),
        ("sendbird", "user_id,phone_number,city,city", "city is there more than once"),
        ("sendbird", "user_id,phone_number,username", "has a meaning of its own"),
        ("sendbird", "user_id,phone_number," + ",".join(f"c{n}" for n in range(200)), "202 columns: 100 are the most"),
        ("metahumans", "user.username,user.phone_no", "missing: user.email, user.first_name"),
        (
            "metahumans",
            METAHUMANS_HEADER.replace("user.username,user.phone_no", "user.phone_no,user.username"),
            "in this order",
        ),
        ("metahumans", f"city,{METAHUMANS_HEADER}", "in this order"),
        (
            "metahumans",
            f"{METAHUMANS_HEADER},office.no||NUMERIC",
            "there is no type 'NUMERIC'; write one of TEXT, NUMBER",
        ),
    ],
)
def test_wrong_columns_refuse_the_file(dialect: str, header: str, said: str) -> None:
    with pytest.raises(HeaderError, match=said.replace(".", r"\.")):
        read_header(DIALECTS[dialect], header.split(","))


def test_columns_are_known_in_any_case_and_trailing_blank_ones_are_forgiven() -> None:
    layout = read_header(DIALECTS["sendbird"], ["\ufeffUser_ID ", " PHONE_NUMBER", "City", "", ""])

    assert [column.target for column in layout if column] == ["distinct_id", "phone", "City"]
