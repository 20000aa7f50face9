"""The team's doors, tried by somebody who wants more than they were given, or to stay when they have to go."""

import threading

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from app import create_app
from bot.models.broadcast import Broadcast
from bot.models.team import Invitation, Operator
from bot.models.words import Environment, Role
from bot.runtime import Runtime
from bot.team import invitations, operators, permission_sets, permissions, resets, tokens
from bot.team.operators import OperatorError
from bot.team.rights import ROLES, Permission
from tests import factories as make
from tests.dashboard.visitor import Visitor
from tests.factories import PASSWORD, make_operator

NEW = {"password": "a much longer passphrase", "again": "a much longer passphrase"}


@pytest.fixture
def boss(session: Session) -> Operator:
    """The admin who stays."""
    made = make_operator(session)
    session.commit()
    return made


@pytest.fixture
def leaver(session: Session) -> Operator:
    made = make_operator(session)
    session.commit()
    return made


@pytest.mark.parametrize("how", ["deactivated", "a coach now"])
def test_what_somebody_prepared_before_they_had_to_go_lets_nobody_in(
    app: Flask, session: Session, boss: Operator, leaver: Operator, how: str
) -> None:
    _, joining = invitations.invite(session, "accomplice@example.org", Role.ADMIN, leaver.id)
    taking_over = resets.offer(session, boss.id)
    if how == "deactivated":
        operators.deactivate(session, leaver.id)
    else:
        operators.set_role(session, leaver.id, Role.COACH)
    session.commit()
    stranger = Visitor(app.test_client())
    for path in (f"/join/{joining}", f"/password/{taking_over}"):
        assert stranger.get(path).status_code == 410
        assert stranger.post(path, {"name": "Mallory", **NEW}).status_code == 410
    assert invitations.of_email(session, "accomplice@example.org") is None
    assert Visitor(app.test_client()).sign_in(boss, PASSWORD)


def test_an_invitation_that_somebody_else_made_anew_counts(session: Session, boss: Operator, leaver: Operator) -> None:
    made, _ = invitations.invite(session, "kim@example.org", Role.COACH, leaver.id)
    _, secret = invitations.renew(session, made.id, boss.id)
    operators.deactivate(session, leaver.id)
    assert invitations.find(session, secret)


def test_a_new_password_ends_the_links_for_one(session: Session, boss: Operator) -> None:
    secret = resets.offer(session, boss.id)
    operators.set_password(session, boss.id, NEW["password"])
    with pytest.raises(OperatorError, match="used or replaced"):
        resets.use(session, secret, NEW["password"])


def test_who_manages_the_team_and_nothing_else_gets_nowhere_by_that(
    app: Flask, session: Session, boss: Operator
) -> None:
    permission_sets.add(session, "Clerk", [Permission.TEAM_MANAGE])
    strong = permission_sets.add(session, "Strong", [*ROLES[Role.MARKETER], Permission.TEAM_MANAGE])
    token, _ = tokens.create(session, "live", "crm", scopes=["messages.send"])
    invited, _ = invitations.invite(session, "lee@example.org", Role.ADMIN, boss.id)
    clerk = make_operator(session, Role.VIEWER)
    operators.set_role(session, clerk.id, "Clerk")
    session.commit()
    visitor = Visitor(app.test_client()).sign_in(clerk)
    everything = {"scope": ["messages.send"], "permission": [each.value for each in Permission], "refused": "yes"}
    tried = [
        *(f"/team/{boss.id}/{what}" for what in ("role", "deactivate", "password", "factor", "sessions/end")),
        *(f"/team/tokens/{token.id}{what}" for what in ("", "/rotate", "/revoke")),
        *(f"/team/permissions/{strong.id}{what}" for what in ("", "/remove")),
        *(f"/team/invitations/{invited.id}/renew", f"/team/{clerk.id}/role", "/team/invitations"),
        *("/team/tokens", "/team/permissions"),
    ]
    visitor.get("/team")
    for path in tried:
        form = {**everything, "role": "admin", "environment": "live", "name": "mine", "email": "me@example.org"}
        assert visitor.post(path, form).status_code in {403, 409, 422}, path
    session.expire_all()
    assert boss.active
    assert boss.role == Role.ADMIN
    assert clerk.role is None
    assert len(tokens.every(session)) == 1
    assert tokens.every(session)[0].revoked_at is None
    assert session.query(Invitation).count() == 1
    assert len(permission_sets.every(session)) == 2


def test_a_token_of_one_environment_finds_nothing_of_the_other(app: Flask, session: Session) -> None:
    number = make.make_number(session, environment=Environment.TEST)
    person = make.make_person(session, environment=Environment.TEST, first_name="Elsewhere")
    segment = make.make_segment(session, [person], name="Elsewhere", environment=Environment.TEST)
    broadcast = make.make_broadcast(session, number, segment, make.make_template(session, number.connection))
    message = make.make_outbound(session, person, number, "Elsewhere")
    _, secret = tokens.create(session, "live", "here", scopes=set(permissions.SCOPES))
    session.commit()
    ids = {
        "person_id": person.id,
        "segment_id": segment.id,
        "broadcast_id": broadcast.id,
        "message_id": message.id,
        "who": person.id,
    }
    headers, tried = {"Authorization": f"Bearer {secret}"}, 0
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith("/api/") and rule.arguments and rule.arguments <= ids.keys():
            with app.test_request_context():
                built = rule.build({name: ids[name] for name in rule.arguments})
            assert built
            for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
                answer = app.test_client().open(
                    built[1], method=method, headers=headers, json=None if method == "GET" else {}
                )
                tried += 1
                assert answer.status_code >= 400, (rule.endpoint, method)
                assert "Elsewhere" not in answer.get_data(as_text=True), rule.endpoint
    assert tried > 20
    session.expire_all()
    assert person.erased_at is None
    assert session.get_one(Broadcast, broadcast.id).state == broadcast.state


def test_one_link_makes_one_member_however_many_use_it_at_once(live_rt: Runtime) -> None:
    with live_rt.transaction() as tx:
        _, secret = invitations.invite(tx, "kim@example.org", Role.COACH, make_operator(tx).id)
    answers: list[int] = []
    app = create_app(live_rt)

    def join() -> None:
        visitor = Visitor(app.test_client())
        visitor.get(f"/join/{secret}")
        answers.append(visitor.post(f"/join/{secret}", {"name": "Kim", **NEW}).status_code)

    racing = [threading.Thread(target=join) for _ in range(4)]
    for each in racing:
        each.start()
    for each in racing:
        each.join()
    assert answers.count(303) == 1
    with live_rt.transaction() as tx:
        assert tx.query(Operator).filter_by(name="Kim").count() == 1


def test_two_admins_who_deactivate_each_other_leave_one(live_rt: Runtime) -> None:
    with live_rt.transaction() as tx:
        pair = [make_operator(tx).id for _ in range(2)]
    refused: list[str] = []

    def deactivate(operator_id: int) -> None:
        try:
            with live_rt.transaction() as tx:
                operators.get(tx, operator_id)
                ready.wait()
                operators.deactivate(tx, operator_id)
        except OperatorError as error:
            refused.append(str(error))

    ready = threading.Barrier(2)
    racing = [threading.Thread(target=deactivate, args=(each,)) for each in pair]
    for each in racing:
        each.start()
    for each in racing:
        each.join()
    assert len(refused) == 1
    with live_rt.transaction() as tx:
        assert tx.query(Operator).filter_by(active=True).count() == 1
