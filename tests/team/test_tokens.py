import re
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text, update
from sqlalchemy.orm import Session

from bot.models.team import ApiToken
from bot.team import permissions, tokens
from bot.team.rights import Permission
from bot.team.tokens import TokenError


def test_a_token_shows_its_environment_and_is_found_by_its_secret(session: Session) -> None:
    made, secret = tokens.create(session, "test", "shop")
    assert re.fullmatch(r"bc_test_[A-Za-z0-9_-]{43}", secret)
    assert tokens.find(session, secret) is made


def test_the_database_holds_no_usable_token(session: Session) -> None:
    _made, secret = tokens.create(session, "live", "shop")
    dump = str(session.execute(text("SELECT t::text, encode(secret_hash, 'escape') FROM api_token t")).all())
    assert secret not in dump
    assert secret.encode().hex() not in dump
    assert secret.removeprefix("bc_live_") not in dump


@pytest.mark.parametrize("wrong", ["", "bc_live_", "bc_live_" + "A" * 43, "' OR 1=1 --", "\x00", "\ud800"])
def test_whatever_is_no_token_finds_none(session: Session, wrong: str) -> None:
    tokens.create(session, "live", "shop")
    assert tokens.find(session, wrong) is None


def test_a_revoked_token_is_refused_at_once_and_stays_revoked(session: Session) -> None:
    made, secret = tokens.create(session, "live", "shop")
    tokens.revoke(session, "live", "shop")
    first = made.revoked_at
    assert tokens.find(session, secret) is None
    assert tokens.revoke(session, "live", "shop").revoked_at == first is not None


def test_use_is_noted_at_most_once_a_minute(session: Session) -> None:
    made, secret = tokens.create(session, "live", "shop")
    tokens.find(session, secret)
    session.refresh(made)
    assert made.last_used_at is not None
    for ago, noted in ((timedelta(seconds=50), False), (timedelta(seconds=70), True)):
        earlier = datetime.now(UTC) - ago
        session.execute(update(ApiToken).values(last_used_at=earlier))
        tokens.find(session, secret)
        session.refresh(made)
        assert (made.last_used_at != earlier) is noted


def test_names_are_given_once_per_environment(session: Session) -> None:
    tokens.create(session, "live", "shop")
    tokens.create(session, "test", "shop")
    with pytest.raises(TokenError, match="already a token shop in live"):
        tokens.create(session, "live", "shop")
    with pytest.raises(TokenError, match="no name"):
        tokens.create(session, "live", " ")
    with pytest.raises(TokenError, match="choose live or test"):
        tokens.create(session, "prod", "shop")
    with pytest.raises(TokenError, match="no token 'x' in live"):
        tokens.revoke(session, "live", "x")


def test_a_token_may_what_its_scopes_say_and_one_without_scopes_everything(session: Session) -> None:
    old, _ = tokens.create(session, "live", "from before")
    narrow, _ = tokens.create(session, "live", "narrow", scopes=["people.read"])
    assert all(tokens.allows(old, scope) for scope in permissions.SCOPES)
    assert [scope for scope in permissions.SCOPES if tokens.allows(narrow, scope)] == [Permission.PEOPLE_READ]


@pytest.mark.parametrize("scopes, said", [([], "allowed nothing"), (["team.manage"], "no scope 'team.manage'")])
def test_scopes_are_those_of_the_table(session: Session, scopes: list[str], said: str) -> None:
    with pytest.raises(TokenError, match=said):
        tokens.create(session, "live", "shop", scopes=scopes)


def test_an_expired_token_is_refused(session: Session) -> None:
    made, secret = tokens.create(session, "live", "shop", expires_at=datetime.now(UTC) + timedelta(days=1))
    assert tokens.find(session, secret) is made
    session.execute(update(ApiToken).values(expires_at=datetime.now(UTC) - timedelta(seconds=1)))
    assert tokens.find(session, secret) is None
    with pytest.raises(TokenError, match="expired already"):
        tokens.create(session, "live", "late", expires_at=datetime.now(UTC) - timedelta(days=1))


def test_a_rotated_token_takes_the_secret_before_for_the_overlap_and_no_older_one(session: Session) -> None:
    made, first = tokens.create(session, "live", "shop")
    _, second = tokens.rotate(session, made.id, timedelta(hours=1))
    assert tokens.find(session, first) is tokens.find(session, second) is made
    assert made.former_until
    assert timedelta(minutes=59) < made.former_until - datetime.now(UTC) <= timedelta(hours=1)
    session.execute(update(ApiToken).values(former_until=datetime.now(UTC) - timedelta(seconds=1)))
    assert tokens.find(session, first) is None
    _, third = tokens.rotate(session, made.id, timedelta(hours=1))
    assert [tokens.find(session, secret) for secret in (first, second, third)] == [None, made, made]
    tokens.revoke(session, "live", "shop")
    assert [tokens.find(session, secret) for secret in (second, third)] == [None, None]
    with pytest.raises(TokenError, match="was revoked"):
        tokens.rotate(session, made.id, timedelta())
