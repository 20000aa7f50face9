import re
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text, update
from sqlalchemy.orm import Session

from bot.models.team import ApiToken
from bot.team import tokens
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
