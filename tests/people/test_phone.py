import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot import phone
from bot.phone import Phone, PhoneError


@pytest.mark.parametrize(
    "text, region, e164, country",
    [
        ("+20 100 000 0001", None, "+201000000001", "EG"),
        ("0100 000 0001", "EG", "+201000000001", "EG"),
        ("+1 (650) 555-1234", None, "+16505551234", "US"),
        ("+15550001111", None, "+15550001111", "US"),
        ("+55 11 8765-4321", None, "+5511987654321", "BR"),
        ("+5215512345678", None, "+525512345678", "MX"),
        ("+52 1 55 1234 5678", None, "+525512345678", "MX"),
        ("011 15-2345-6789", "AR", "+5491123456789", "AR"),
        ("+80012345678", None, "+80012345678", None),
    ],
)
def test_what_people_type_becomes_one_form(text: str, region: str | None, e164: str, country: str | None) -> None:
    assert phone.parse(text, region) == Phone(e164, country)


@pytest.mark.parametrize(
    "text, region, reason",
    [
        ("0100 000 0001", None, "it does not begin with + and a country code"),
        ("", None, "it is not a phone number"),
        ("+999123456789", None, "it does not begin with + and a country code"),
        ("6.5E+10", "US", "it holds letters"),
        ("+1 800 FLOWERS", None, "it holds letters"),
        ("+1650", None, "it is too short for its country"),
        ("+1650555123456", None, "it is too long for its country"),
        ("+2010000000012345678901", None, "it is too long"),
        ("#", "US", "it is not a phone number"),
    ],
)
def test_what_is_no_number_is_refused_with_the_reason(text: str, region: str | None, reason: str) -> None:
    with pytest.raises(PhoneError) as caught:
        phone.parse(text, region)
    assert str(caught.value) == reason


@pytest.mark.parametrize(
    "received, key",
    [
        ("551187654321", "+5511987654321"),
        ("5511987654321", "+5511987654321"),
        ("551134567890", "+551134567890"),
        ("5215512345678", "+525512345678"),
        ("525512345678", "+525512345678"),
        ("5491143211234", "+5491143211234"),
        ("541143211234", "+541143211234"),
        ("5678", "+5678"),
        ("+20 100", "+20100"),
        ("", "+"),
        ("nonsense", "+"),
        ("9" * 60, "+" + "9" * 60),
    ],
)
def test_every_form_of_a_number_has_one_key_and_nothing_is_ever_refused(received: str, key: str) -> None:
    assert phone.canonical(received) == key
    assert phone.canonical(key) == key
    phone.country_of(key)


def test_a_brazilian_landline_is_not_given_a_ninth_digit() -> None:
    assert phone.parse("+55 11 3456-7890", None).e164 == "+551134567890"


def test_an_argentine_number_has_a_sibling_with_or_without_nine() -> None:
    assert phone.sibling("+5491143211234") == "+541143211234"
    assert phone.sibling("+541143211234") == "+5491143211234"
    assert phone.sibling("+201000000001") is None


@given(
    st.sampled_from(sorted(phone.calling_codes())), st.sampled_from([*sorted(phone.calling_codes()), None]), st.data()
)
@settings(max_examples=400, deadline=None)
def test_the_quick_reading_of_digits_is_the_slow_one(country: str, region: str | None, data: st.DataObject) -> None:
    code = phone.calling_codes()[country]
    number = phonenumbers.example_number(country)
    example = phonenumbers.national_significant_number(number) if number else ""
    cut = data.draw(st.integers(0, len(example)))
    national = example[:cut] + data.draw(st.text("0123456789", max_size=13 - cut))
    typed = data.draw(st.sampled_from([f"+{code}", f"{code}", "", "0", "1", "00", f"00{code}"])) + national
    quick = phone._parse_digits(typed, region)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(phone, "_parse_digits", lambda *_: None)
        try:
            slow: Phone | None = phone.parse(typed, region)
        except PhoneError:
            slow = None
    assert quick in {slow, None}
    assert phone._parse_digits("201000000001", "XX") is None
