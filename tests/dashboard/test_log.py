"""The Logs page: Live's sends under Live, Test's under Test, and the file holds what the filter shows."""

import csv
import io
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from bot.models.connection import Number
from bot.models.person import Person
from bot.models.words import Role
from tests import factories as make
from tests.dashboard.visitor import Visitor


def rows(visitor: Visitor, address: str) -> list[dict[str, str]]:
    answer = visitor.get(address)
    assert answer.mimetype == "text/csv"
    assert "attachment" in answer.headers["Content-Disposition"]
    return list(csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig"))))


@pytest.fixture
def broadcast_id(session: Session, number: Number, ada: Person) -> int:
    """To Ada and to Bea, whom it did not reach."""
    segment, template = make.make_segment(session), make.make_template(session, number.connection)
    broadcast = make.make_broadcast(session, number, segment, template, launched_at=datetime.now(UTC))
    bea = make.make_person(session, first_name="Bea", last_name="Field", distinct_id="bea-1")
    common = {"author_kind": "broadcast", "broadcast_id": broadcast.id}
    make.make_outbound(session, ada, number, "Course starts", state="accepted", **common)
    why = {"error_code": 131026, "error_text": "not on WhatsApp"}
    make.make_outbound(session, bea, number, "Course starts", state="failed", **common, **why)
    session.commit()
    return broadcast.id


def test_each_environment_shows_its_own_sends(session: Session, number: Number, ada: Person, admin: Visitor) -> None:
    make.make_outbound(session, ada, number, "to a real person")
    elsewhere, tester = make.make_number(session, environment="test"), make.make_person(session, environment="test")
    make.make_outbound(session, tester, elsewhere, "to a tester")
    session.commit()
    live, test = admin.get("/logs").text, admin.get("/logs?environment=test").text
    assert ("to a real person" in live, "to a tester" in live) == (True, False)
    assert ("to a real person" in test, "to a tester" in test) == (False, True)
    assert [row["text"] for row in rows(admin, "/logs.csv?environment=test")] == ["to a tester"]


def test_a_line_says_who_wrote_it_and_why_it_failed_and_leads_to_the_details(admin: Visitor, broadcast_id: int) -> None:
    page = admin.get("/logs").text
    assert "Bea Field" in page
    assert "Broadcast · broadcast" in page
    assert "Not on WhatsApp." in page
    assert "(131026)" in page
    assert "/why?message=" in page


@pytest.mark.parametrize(
    "query, who",
    [
        ("", {"Ada", "Bea"}),
        ("state=failed", {"Bea"}),
        ("author=broadcast", {"Ada", "Bea"}),
        ("author=coach", set()),
        ("broadcast={broadcast}&state=accepted", {"Ada"}),
        ("person=bea-1", {"Bea"}),
        ("person=Field", {"Bea"}),
        ("person=nobody+at+all", set()),
        ("since={today}&until={today}", {"Ada", "Bea"}),
        ("until={yesterday}", set()),
        ("since={tomorrow}", set()),
    ],
)
def test_the_file_holds_what_the_page_shows(admin: Visitor, broadcast_id: int, query: str, who: set[str]) -> None:
    now = datetime.now(UTC)
    days = {"today": now, "yesterday": now - timedelta(days=1), "tomorrow": now + timedelta(days=1)}
    asked = query.format(broadcast=broadcast_id, **{name: f"{at:%Y-%m-%d}" for name, at in days.items()})
    page = admin.get(f"/logs?{asked}").text.partition("<tbody>")[2]
    shown = {name for name, words in (("Ada", "<b>Ada"), ("Bea", "<b>Bea")) if words in page}
    saved = {"Bea" if row["user_id"] == "bea-1" else "Ada" for row in rows(admin, f"/logs.csv?{asked}")}
    assert (shown, saved) == (who, who)


def test_what_cannot_be_understood_is_left_out(admin: Visitor, broadcast_id: int) -> None:
    odd = "state=evil&author=%00&broadcast=-1&number=99999999999999999999&since=2026-02-30&until=x&before=abc"
    assert "Bea Field" in admin.get(f"/logs?{odd}").text
    unsearchable = admin.get("/logs?person=%00")
    assert (unsearchable.status_code, "alert-danger" in unsearchable.text) == (200, True)
    assert admin.get("/logs?since=9999-12-31&until=0001-01-01").status_code == 200


def test_words_of_a_conversation_are_for_those_who_may_open_it(
    session: Session, number: Number, ada: Person, signed_in: Callable[[Role], Visitor], broadcast_id: int
) -> None:
    kim = make.make_operator(session, Role.COACH)
    make.make_outbound(session, ada, number, "a private word", author_kind="coach", operator_id=kim.id)
    session.commit()
    for role, may_read in ((Role.COACH, True), (Role.MARKETER, False)):
        visitor = signed_in(role)
        page, file = visitor.get("/logs").text, visitor.get("/logs.csv").text
        assert ["a private word" in each for each in (page, file)] == [may_read] * 2
        assert ["Course starts" in each for each in (page, file)] == [True] * 2


def test_an_empty_log_says_what_will_come(admin: Visitor) -> None:
    assert "Nothing was sent in Live yet" in admin.get("/logs").text
