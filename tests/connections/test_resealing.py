"""Secrets lie encrypted under a key that the database does not hold, and that key can be changed."""

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from bot.connections import connections, resealing, rotation
from bot.connections.resealing import ResealError
from bot.connections.secrets import SealError, open_sealed
from bot.models.connection import Connection
from tests.erasure.scan import scan

OLD, NEW = "o" * 40, "n" * 40
SECRETS = {"access_token": "EAAG-token-of-the-line", "app_secret": "app-secret-of-the-line", "verify_token": "vvvvvvvv"}


@pytest.fixture
def line(session: Session) -> Connection:
    return add(session, "line", OLD)


def add(session: Session, slug: str, key: str) -> Connection:
    added = connections.add(
        session, key, slug=slug, provider="cloud", account_id=slug, base_url="http://127.0.0.1:9/v1", secrets=SECRETS
    )
    rotation.replace(session, key, added, {"app_secret": "app-secret-that-follows"}, timedelta(days=1))
    return added


def test_no_value_of_any_table_holds_a_secret_in_the_clear(session: Session, line: Connection) -> None:
    assert line.sealed_former
    assert scan(session.connection(), [*SECRETS.values(), "app-secret-that-follows", OLD]) == []


def test_after_resealing_the_new_key_opens_everything_and_the_old_one_nothing(
    session: Session, line: Connection
) -> None:
    present = open_sealed(OLD, line.sealed_secrets)
    former = open_sealed(OLD, line.sealed_former or b"")

    assert resealing.reseal(session, NEW, [OLD]) == ["line"]

    assert open_sealed(NEW, line.sealed_secrets) == present
    assert open_sealed(NEW, line.sealed_former or b"") == former
    for sealed in (line.sealed_secrets, line.sealed_former or b""):
        with pytest.raises(SealError):
            open_sealed(OLD, sealed)
    assert resealing.reseal(session, NEW, [OLD]) == []


def test_what_is_sealed_with_an_unknown_key_is_named_and_nothing_is_half_done(
    session: Session, line: Connection
) -> None:
    add(session, "other", "x" * 40)

    with pytest.raises(ResealError, match="secrets of other"), session.begin_nested():
        resealing.reseal(session, NEW, [OLD])

    session.refresh(line)
    assert open_sealed(OLD, line.sealed_secrets)["access_token"] == SECRETS["access_token"]
