"""The audit log: written with what it tells of, never changed, searched, taken along."""

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from bot.messages.policy import DEFAULT, FIELDS, Policy
from bot.models.person import Person
from bot.models.team import AuditEntry, Operator
from bot.models.words import Role
from bot.team import audit
from bot.team.audit import COMMAND, Action, By
from tests.dashboard.audited import entries
from tests.dashboard.visitor import Visitor
from tests.factories import make_operator

CHANGE = "UPDATE audit_entry SET action = 'nothing'"


@pytest.mark.parametrize("statement", [CHANGE, "DELETE FROM audit_entry"])
def test_an_entry_is_neither_changed_nor_taken_away(session: Session, statement: str) -> None:
    audit.note(session, COMMAND, Action.DEACTIVATED, "operator 1")
    with pytest.raises(IntegrityError, match="only added to"):
        session.execute(text(statement))


def test_a_change_of_role_tells_who_what_before_after_and_from_where(admin: Visitor, session: Session) -> None:
    coach = make_operator(session, Role.COACH)
    session.commit()
    admin.client.environ_base["REMOTE_ADDR"] = "203.0.113.9"
    admin.post(f"/team/{coach.id}/role", {"role": "marketer"})
    (entry,) = entries(session)
    boss = session.query(Operator).filter_by(role=Role.ADMIN).one()
    assert (entry.operator_id, entry.address, entry.subject) == (boss.id, "203.0.113.9", f"operator {coach.id}")
    assert (entry.before, entry.after) == ({"role": "coach"}, {"role": "marketer"})
    page = admin.get("/team/audit").text
    for told in ("Role changed", boss.name, "203.0.113.9", "<del>coach</del>", "marketer"):
        assert told in page


def test_what_was_done_is_said_in_the_readers_language(admin: Visitor, session: Session) -> None:
    audit.note(session, By(address="203.0.113.9"), Action.SUMMARY_STOPPED, "summary 7")
    audit.note(session, COMMAND, Action.DEACTIVATED, "operator 9")
    session.commit()
    page = admin.client.get("/team/audit", headers={"Accept-Language": "de"}).text
    for told in ("Zusammenfassung angehalten", "Deaktiviert", "Jemand ohne Anmeldung", "Die Kommandozeile"):
        assert told in page
    assert "ummary stopped<" not in page
    assert "summary stopped" in admin.client.get("/team/audit.csv", headers={"Accept-Language": "de"}).text


def test_what_is_refused_leaves_no_entry(admin: Visitor, session: Session) -> None:
    me = session.query(Operator).one()
    assert admin.post(f"/team/{me.id}/deactivate").status_code == 409
    assert entries(session) == []


def test_the_log_is_searched_and_what_is_found_comes_as_a_file(admin: Visitor, session: Session) -> None:
    me = session.query(Operator).one()
    audit.note(session, By(operator_id=me.id), Action.TOKEN_MADE, "token 7", after={"scopes": ["people.read"]})
    audit.note(session, COMMAND, Action.DEACTIVATED, "operator 9")
    session.commit()
    for query, found in (
        ("", {"token 7", "operator 9"}),
        ("?action=deactivated", {"operator 9"}),
        (f"?operator={me.id}", {"token 7"}),
        ("?subject=token", {"token 7"}),
        ("?since=2199-01-01", set()),
        ("?until=2001-01-02", set()),
        ("?operator=x&since=x&action=x", {"token 7", "operator 9"}),
    ):
        page, file = admin.get(f"/team/audit{query}").text, admin.get(f"/team/audit.csv{query}").text
        for subject in ("token 7", "operator 9"):
            assert (f">{subject}<" in page) == (subject in found), query
            assert (f",{subject}," in file) == (subject in found), query


def test_older_entries_are_a_page_away_and_all_are_in_the_file(
    admin: Visitor, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit, "PAGE", 2)
    for number in range(5):
        audit.note(session, COMMAND, Action.DEACTIVATED, f"operator {number}")
    session.commit()
    newest = admin.get("/team/audit").text
    assert "operator 4" in newest
    assert "operator 2" not in newest
    before = session.scalar(select(AuditEntry.id).where(AuditEntry.subject == "operator 3"))
    assert "operator 2" in admin.get(f"/team/audit?before={before}").text
    assert admin.get("/team/audit.csv").text.count(",deactivated,") == 5


def test_every_file_that_leaves_is_written_down_without_what_was_searched_for(admin: Visitor, session: Session) -> None:
    admin.get("/logs.csv?person=%2B4930901820").get_data()
    (entry,) = entries(session)
    assert entry.action == Action.EXPORTED
    assert "4930901820" not in str((entry.subject, entry.before, entry.after))


def test_a_policy_an_erasure_and_all_that_is_kept_about_somebody_are_written_down(
    admin: Visitor, ada: Person, session: Session
) -> None:
    session.commit()
    form = {name: "" if value is None else str(value) for name, value in vars_of(DEFAULT).items()}
    assert admin.post("/broadcasts/policy", form | {"approve_above": "50"}).status_code == 303
    admin.get(f"/people/{ada.id}/export").get_data()
    assert admin.post(f"/people/{ada.id}/erase", {"typed": "erase"}).status_code == 303
    told = {(each.action, each.subject): each for each in entries(session)}
    assert set(told) == {
        (Action.POLICY_CHANGED, "sending policy of live"),
        (Action.EXPORTED, f"person {ada.id}"),
        (Action.ERASED, f"person {ada.id}"),
    }
    changed = told[Action.POLICY_CHANGED, "sending policy of live"]
    assert changed.before
    assert changed.after
    assert (changed.before["approve_above"], changed.after["approve_above"]) == (None, 50)


def vars_of(policy: Policy) -> dict[str, object]:
    return {name: getattr(policy, name) for name in FIELDS}
