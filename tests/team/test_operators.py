import threading
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.models.team import Operator
from bot.models.words import Role
from bot.runtime import Runtime
from bot.team import operators, passwords, sign_ins
from bot.team.operators import OperatorError
from bot.team.passwords import PasswordError
from tests.factories import PASSWORD, QUICK_HASHER, make_operator


def test_an_empty_team_gets_one_admin_with_a_password_nobody_else_has(session: Session) -> None:
    password = operators.ensure_first_admin(session)
    assert password is not None
    assert len(password) >= 20
    admin = operators.authenticate(session, operators.FIRST_ADMIN, password)
    assert admin is not None
    assert admin.role == Role.ADMIN
    assert operators.ensure_first_admin(session) is None


def test_a_team_that_has_anybody_gets_no_other_admin(session: Session) -> None:
    make_operator(session, Role.COACH, active=False)
    assert operators.ensure_first_admin(session) is None


def test_two_processes_starting_at_once_make_one_admin(live_rt: Runtime) -> None:
    made: list[str | None] = []

    def start() -> None:
        with live_rt.transaction() as tx:
            made.append(operators.ensure_first_admin(tx))

    starting = [threading.Thread(target=start) for _ in range(4)]
    for thread in starting:
        thread.start()
    for thread in starting:
        thread.join()
    assert sorted(password is None for password in made) == [False, True, True, True]


def test_a_password_is_kept_as_an_argon2id_hash_only(session: Session) -> None:
    added = operators.add(session, email="A@Example.org ", name="  Ada   L. ", role="coach", password=PASSWORD)
    assert added.password_hash.startswith("$argon2id$")
    assert PASSWORD not in added.password_hash
    assert (added.email, added.name) == ("a@example.org", "Ada L.")


@pytest.mark.parametrize(
    "change, complaint",
    [
        ({"email": "not an e-mail"}, "must look like"),
        ({"email": "taken@example.org"}, "already signs in"),
        ({"name": " "}, "1 to 80"),
        ({"name": "Ada\x1b[31m"}, "1 to 80"),
        ({"role": "owner"}, "admin, coach, marketer"),
    ],
)
def test_what_cannot_be_a_team_member_is_refused_with_the_remedy(
    session: Session, change: dict[str, str], complaint: str
) -> None:
    make_operator(session, email="taken@example.org")
    given = {"email": "new@example.org", "name": "New", "role": "coach", "password": PASSWORD, **change}
    with pytest.raises(OperatorError, match=complaint):
        operators.add(session, **given)


@pytest.mark.parametrize("password", ["short", "x" * 257])
def test_a_password_too_short_or_too_long_is_refused(session: Session, password: str) -> None:
    with pytest.raises(PasswordError, match="12 to 256"):
        operators.add(session, email="a@example.org", name="A", role="coach", password=password)
    with pytest.raises(PasswordError, match="12 to 256"):
        operators.set_password(session, make_operator(session).id, password)


def test_the_last_admin_can_neither_leave_nor_step_down(session: Session) -> None:
    admin = make_operator(session, Role.ADMIN)
    make_operator(session, Role.ADMIN, active=False)
    with pytest.raises(OperatorError, match="only active admin"):
        operators.deactivate(session, admin.id)
    with pytest.raises(OperatorError, match="only active admin"):
        operators.set_role(session, admin.id, Role.COACH)
    make_operator(session, Role.ADMIN)
    operators.deactivate(session, admin.id)
    assert not admin.active


def test_a_new_password_ends_every_session(session: Session) -> None:
    operator = make_operator(session)
    secrets = [sign_ins.begin(session, operator.id) for _ in range(2)]
    assert all(sign_ins.find(session, secret) for secret in secrets)
    operators.set_password(session, operator.id, "another long password")
    session.expire_all()
    assert not any(sign_ins.find(session, secret) for secret in secrets)


def test_a_hash_of_older_cost_is_renewed_at_the_next_sign_in(session: Session) -> None:
    operator = make_operator(session)
    old = operator.password_hash
    assert operators.authenticate(session, operator.email, PASSWORD) is operator
    assert operator.password_hash != old
    assert not passwords.is_outdated(operator.password_hash)


def test_a_foreign_hash_signs_nobody_in(session: Session) -> None:
    operator = make_operator(session)
    for planted in ("", "plain", PASSWORD, QUICK_HASHER.hash("other")):
        operator.password_hash = planted
        assert operators.authenticate(session, operator.email, PASSWORD) is None


def test_no_operator_is_made_with_a_known_password(session: Session) -> None:
    operators.ensure_first_admin(session)
    admin = session.scalars(select(Operator)).one()
    for guess in ("admin", "password", "backchat", "changeme", operators.FIRST_ADMIN, ""):
        assert operators.authenticate(session, admin.email, guess) is None


def test_a_sign_in_that_awaits_a_code_is_no_session_and_does_not_wait_for_ever(session: Session) -> None:
    operator = make_operator(session)
    secret = sign_ins.begin(session, operator.id, awaits_factor=True)
    assert sign_ins.find(session, secret) is None
    assert sign_ins.find_half(session, secret) is operator
    assert sign_ins.find_half(session, sign_ins.begin(session, operator.id)) is None
    late = datetime.now(UTC) + sign_ins.CODE_WITHIN + timedelta(seconds=1)
    assert sign_ins.find_half(session, secret, late) is None


def test_how_long_a_session_lasts_is_a_setting(session: Session) -> None:
    secret = sign_ins.begin(session, make_operator(session).id)
    limits = sign_ins.Limits(lasts=timedelta(hours=1), idle=timedelta(minutes=5))
    for later, lasts in ((timedelta(minutes=4), True), (timedelta(minutes=6), False), (timedelta(hours=2), False)):
        found = sign_ins.find(session, secret, datetime.now(UTC) + later, by_hand=False, limits=limits)
        assert (found is not None) is lasts
