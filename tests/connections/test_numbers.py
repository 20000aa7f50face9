import pytest
from sqlalchemy.orm import Session

from bot.connections import connections, numbers
from bot.connections.numbers import NumberError
from bot.models.connection import Connection, Number
from bot.runtime import Runtime

SECRETS = {"access_token": "t", "app_secret": "s", "verify_token": "v"}


@pytest.fixture
def main(rt: Runtime, session: Session) -> Connection:
    return connections.add(
        session,
        rt.settings.secret_key,
        slug="main",
        provider="cloud",
        account_id="1",
        base_url="https://graph.example.com",
        secrets=SECRETS,
    )


def add(session: Session, main: Connection, phone: str, provider_id: str, environment: str = "live") -> Number:
    return numbers.add(
        session, main, environment=environment, provider_number_id=provider_id, phone=phone, name="", pace_per_s=20
    )


def test_a_number_is_kept_in_one_form_and_found_by_the_providers_id(session: Session, main: Connection) -> None:
    made = add(session, main, "+49 30 901820", "111")
    assert (made.phone, made.name, made.pace_per_s) == ("+4930901820", "+4930901820", 20)
    assert numbers.by_provider_id(session, main.id, "111") is made
    assert numbers.by_provider_id(session, main.id, "112") is None


@pytest.mark.parametrize(
    "phone, provider_id, environment, said",
    [
        ("030 901820", "1", "live", r"because it does not begin with \+"),
        ("+49 30 901820", " ", "live", "provider's id"),
        ("+49 30 901820", "1", "staging", "choose live or test"),
    ],
)
def test_a_wrong_field_is_refused_with_the_remedy(
    session: Session, main: Connection, phone: str, provider_id: str, environment: str, said: str
) -> None:
    with pytest.raises(NumberError, match=said):
        add(session, main, phone, provider_id, environment)


def test_a_providers_id_is_given_once_per_connection(session: Session, main: Connection) -> None:
    add(session, main, "+4930901820", "111")
    with pytest.raises(NumberError, match="already has a number 111"):
        add(session, main, "+4930901821", "111")


def test_the_only_number_of_an_environment_need_not_be_named(session: Session, main: Connection) -> None:
    with pytest.raises(NumberError, match="no number in live yet"):
        numbers.choose(session, "live", None)
    first = add(session, main, "+4930901820", "111")
    add(session, main, "+4930901899", "999", "test")
    assert numbers.choose(session, "live", None) is first
    second = add(session, main, "+4930901821", "112")
    with pytest.raises(NumberError, match="several numbers in live"):
        numbers.choose(session, "live", None)
    assert numbers.choose(session, "live", "+4930901821") is second
    assert numbers.choose(session, "live", str(first.id)) is first
    with pytest.raises(NumberError, match="no number in live"):
        numbers.choose(session, "live", "+4930901899")
