"""A marketer goes from a file to a finished broadcast by pages alone."""

import io
import re
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import update

from bot.models.connection import Number
from bot.models.person import Person
from bot.models.words import Role
from bot.runtime import Runtime
from broadcasts import jobs
from tests import factories
from tests.dashboard.visitor import Visitor

GREETED = "<<user.first_name|default('there')>>"
LIST = "user_id,phone_number,first_name\nann,+201012345678,Ann\nbob,+201012345679,\nbad,12,Bad\n"


@pytest.fixture
def number(rt: Runtime) -> Number:
    with rt.transaction() as session:
        number = factories.make_number(session)
        factories.make_template(session, number.connection, name="greeting")
        return number


def upload(visitor: Visitor, content: str = LIST, **fields: Any) -> Any:
    visitor.get("/imports/new")
    form = {"segment": "spring", "dialect": "sendbird", "understood": "yes"} | fields
    return visitor.post("/imports/new", {**form, "file": (io.BytesIO(content.encode()), "people.csv")})


def take_in(visitor: Visitor) -> str:
    """The address of an import that was looked at, confirmed and finished."""
    page = str(upload(visitor).location)
    jobs.work()
    visitor.post(f"{page}/confirm")
    jobs.work()
    return page


def choices(rt: Runtime, visitor: Visitor) -> dict[str, object]:
    """The first segment, template and number that the form offers, with the people of LIST taken in."""
    take_in(visitor)
    page = visitor.get("/broadcasts/new").text
    found = {
        name: re.search(rf'name="{name}".*?<option value="(\d+)"', page, re.DOTALL) for name in ("template", "number")
    } | {"segments": re.search(r'name="segments"\s+value="(\d+)"', page)}
    return {name: match[1] for name, match in found.items() if match}


def draft(rt: Runtime, visitor: Visitor, words: str = "<<user.first_name>>") -> str:
    """The address of a draft to the people of LIST."""
    form = choices(rt, visitor)
    visitor.get("/broadcasts/new", query_string=form)
    answer = visitor.post("/broadcasts", {**form, "name": "Spring", "slot.body.1": words})
    assert answer.status_code == 303, answer.text
    return str(answer.location)


def test_an_uploaded_list_shows_its_progress_and_gives_back_the_bad_rows(number: Number, marketer: Visitor) -> None:
    page = str(upload(marketer).location)
    checking = marketer.get(page).text
    jobs.work()
    marketer.post(f"{page}/confirm")
    waiting = marketer.get(page).text
    jobs.work()
    done = marketer.get(page).text
    comments = marketer.get(f"{page}/comments")

    assert ["Checking" in checking, "Waiting" in waiting, "Imported" in done, "= 3 rows" in done] == [True] * 4
    header, row = comments.data.decode("utf-8-sig").splitlines()
    assert header == "user_id,phone_number,first_name,Comments"
    assert "bad,12,Bad," in row
    assert "Row 4: phone_number 12 " in row
    assert "attachment" in comments.headers["Content-Disposition"]
    assert marketer.get(f"{page}/original").text == LIST


def test_a_list_without_the_needed_columns_is_refused_on_the_spot(number: Number, marketer: Visitor) -> None:
    answer = upload(marketer, "name,phone\nann,1\n")

    assert answer.status_code == 422
    assert "missing: user_id, phone_number" in answer.text


def test_nothing_is_taken_in_unless_the_box_is_ticked(marketer: Visitor) -> None:
    assert upload(marketer, understood="").status_code == 422


def test_a_file_name_cannot_break_out_of_the_download(number: Number, marketer: Visitor) -> None:
    marketer.get("/imports/new")
    form = {"segment": "s", "dialect": "sendbird", "understood": "yes"}
    name = '../../etc/x";\u202e evil\t.csv'
    answer = marketer.post("/imports/new", {**form, "file": (io.BytesIO(LIST.encode()), name)})

    header = marketer.get(f"{answer.location}/original").headers["Content-Disposition"]
    assert header.startswith("attachment")
    assert not re.search(r"[/\\\t\r\n]", header.split("filename", 1)[1].replace("UTF-8''", "").replace('\\"', ""))


def test_a_draft_shows_what_real_people_would_read_and_who_would_get_nothing(
    rt: Runtime, number: Number, marketer: Visitor
) -> None:
    page = draft(rt, marketer)

    ann, bob = (marketer.get(f"{page}?who={name}").text for name in ("ann", "bob"))
    gaps = marketer.get(f"{page}/gaps").text
    assert "Hello Ann" in ann
    assert "nothing known for first_name" in bob
    assert "1 of 2 people" in gaps
    assert "first_name (1)" in gaps


def test_a_default_leaves_nobody_out(rt: Runtime, number: Number, marketer: Visitor) -> None:
    page = draft(rt, marketer, "<<user.first_name|default('there')>>")

    assert "Hello there" in marketer.get(page).text
    assert "Nobody of 2 people" in marketer.get(f"{page}/gaps").text


def test_a_broadcast_is_launched_paused_resumed_and_cancelled_by_buttons(
    rt: Runtime, number: Number, marketer: Visitor
) -> None:
    page = draft(rt, marketer, GREETED)
    assert marketer.post(f"{page}/launch").status_code == 303
    assert "Preparing" in marketer.get(page).text
    jobs.work()
    assert "Sending" in marketer.get(page).text
    assert marketer.post(f"{page}/pause").status_code == 303
    assert "Paused: 0 accepted, 2 waiting, 0 cancelled." in marketer.get(page).text
    assert marketer.post(f"{page}/resume").status_code == 303
    assert marketer.post(f"{page}/cancel").status_code == 303
    shown = marketer.get(page).text
    assert "0 + 0 + 0 + 2 + 0 + 0 = 2" in re.sub(r"\s+", " ", shown)
    assert [word in shown for word in ("Preparing", "Paused", "Cancelled")] == [True] * 3


def test_a_second_launch_of_the_same_draft_is_answered_409(rt: Runtime, number: Number, marketer: Visitor) -> None:
    page = draft(rt, marketer, GREETED)
    marketer.post(f"{page}/launch")

    again = marketer.post(f"{page}/launch")

    assert again.status_code == 409
    assert "was launched already" in again.text


def test_a_broadcast_that_cannot_be_sent_is_refused_with_each_reason(
    rt: Runtime, number: Number, marketer: Visitor
) -> None:
    form = choices(rt, marketer)
    answer = marketer.post("/broadcasts", {**form, "name": " ", "slot.body.1": "<<user.first_name|evil>>"})

    assert answer.status_code == 422
    assert "Give the broadcast a name" in answer.text
    assert "body.1: " in answer.text
    assert "|evil" in answer.text  # what was typed is still there


def test_live_and_test_lists_are_apart(number: Number, marketer: Visitor) -> None:
    take_in(marketer)

    assert "spring" in marketer.get("/segments").text
    assert "spring" not in marketer.get("/segments?environment=test").text


def test_a_coach_has_no_way_in(number: Number, sign_in: Callable[[Role], Visitor]) -> None:
    coach = sign_in(Role.COACH)
    addresses = ("/segments", "/imports/new", "/imports", "/broadcasts", "/broadcasts/new", "/broadcasts/1")

    assert [coach.get(address).status_code for address in addresses] == [403] * len(addresses)


def test_every_list_page_holds_what_was_made(rt: Runtime, number: Number, marketer: Visitor) -> None:
    page = draft(rt, marketer)
    shown = {path: marketer.get(path).text for path in ("/segments", "/imports", "/broadcasts", page)}
    assert "people.csv" in shown["/imports"]
    assert "Spring" in shown["/broadcasts"]
    link = re.search(r'href="(/segments/\d+)"', shown["/segments"])
    assert link
    assert "ann" in marketer.get(link[1]).text


def test_an_environment_without_a_number_points_to_the_one_that_has_it(number: Number, marketer: Visitor) -> None:
    for page in ("/imports/new", "/broadcasts/new"):
        shown = marketer.get(f"{page}?environment=test").text
        assert number.phone in shown
        assert f'href="{page}?environment=live"' in shown


def test_a_broadcast_says_why_some_got_nothing(rt: Runtime, number: Number, marketer: Visitor) -> None:
    page = draft(rt, marketer)
    with rt.transaction() as session:
        session.execute(update(Person).where(Person.distinct_id == "bob").values(enabled=False))
    marketer.post(f"{page}/launch")
    jobs.work()

    shown = re.sub(r"<[^>]+>|\s+", " ", marketer.get(page).text)
    assert "Messages to this person are switched off" in shown
    assert re.search(r"Skipped\s+1\s", shown)
