"""What broadcasts keep to is decided per environment, and a decision that makes no sense is refused."""

from dataclasses import replace
from datetime import time
from typing import Any

import pytest
from sqlalchemy import insert
from sqlalchemy.orm import Session

from bot.messages import policy
from bot.messages.policy import DEFAULT, FIELDS, LIMITS, OPTIONAL, PolicyError
from bot.models.policy import SendingPolicy
from bot.models.words import Environment
from tests import factories

SENSIBLE = replace(DEFAULT, quiet_from=time(21), quiet_to=time(8), approve_above=50, frequency_messages=2)


def test_without_a_decision_the_defaults_of_the_table_hold(session: Session) -> None:
    undecided = policy.of(session, Environment.LIVE)
    session.execute(insert(SendingPolicy).values(environment=Environment.LIVE))

    assert undecided == DEFAULT == policy.of(session, Environment.LIVE)


def test_a_decision_holds_in_its_environment_alone_until_the_next(session: Session) -> None:
    operator = factories.make_operator(session)
    policy.change(session, Environment.LIVE, SENSIBLE, operator.id)
    policy.change(session, Environment.LIVE, replace(SENSIBLE, tier_percent=50), operator.id)

    assert policy.of(session, Environment.LIVE) == replace(SENSIBLE, tier_percent=50)
    assert policy.of(session, Environment.TEST) == DEFAULT


@pytest.mark.parametrize(
    "wrong, said",
    [
        ({"quiet_from": None}, "both a beginning and an end"),
        ({"quiet_to": None}, "both a beginning and an end"),
        ({"quiet_to": time(21)}, "cannot begin and end at the same time"),
        *(({name: least - 1}, "must be a whole number from") for name, (least, _) in LIMITS.items()),
        *(({name: most + 1}, "must be a whole number from") for name, (_, most) in LIMITS.items()),
        *(({name: None}, "must be a whole number from") for name in LIMITS if name not in OPTIONAL),
    ],
)
def test_what_makes_no_sense_is_refused_and_changes_nothing(session: Session, wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(PolicyError, match=said):
        policy.change(session, Environment.LIVE, replace(SENSIBLE, **wrong), None)

    assert policy.of(session, Environment.LIVE) == DEFAULT


def test_every_problem_is_told_at_once(session: Session) -> None:
    with pytest.raises(PolicyError) as refused:
        policy.change(session, Environment.LIVE, replace(SENSIBLE, tier_percent=0, response_days=99), None)

    assert len(str(refused.value).splitlines()) == 2


def test_every_column_that_somebody_decides_is_in_the_policy() -> None:
    kept_aside = {"environment", "updated_by_operator_id", "updated_at"}
    assert {column.key for column in SendingPolicy.__table__.columns} - kept_aside == set(FIELDS)
