"""A template that is there is found, edited, deleted, and says of itself how it stands."""

import time
from collections.abc import Callable

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.models.connection import Connection, Number
from bot.models.words import Role
from bot.runtime import Runtime
from tests import factories
from tests.broadcasts.reviewing import made, submit, there, values
from tests.dashboard.visitor import Visitor
from tests.harness import simulator as harness
from tests.harness.simulator import Simulator


def test_what_was_rejected_is_edited_and_reviewed_again(
    session: Session, whatsapp: Simulator, line: Connection, marketer: Visitor
) -> None:
    whatsapp.configure(review={"verdict": "REJECTED", "reason": "PROMOTIONAL", "after_s": 0.01})
    page = str(submit(marketer, line).location)
    await_(lambda: there(whatsapp)[0]["status"] == "REJECTED")
    assert marketer.get(page).status_code == 200
    assert marketer.post(f"{page}/refresh").status_code == 303
    shown = marketer.get(page).text
    assert "Rejected" in shown
    assert "It is marketing, but not in that category." in shown
    assert "Edit what the reason names" in shown

    whatsapp.configure(review={"verdict": ""})
    marketer.get(f"{page}/edit")
    answer = submit(marketer, line, f"{page}/edit", category="MARKETING", body="Come to our course!")
    assert answer.status_code == 303, answer.text
    found = made(session)
    assert (found.status, found.category, found.reason) == ("PENDING", "MARKETING", None)
    assert there(whatsapp)[0]["components"] == [{"type": "BODY", "text": "Come to our course!"}]
    assert "so cannot be edited" in submit(marketer, line, f"{page}/edit").text
    history = marketer.get(page).text.partition("History")[2]
    assert [word in history for word in ("In review", "Rejected", "seen in the list")] == [True] * 3


def test_an_edit_says_which_broadcasts_will_pause_and_pauses_them(
    session: Session, whatsapp: Simulator, line: Connection, marketer: Visitor
) -> None:
    page = str(submit(marketer, line).location)
    about = {"waba_id": harness.WABA_ID, "name": "course_starts", "language": "en"}
    waiting = marketer.get(page).text
    assert "part=state" in waiting
    assert 'data-state="PENDING"' in marketer.get(f"{page}?part=state").text
    whatsapp.control("template", about | {"status": "APPROVED"})
    marketer.post(f"{page}/refresh")
    link = f"/broadcasts/new?template={made(session).id}"
    assert (link in waiting, link in marketer.get(page).text) == (False, True)
    number = session.scalars(select(Number)).one()
    sending = factories.make_broadcast(session, number, factories.make_segment(session), made(session), state="running")
    session.commit()
    assert f"{sending.name} is being sent with it" in marketer.get(f"{page}/edit").text
    assert submit(marketer, line, f"{page}/edit", body="Come!").status_code == 303
    session.expire_all()
    assert sending.state == "paused"
    assert "reviews it again" in (sending.reason or "")


def test_a_template_is_deleted_once_its_name_is_typed_and_nobody_sends_it(
    session: Session, whatsapp: Simulator, line: Connection, marketer: Visitor
) -> None:
    page = str(submit(marketer, line).location)
    found = made(session)
    assert marketer.post(f"{page}/delete").status_code == 422
    number = session.scalars(select(Number)).one()
    broadcast = factories.make_broadcast(session, number, factories.make_segment(session), found, state="paused")
    session.commit()
    refused = marketer.post(f"{page}/delete", {"confirm": "course_starts"})
    assert f"The broadcast {broadcast.name} sends it" in refused.text
    broadcast.state = "cancelled"
    session.commit()
    assert broadcast.name in marketer.get(page).text
    assert marketer.post(f"{page}/delete", {"confirm": "course_starts"}).status_code == 303
    assert there(whatsapp) == []
    assert made(session).status == "DELETED"


def test_of_two_who_edit_it_the_second_sees_what_the_first_one_wrote(
    session: Session, whatsapp: Simulator, line: Connection, sign_in: Callable[[Role], Visitor]
) -> None:
    ada, bob = sign_in(Role.MARKETER), sign_in(Role.MARKETER)
    whatsapp.configure(review={"verdict": "REJECTED", "after_s": 0.01})
    page = str(submit(ada, line).location)
    await_(lambda: there(whatsapp)[0]["status"] == "REJECTED")
    ada.post(f"{page}/refresh")
    hers, his = (values(each.get(f"{page}/edit").text)["version"] for each in (ada, bob))
    ours = {"body": "Hers.", "version": hers}
    assert submit(ada, line, f"{page}/edit", **ours).status_code == 303
    found = made(session)
    found.status = "REJECTED"
    session.commit()

    answer = submit(bob, line, f"{page}/edit", body="His.", footer="Bye", version=his)

    assert answer.status_code == 409
    bob._look_at(answer)
    beside = answer.text.partition("Changed meanwhile")[2].partition("</section>")[0]
    assert [word in beside for word in ("Hers.", "His.", "Bye", "Category")] == [True, True, True, False]
    assert (values(answer.text)["footer"], there(whatsapp)[0]["components"][0]["text"]) == ("Bye", "Hers.")
    fresh = values(answer.text)["version"]
    assert submit(bob, line, f"{page}/edit", body="His.", version=fresh).status_code == 303
    assert made(session).components == [{"type": "BODY", "text": "His."}]


def test_templates_are_found_by_state_category_language_and_words(
    session: Session, line: Connection, marketer: Visitor
) -> None:
    line = session.merge(line)
    body = [{"type": "BODY", "text": "The summer fair"}]
    factories.make_template(session, line, name="fair", language="de", category="MARKETING", components=body)
    factories.make_template(session, line, name="pause_me", status="PAUSED", reason="Its quality is low.")
    session.commit()
    shown = {
        "status=PAUSED": ["pause_me"],
        "language=de": ["fair"],
        "category=MARKETING&language=en": [],
        "q=SUMMER": ["fair"],
        "q=e_m": ["pause_me"],
        "q=%25": [],
        "": ["fair", "pause_me"],
    }
    for query, names in shown.items():
        page = marketer.get(f"/templates?{query}").text
        assert [name for name in ("fair", "pause_me") if f">{name}</a>" in page] == names, query
    assert "Its quality is low." in marketer.get("/templates?status=PAUSED").text
    assert marketer.get("/templates.csv?status=PAUSED").text.count("\r\n") == 2


def test_where_no_connection_is_the_way_to_the_other_environment_is_shown(session: Session, marketer: Visitor) -> None:
    phone = factories.make_number(session, environment="test").phone
    session.commit()
    for page in ("/templates", "/templates/new"):
        assert f"To Test, where {phone} is" in marketer.get(page).text


def test_a_template_of_the_other_environment_has_no_page(
    session: Session, rt: Runtime, line: Connection, marketer: Visitor
) -> None:
    elsewhere = factories.make_number(session, environment="test")
    theirs = factories.make_template(session, elsewhere.connection)
    session.commit()
    assert marketer.get(f"/templates/{theirs.id}").status_code == 404
    assert marketer.get(f"/templates/{theirs.id}?environment=test").status_code == 200


@pytest.mark.parametrize("role, status", [(Role.MARKETER, 200), (Role.COACH, 403)])
def test_marketers_make_templates_and_coaches_do_not(
    sign_in: Callable[[Role], Visitor], line: Connection, role: Role, status: int
) -> None:
    assert sign_in(role).get("/templates/new").status_code == status


def await_(ready: Callable[[], object]) -> None:
    while not ready():
        time.sleep(0.02)
