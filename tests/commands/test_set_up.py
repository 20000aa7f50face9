"""Setting Backchat up from a terminal: connections, numbers, operators, tokens."""

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.connections import connections
from bot.models.team import ApiToken, Operator
from bot.runtime import Runtime
from bot.team import operators, tokens
from tests.commands.conftest import Backchat, told

ACCOUNT = ("--account-id", "1020304050", "--base-url", "https://graph.facebook.com/v25.0")
SECRETS = ("--secret", "access_token=EAAG", "--secret", "app_secret=s3cret", "--secret", "verify_token=verify")


def test_a_connection_and_its_number_are_added_and_listed(backchat: Backchat) -> None:
    made = told(backchat("connection", "add", "main", *ACCOUNT, *SECRETS, "--json"))
    assert made["webhook"] == "http://localhost:8000/webhooks/main"
    number = ("--provider-number-id", "555", "--environment", "live")
    assert told(backchat("number", "add", "main", "+49 30 901820", *number, "--json"))["phone"] == "+4930901820"
    assert "main" in backchat("connection", "list").stdout
    [row] = told(backchat("number", "list", "--json"))
    assert (row["connection"], row["provider_number_id"], row["pace_per_s"]) == ("main", "555", 80)


def test_secrets_may_come_from_standard_input_and_the_environment(
    backchat: Backchat, rt: Runtime, session: Session
) -> None:
    given = ("--secret", "app_secret=-", "--secret", "access_token=-")
    backchat(
        "connection", "add", "main", *ACCOUNT, *given, stdin="from-a-pipe\nsecond\n", BACKCHAT_SECRET_VERIFY_TOKEN="env"
    )
    found = connections.by_slug(session, "main")
    assert found is not None
    assert connections.account_of(found, rt.settings).secrets == {
        "app_secret": "from-a-pipe",
        "access_token": "second",
        "verify_token": "env",
    }


def test_a_secret_that_is_ours_to_choose_is_made_up_and_shown_once(
    backchat: Backchat, rt: Runtime, session: Session
) -> None:
    made = told(backchat("connection", "add", "main", "--account-id", "1", *SECRETS[:4], "--json"))
    found = connections.by_slug(session, "main")
    assert found is not None
    assert found.base_url == "https://graph.facebook.com/v25.0"
    assert len(made["verify_token"]) == 48
    assert connections.account_of(found, rt.settings).secrets["verify_token"] == made["verify_token"]
    assert made["verify_token"] not in backchat("connection", "list", "--json").stdout


def test_a_secret_is_replaced_from_a_pipe_and_the_one_before_dropped_later(
    backchat: Backchat, rt: Runtime, session: Session
) -> None:
    backchat("connection", "add", "main", *ACCOUNT, *SECRETS)
    made = told(backchat("connection", "secret", "main", "app_secret=-", "--keep-old", "12h", "--json", stdin="new\n"))
    assert made["replaced"] == ["app_secret"]
    assert made["former_app_secret_until"]
    assert accepted(rt, session) == ("new", "s3cret")
    assert told(backchat("connection", "secret", "main", "--drop-old", "--json")) == {"replaced": []}
    assert accepted(rt, session) == ("new",)
    backchat("connection", "secret", "main", "app_secret=newer", "--keep-old", "0")
    assert accepted(rt, session) == ("newer",)


def accepted(rt: Runtime, session: Session) -> tuple[str, ...]:
    session.expire_all()
    found = connections.by_slug(session, "main")
    assert found is not None
    return connections.account_of(found, rt.settings).accepted("app_secret")


def test_no_listing_shows_a_secret(backchat: Backchat) -> None:
    backchat("connection", "add", "main", *ACCOUNT, *SECRETS)
    shown = backchat("connection", "list").stdout + backchat("connection", "list", "--json").stdout
    assert not any(secret in shown for secret in ("EAAG", "s3cret", "access_token"))


def test_an_operator_is_added_with_a_password_from_a_pipe_and_may_get_another(
    backchat: Backchat, session: Session
) -> None:
    who = ("ada@example.org", "--name", "Ada", "--role", "coach")
    assert backchat("operator", "add", *who, stdin="correct horse battery\n").exit_code == 0
    assert operators.authenticate(session, "ada@example.org", "correct horse battery") is not None
    made = told(backchat("operator", "password", "ada@example.org", "--generate-password", "--json"))
    session.expire_all()
    assert operators.authenticate(session, "ada@example.org", made["password"]) is not None
    assert operators.authenticate(session, "ada@example.org", "correct horse battery") is None


def test_a_deactivated_operator_cannot_sign_in_and_the_last_admin_cannot_be_deactivated(
    backchat: Backchat, session: Session
) -> None:
    for email, role in (("root@example.org", "admin"), ("ada@example.org", "coach")):
        backchat("operator", "add", email, "--name", "A", "--role", role, stdin="correct horse battery\n")
    assert backchat("operator", "deactivate", "ada@example.org").exit_code == 0
    assert not session.scalars(select(Operator.active).where(Operator.email == "ada@example.org")).one()
    refused = backchat("operator", "deactivate", "root@example.org")
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "only active admin" in refused.stderr


def test_a_token_is_shown_once_and_works_until_it_is_revoked(backchat: Backchat, session: Session) -> None:
    made = told(backchat("token", "create", "shop", "--environment", "test", "--json"))
    assert tokens.find(session, made["secret"]) is not None
    shown = backchat("token", "list").stdout
    assert "shop" in shown
    assert made["secret"] not in shown
    backchat("token", "revoke", "shop", "--environment", "test")
    session.expire_all()
    assert tokens.find(session, made["secret"]) is None


@pytest.mark.parametrize(
    "words, exit_code, said",
    [
        (("connection", "add", "Main", *ACCOUNT, *SECRETS), 1, "The slug 'Main' cannot be part of an address"),
        (("connection", "add", "main", *ACCOUNT), 1, "also needs: access_token, app_secret."),
        (("connection", "add", "main", "--account-id", "1", "--provider", "onpremise"), 1, "give --base-url"),
        (("connection", "secret", "none", "app_secret=x"), 1, "There is no connection 'none'"),
        (("connection", "secret", "main"), 2, "or say --drop-old"),
        (("connection", "secret", "main", "app_secret"), 2, "must be name=value"),
        (("connection", "secret", "main", "app_secret=x", "--keep-old", "soon"), 2, "is no length of time"),
        (("connection", "add", "main", *ACCOUNT, "--secret", "app_secret"), 2, "must be name=value"),
        (("connection", "add", "main", *ACCOUNT, "--secret", "app_secret=-"), 1, "nothing on standard input"),
        (
            ("number", "add", "none", "+4930901820", "--provider-number-id", "1", "--environment", "live"),
            1,
            "`backchat",
        ),
        (("operator", "add", "ada", "--name", "A", "--role", "coach", "--generate-password"), 1, "name@example.com"),
        (("operator", "password", "ada@example.org", "--generate-password"), 1, "Nobody signs in as"),
        (("token", "create", "shop"), 2, "--environment"),
        (("token", "create", "shop", "--environment", "staging"), 2, "staging"),
        (("token", "revoke", "shop", "--environment", "live"), 1, "no token 'shop' in live"),
    ],
)
def test_a_refusal_is_a_sentence_on_standard_error(
    backchat: Backchat, words: tuple[str, ...], exit_code: int, said: str
) -> None:
    refused = backchat(*words)
    assert (refused.exit_code, refused.stdout) == (exit_code, "")
    assert said in " ".join(refused.stderr.split())
    if exit_code == 1:
        assert refused.stderr.count("\n") == 1


def test_a_refused_command_changes_nothing(backchat: Backchat, session: Session) -> None:
    backchat("token", "create", " ", "--environment", "live")
    assert session.scalars(select(ApiToken)).all() == []
