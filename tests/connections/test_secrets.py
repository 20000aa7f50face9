import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from bot.connections import connections
from bot.connections.connections import ConnectionFieldError
from bot.connections.secrets import SealError, open_sealed, seal
from bot.models.connection import Connection
from bot.runtime import Runtime

SECRETS = {"access_token": "EAAG-secret-token", "app_secret": "app-secret-1234", "verify_token": "verify-5678"}


def add(rt: Runtime, session: Session, **changed: object) -> Connection:
    fields = {
        "slug": "main",
        "provider": "cloud",
        "account_id": "1020304050",
        "base_url": "https://graph.facebook.com/v25.0/",
        "secrets": SECRETS,
    }
    return connections.add(session, rt.settings.secret_key, **{**fields, **changed})  # type: ignore[arg-type]


def test_a_dump_of_the_database_holds_no_readable_secret(rt: Runtime, session: Session) -> None:
    add(rt, session)
    dump = session.execute(text("SELECT c::text, encode(sealed_secrets, 'escape') FROM connection c")).one()
    for secret in SECRETS.values():
        assert not any(secret in column or secret.encode().hex() in column for column in dump)


def test_a_connection_gives_its_secrets_back_to_whoever_has_the_key(rt: Runtime, session: Session) -> None:
    add(rt, session)
    session.expire_all()
    found = connections.by_slug(session, "main")
    assert found is not None
    account = connections.account_of(found, rt.settings)
    assert account.secrets == SECRETS
    assert account.base_url == "https://graph.facebook.com/v25.0"
    assert "EAAG" not in repr(account)


def test_another_key_opens_nothing_and_says_what_to_do() -> None:
    with pytest.raises(SealError, match="set BACKCHAT_SECRET_KEY"):
        open_sealed("b" * 32, seal("a" * 32, SECRETS))


def test_sealed_secrets_that_were_tampered_with_are_refused() -> None:
    sealed = bytearray(seal("a" * 32, SECRETS))
    sealed[40] ^= 1
    with pytest.raises(SealError):
        open_sealed("a" * 32, bytes(sealed))


@pytest.mark.parametrize(
    "field, value, said",
    [
        ("slug", "Main", "a-z, 0-9"),
        ("slug", "../admin", "a-z, 0-9"),
        ("slug", "-main", "a-z, 0-9"),
        ("slug", "main\n", "a-z, 0-9"),
        ("slug", "a" * 65, "at most 64"),
        ("provider", "pigeon", "choose one of"),
        ("account_id", " ", "account id is empty"),
        ("base_url", "graph.facebook.com", "is not one"),
        ("base_url", "ftp://graph.facebook.com", "is not one"),
        ("base_url", "https://user:pass@graph.facebook.com", "is not one"),
        ("base_url", "https://graph.facebook.com:port", "is not one"),
        ("base_url", "http://graph.facebook.com", "must be https"),
        ("base_url", "http://127.0.0.1.example.com", "must be https"),
        ("secrets", {"access_token": "x", "app_secret": ""}, "also needs: app_secret, verify_token"),
        ("secrets", {**SECRETS, "pin": "1"}, "has no secret pin"),
        ("secrets", {**SECRETS, "access_token": "a\r\nX-Evil: 1"}, "access_token holds"),
    ],
)
def test_a_wrong_field_is_refused_with_the_remedy(
    rt: Runtime, session: Session, field: str, value: object, said: str
) -> None:
    with pytest.raises(ConnectionFieldError, match=said):
        add(rt, session, **{field: value})


@pytest.mark.parametrize("base_url", ["http://127.0.0.1:9999", "http://[::1]:9999", "http://localhost:1/v25.0"])
def test_a_simulator_on_this_machine_may_speak_plain_http(rt: Runtime, session: Session, base_url: str) -> None:
    assert add(rt, session, base_url=base_url).base_url == base_url


def test_a_slug_is_given_once(rt: Runtime, session: Session) -> None:
    add(rt, session)
    with pytest.raises(ConnectionFieldError, match="already a connection main"):
        add(rt, session)
