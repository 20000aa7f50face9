"""Replacing a secret loses no webhook, and what was replaced ends when it was to end (case 23)."""

from datetime import timedelta

import orjson
import pytest

from bot.connections import connections, rotation
from bot.connections.connections import ConnectionFieldError
from tests.webhooks.conftest import SECRETS, Line, contact, envelope, signed, text_message

WEEK = timedelta(days=7)
OLD, NEW = SECRETS["app_secret"], "the-new-app-secret"


@pytest.fixture(autouse=True)
def _see_changes_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webhooks.lines.FRESH_S", -1.0)


def replace(line: Line, keep_for: timedelta, **secrets: str) -> None:
    with line.rt.transaction() as session:
        found = connections.by_slug(session, line.slug)
        assert found is not None
        rotation.replace(session, line.rt.settings.secret_key, found, secrets, keep_for)


def answer(line: Line, secret: str) -> int:
    body = orjson.dumps(envelope(messages=[text_message("hello")], contacts=[contact()]))
    return line.post(body, signed(body, secret)).status_code


def test_before_during_and_after_an_overlap_each_secret_opens_what_it_should(line: Line) -> None:
    assert [answer(line, OLD), answer(line, NEW)] == [200, 401]
    replace(line, WEEK, app_secret=NEW)
    assert [answer(line, secret) for secret in (OLD, NEW, OLD, "neither")] == [200, 200, 200, 401]
    with line.rt.transaction() as session:
        found = connections.by_slug(session, line.slug)
        assert found is not None
        rotation.drop_former(session, found)
    assert [answer(line, OLD), answer(line, NEW)] == [401, 200]
    line.apply()
    assert line.ask("SELECT count(*) FROM message") == 5


def test_the_one_before_ends_by_itself(line: Line) -> None:
    replace(line, timedelta(seconds=-1), app_secret=NEW)
    assert [answer(line, OLD), answer(line, NEW)] == [401, 200]


def test_a_second_rotation_and_one_of_another_secret_leave_the_overlap(line: Line) -> None:
    replace(line, WEEK, app_secret=NEW)
    replace(line, WEEK, verify_token="another")
    assert [answer(line, OLD), answer(line, NEW)] == [200, 200]
    replace(line, WEEK, app_secret=NEW)  # the same again replaces nothing
    assert answer(line, OLD) == 200
    replace(line, WEEK, app_secret="a-third-one")
    assert [answer(line, secret) for secret in (OLD, NEW, "a-third-one")] == [401, 200, 200]


def test_what_was_replaced_is_sealed_at_rest_and_never_sent(line: Line) -> None:
    replace(line, WEEK, app_secret=NEW, access_token="new-token")
    dump = str(line.rows("SELECT c::text, encode(sealed_former, 'escape') FROM connection c"))
    assert not any(secret in dump or secret.encode().hex() in dump for secret in (OLD, NEW))
    with line.rt.sessions() as session:
        found = connections.by_slug(session, line.slug)
        assert found is not None
        account = connections.account_of(found, line.rt.settings)
    assert account.secrets["access_token"] == "new-token"
    assert account.accepted("app_secret") == (NEW, OLD)
    assert OLD not in repr(account)


@pytest.mark.parametrize(
    "secrets, said",
    [({"pin": "1"}, "has no secret pin"), ({"app_secret": ""}, "is empty"), ({"app_secret": "a\nb"}, "odd character")],
)
def test_what_cannot_be_a_secret_is_refused(line: Line, secrets: dict[str, str], said: str) -> None:
    with pytest.raises(ConnectionFieldError, match=said):
        replace(line, WEEK, **secrets)
    assert line.ask("SELECT sealed_former FROM connection") is None


def test_rotations_at_the_same_time_do_not_undo_each_other(line: Line) -> None:
    with line.rt.transaction() as first:
        found = connections.by_slug(first, line.slug)
        assert found is not None
        replace(line, WEEK, verify_token="another")
        rotation.replace(first, line.rt.settings.secret_key, found, {"app_secret": NEW}, WEEK)
    assert [answer(line, OLD), answer(line, NEW)] == [200, 200]
    with line.rt.sessions() as session:
        found = connections.by_slug(session, line.slug)
        assert found is not None
        assert connections.account_of(found, line.rt.settings).secrets["verify_token"] == "another"
