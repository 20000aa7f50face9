from sqlalchemy.orm import Session

from bot.models.words import AddressKind
from bot.people.values import load_values, values_of
from tests.factories import make_address, make_person

ATTRIBUTES = {
    "title": "Dr",
    "office.no": 12.0,
    "office": {"city": "Cairo", "floors": [1, 2]},
    "member": True,
    "ratio": 0.5,
    "nothing": None,
    "first_name": "not the column's",
    "places": [{"lat": 1}],
}


def test_columns_addresses_and_attributes_are_one_flat_set_of_texts(session: Session) -> None:
    ana = make_person(session, phone="+201000000099", first_name="Ana", country="EG", attributes=ATTRIBUTES)
    make_address(session, ana, AddressKind.EMAIL, "ana@example.org")
    make_address(session, ana, AddressKind.PHONE, "+201000000100")
    expected = {
        "username": ana.distinct_id,
        "distinct_id": ana.distinct_id,
        "first_name": "Ana",
        "country": "EG",
        "phone_no": "+201000000099",
        "email": "ana@example.org",
        "title": "Dr",
        "office.no": "12",
        "office.city": "Cairo",
        "office.floors": "1, 2",
        "member": "yes",
        "ratio": "0.5",
        "places": '[{"lat":1}]',
    }
    assert load_values(session, [ana.id, ana.id, -1]) == {ana.id: expected}
    oldest_last = sorted(ana.addresses, key=lambda address: -address.id)
    assert values_of(ana, oldest_last) == expected


def test_whoever_asks_for_a_name_gets_it_from_wherever_it_is_known(session: Session) -> None:
    ana = make_person(session, phone="+201000000099", first_name=None, attributes=ATTRIBUTES)
    assert load_values(session, [ana.id], {"phone_no"})[ana.id]["phone_no"] == "+201000000099"
    assert load_values(session, [ana.id], {"office.no"})[ana.id]["office.no"] == "12"
    assert load_values(session, [ana.id], {"first_name"})[ana.id]["first_name"] == "not the column's"


def test_a_stranger_is_called_by_the_first_word_of_their_profile_name(session: Session) -> None:
    stranger = make_person(session, first_name=None, nickname="🌸 Ana María 🌸", distinct_id_given=False)
    values = load_values(session, [stranger.id])[stranger.id]
    assert values["first_name"] == "Ana"
    assert "username" not in values
