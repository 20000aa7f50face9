"""Insights: a block's picture, table, file and answer for programs are one; what cannot be asked is refused."""

import csv
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from html import unescape
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.dashboard.insights import wording
from bot.dashboard.insights.drawn import HEIGHT
from bot.insights.blocks.shapes import Figure, Kind, Unit
from bot.insights.blocks.table import BLOCKS
from bot.journeys import reminders
from bot.messages import replies
from bot.models.connection import Number
from bot.models.conversation import Conversation
from bot.models.goals import BehaviourDay, Goal
from bot.models.person import Person
from bot.models.words import Role
from bot.people import consent
from bot.people.consent import MARKETING, RESUME, STOP, Word
from bot.team import tokens
from tests import factories as make
from tests.dashboard.visitor import Visitor
from tests.goals.aims import keyword, make_goal
from tests.insights.test_blocks import begin

NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)
DAYS = "since=2026-03-11&until=2026-03-20"
SHOWN: dict[str, Callable[[float], str]] = {
    Unit.SHARE: lambda share: f"{share * 100:,.{1 if share < 1 else 0}f}%",
    Unit.AVERAGE: lambda value: f"{value:,.2f}",
}
"""A value as a picture writes it."""


def whole(value: float) -> str:
    return f"{int(value):,}"


@pytest.fixture
def counting(session: Session) -> None:
    """What is said from now on is counted at once."""
    begin(session, "UTC")
    session.commit()


@pytest.fixture
def history(session: Session, counting: None) -> Conversation:
    """Three people of three countries and one who hides hers, four days, every kind of author, an answered opening."""
    number, operator = make.make_number(session), make.make_operator(session, Role.COACH)
    authors: list[dict[str, Any]] = [
        {"author_kind": "stack", "journey_id": make.make_journey(session).id},
        {"author_kind": "coach", "operator_id": operator.id},
        {"author_kind": "coach", "operator_id": make.make_operator(session, Role.COACH).id},
        {"author_kind": "api", "token_id": make.make_token(session).id},
        {"author_kind": "broadcast", "broadcast_id": launched(session, number)},
        {"author_kind": "app"},
    ]
    authors.insert(1, {"author_kind": "reminder", "reminder_id": remind(session, number)})
    for n, phone in enumerate(("+4915112345678", "+201001234567", "+14165550123", None)):
        person = make.make_person(session, phone=phone)
        for days in range(n + 1):
            at = NOW - timedelta(days=2 * days, hours=n)
            for _ in range(days + 1):
                make.make_inbound(session, person, number, occurred_at=at)
            for author in authors[: 3 + n]:
                make.make_outbound(
                    session, person, number, state="accepted", accepted_at=at, delivery_level=(n + days) % 4, **author
                )
        replies.note(session, number.id, [(person.id, None, NOW)])
        talk = make.make_conversation(session, person, number, last_inbound_at=NOW - timedelta(days=n))
        talk.episodes[0].first_reply_at = talk.episodes[0].opened_at + timedelta(minutes=4 * n)
        talk.episodes[0].first_reply_operator_id = operator.id
        consent.tell(session, [Word(person.id, MARKETING, STOP if n else RESUME, "word", NOW, "STOP")])
        reach(session, person, completes=n > 1)
    session.commit()
    return talk


def reach(session: Session, person: Person, *, completes: bool) -> None:
    goal = session.scalar(select(Goal)) or make_goal(session, keyword("join"), keyword("done"))
    for behaviour in goal.behaviours[: 1 + completes]:
        at = NOW + timedelta(minutes=behaviour.position)
        told = {"environment": "live", "author_kind": "", "author_id": 0, "at": at, "day": at.date()}
        session.add(BehaviourDay(behaviour_id=behaviour.id, person_id=person.id, **told))


def launched(session: Session, number: Number) -> int:
    segment, template = make.make_segment(session, []), make.make_template(session, number.connection)
    return make.make_broadcast(session, number, segment, template).id


def remind(session: Session, number: Number) -> int:
    wanted = reminders.Wanted(
        "Tomorrow", datetime.now(UTC) + timedelta(days=1), person_id=make.make_person(session).id, text="Hi"
    )
    return reminders.add(session, number, wanted).id


@pytest.fixture
def bearer(session: Session) -> dict[str, str]:
    _, secret = tokens.create(session, "live", "charts")
    session.commit()
    return {"Authorization": f"Bearer {secret}"}


def read_csv(visitor: Visitor, name: str) -> list[dict[str, str]]:
    answer = visitor.get(f"/insights/{name}.csv?{DAYS}")
    assert answer.status_code == 200
    return list(csv.DictReader(answer.text.lstrip("\ufeff").splitlines()))


@pytest.mark.parametrize("name", BLOCKS)
def test_picture_table_file_and_api_are_the_same_numbers(
    admin: Visitor, history: Conversation, bearer: dict[str, str], name: str
) -> None:
    rows = read_csv(admin, name)
    told = admin.client.get(f"/api/v1/insights/{name}?{DAYS}", headers=bearer).get_json()
    assert rows == [{key: "" if value is None else str(value) for key, value in row.items()} for row in told["rows"]]
    page = admin.get(f"/insights/{name}?{DAYS}").text
    assert unescape(page).count("<tr>") == len(rows) + 1
    for row, seen in zip(rows, pictured(page, name), strict=True):
        for series in BLOCKS[name].picture.series:
            unit = next(column["unit"] for column in told["columns"] if column["name"] == series)
            show = SHOWN.get(unit, whole)
            assert (show(float(row[series])) if row[series] else "\u2013") in seen
    assert any(float(row[series] or 0) for row in rows for series in BLOCKS[name].picture.series)


def pictured(page: str, name: str) -> list[str]:
    """What the picture says of each row."""
    match BLOCKS[name].picture.kind:
        case Kind.RANKS:
            return re.findall(r"<li>(.*?)</li>", page[page.index("<ol") : page.index("</ol>")], re.DOTALL)
        case Kind.METERS:
            return re.findall(r"<h4>(.*?)</div>", page, re.DOTALL)
    return [unescape(said) for said in re.findall(r"<rect class=\"slot[^>]*>\s*<title>(.*?)</title>", page, re.DOTALL)]


def test_a_change_is_told_against_the_days_before_or_others_or_none(admin: Visitor, history: Conversation) -> None:
    address = "/insights/active?since=2026-03-19&until=2026-03-20"
    assert "before: 3" in admin.get(address).text
    assert "before: 2" in admin.get(f"{address}&against_since=2026-03-16&against_until=2026-03-16").text
    assert "before:" not in admin.get(f"/insights?{DAYS}&against=nothing").text


@pytest.mark.parametrize(
    "query, about",
    [
        ("period=8d", "period"),
        ("since=2030-02-30&until=2030-03-01", "since"),
        ("since=20300301&until=2030-03-02", "since"),
        ("since=2026-03-02", "until"),
        ("since=2026-03-02&until=2026-03-01", "until"),
        ("since=2010-01-01&until=2026-03-01", "since"),
        ("against=x", "against"),
        ("against_since=2026-01-01&against_until=never", "against_until"),
        ("against_since=2026-01-02&against_until=2026-01-01", "against_until"),
        ("against_since=2010-01-01&against_until=2026-01-01", "against_since"),
        ("number=-1", "number"),
        ("number=٣", "number"),
        ("number=9999999999999999999", "number"),
        ("number=999", "number"),
        ("segment=999", "segment"),
        ("segment=1'--", "segment"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_a_sentence_beside_the_choices(
    admin: Visitor, bearer: dict[str, str], counting: None, query: str, about: str
) -> None:
    page = admin.get(f"/insights?{query}")
    refused = admin.client.get(f"/api/v1/insights/active?{query}", headers=bearer)
    assert (page.status_code, refused.status_code) == (400, 400)
    error = refused.get_json()["error"]
    assert (error["code"], error["field"]) == ("unexpected_query", about)
    assert error["message"] in unescape(page.text)
    assert admin.get(f"/insights/active.csv?{query}").status_code == 400


def test_what_was_chosen_goes_along_with_every_link(admin: Visitor, history: Conversation) -> None:
    page = unescape(admin.get(f"/insights?{DAYS}&number={history.number_id}&against=year").text)
    links = re.findall(r'href="(/(?:insights(?!/raw|/summaries)|goals/\d)[^"]*)"', page)
    assert any(href.startswith("/goals") for href in links)
    for href in links:
        assert f"number={history.number_id}" in href
        assert "against=year" in href
    assert "period=7d" in re.findall(r'href="(/goals/\d[^"]*)"', unescape(admin.get("/insights").text))[0]


def test_a_journey_is_one_author_whatever_its_versions_and_so_are_reminders_of_a_name(
    admin: Visitor, session: Session, counting: None
) -> None:
    number, person = make.make_number(session), make.make_person(session)
    versions = [make.make_journey(session, name="course", version=n, active=n == 2) for n in (1, 2)]
    single = make.make_journey(session, name="welcome")
    due = [remind(session, number) for _ in range(2)]
    told = [({"journey_id": each.id}, 2) for each in versions] + [({"journey_id": single.id}, 3)]
    for author, many in (*told, *(({"reminder_id": each}, 1) for each in due)):
        kind = "stack" if "journey_id" in author else "reminder"
        for _ in range(many):
            sent: dict[str, Any] = {"state": "accepted", "accepted_at": NOW, "author_kind": kind, **author}
            make.make_outbound(session, person, number, **sent)
    session.commit()
    first, second = read_csv(admin, "authors-stack")
    assert [(row["name"], row["sent"]) for row in (first, second)] == [("course", "4"), ("welcome", "3")]
    assert first["author_id"] == str(versions[1].id)
    assert [(row["name"], row["sent"]) for row in read_csv(admin, "authors-reminder")] == [("Tomorrow", "2")]


def test_a_day_that_is_not_over_is_marked_in_picture_table_and_words(
    admin: Visitor, session: Session, history: Conversation
) -> None:
    make.make_inbound(session, history.person, session.get_one(Number, history.number_id))
    session.commit()
    page = admin.get("/insights/active").text
    assert "Today is not over" in page
    assert page.count('class="so-far"') == 1
    assert page.count("(so far)") == 3  # the last bar, its row, and what is said of the picture as a whole
    past = admin.get(f"/insights/active?{DAYS}").text
    assert [past.count(each) for each in ("Today is not over", "so-far", "(so far)")] == [0, 0, 0]


@pytest.mark.parametrize(
    "unit, now, before, told",
    [
        (Unit.SHARE, 0.5004, 0.5, "="),
        (Unit.SHARE, 0.501, 0.5, "\u25b2 0.1 points"),
        (Unit.SHARE, 0.4864, 0.5026, "\u25bc 1.7 points"),
        (Unit.AVERAGE, 1.004, 1.0, "="),
        (Unit.PEOPLE, 10_001, 10_000, "="),
        (Unit.PEOPLE, 1, 2, "\u25bc 50.0%"),
        (Unit.PEOPLE, 3, 0, ""),
    ],
)
def test_a_change_is_that_of_what_is_shown_and_has_no_arrow_where_none_is(
    unit: Unit, now: float, before: float, told: str
) -> None:
    assert wording.change(Figure("f", "F", unit, now), Figure("f", "F", unit, before)) == told


def test_days_before_the_first_message_are_no_slump(admin: Visitor, history: Conversation) -> None:
    def remarked(query: str) -> list[str]:
        return re.findall(r'"insight-remark">(.*?)<', unescape(admin.get(f"/insights?{query}").text))

    [before] = remarked("since=2026-03-01&until=2026-03-02")
    assert "nothing was counted before it" in before
    [against] = remarked("since=2026-03-14&until=2026-03-20&against=before")
    assert "after the days this is compared with" in against
    assert remarked("since=2026-03-18&until=2026-03-20&against_since=2026-03-14&against_until=2026-03-16") == []
    assert remarked("since=2199-01-01&until=2199-01-02&against=nothing") == ["These days are still to come."]
    today = datetime.now(UTC).date()
    [partly] = remarked(f"since=2026-03-20&until={today + timedelta(days=3)}&against=nothing")
    assert partly == "Some of these days are still to come, and today is not over."
    so_far, not_over = remarked(f"period=7d&against_since=2026-03-18&against_until={today}")
    assert so_far == "Today is not over and counts as far as it has come."
    assert not_over == "The days this is compared with are not all over."
    one = unescape(admin.get("/insights?since=2026-03-18&until=2026-03-18&against=nothing").text)
    assert re.search(r'"insight-period">\s*Wed, 18 Mar\.\s*<', one)


def test_where_nobody_said_anything_the_page_says_what_to_do_first(admin: Visitor, counting: None) -> None:
    page = admin.get("/insights").text
    assert "Nothing was said here yet" in page
    assert admin.get(unescape(re.findall(r'href="([^"]*)">Look at Test', page)[0])).status_code == 200


def test_a_year_of_two_things_beside_each_other_is_drawn_as_columns_and_a_line(
    admin: Visitor, history: Conversation
) -> None:
    few = admin.get(f"/insights/volume?{DAYS}").text
    many = admin.get("/insights/volume?since=2026-01-01&until=2026-03-20").text
    assert ("series-2 steps" in few, "series-2 steps" in many) == (False, True)
    [line] = re.findall(r'series-2 steps" d="([^"]*)"', many)
    assert line.count("h1") == (NOW.date() - date(2026, 1, 1)).days + 1


THREE_DAYS = "since=2026-03-18&until=2026-03-20"


def strokes(page: str, of: str) -> list[tuple[float, float, float]]:
    """(from where, how wide, how high by the scale at its side) of each mark of the picture's paths of this class."""
    top = max(int(tick) for tick in re.findall(r'text-anchor="end">(\d+)<', page))
    paths = re.findall(rf'class="{of}" d="([^"]*)"', page[: page.index("<figcaption")])
    found = (each for path in paths for each in re.findall(r"M([\d.]+) ([\d.]+)h([\d.]+)", path))
    return [(float(x), float(width), (HEIGHT - float(y)) / HEIGHT * top) for x, y, width in found]


def test_over_each_of_two_bars_stands_what_it_was_then(
    admin: Visitor, history: Conversation, bearer: dict[str, str]
) -> None:
    address = "/api/v1/insights/volume?since=2026-03-15&until=2026-03-17"
    then = admin.client.get(address, headers=bearer).get_json()["rows"]
    page = admin.get(f"/insights/volume?{THREE_DAYS}").text
    marks = strokes(page, "before")
    expected = [row[series] for series in ("received", "sent") for row in then]
    assert [high for *_, high in marks] == pytest.approx(expected, abs=0.1)
    assert sum(expected)
    assert strokes(page, "before halo") == marks
    for n, path in enumerate(re.findall(r'class="series-\d" d="([^"]+)"', page)):
        bars = re.findall(r"M([\d.]+) [\d.]+v-[\d.]+h([\d.]+)", path)
        assert bars
        for x, width in bars:
            assert any((float(x), float(width)) == pytest.approx(mark[:2], abs=0.01) for mark in marks[3 * n :][:3])


def test_over_columns_and_a_line_stands_what_each_was_then_week_by_week(admin: Visitor, history: Conversation) -> None:
    during = f"since=2026-03-14&until={(date(2026, 3, 14) + timedelta(days=69)).isoformat()}"
    page = admin.get(f"/insights/volume?{during}&against_since=2026-03-14&against_until=2026-05-22").text
    assert "average of seven days" in page
    figures = [int(row["received"]) for row in read_csv(admin, "volume")]
    first, *rest = strokes(page, "before of-1")
    assert first == pytest.approx((0, 7, sum(figures[3:]) / 7), abs=0.1)
    assert [each[:2] for each in rest] == [(7 * n, 7) for n in range(1, 10)]
    assert len(strokes(page, "before of-2")) == 10


def test_of_coaches_one_sees_oneself_and_whoever_leads_the_team_sees_all(
    admin: Visitor, coach: Visitor, history: Conversation
) -> None:
    everybody = read_csv(admin, "authors-coach")
    assert len(everybody) == 2
    [others] = read_csv(coach, "authors-coach")
    assert (others["name"], int(others["sent"])) == ("", sum(int(row["sent"]) for row in everybody))
    assert everybody[0]["name"] not in coach.get(f"/insights/authors-coach?{DAYS}").text


def test_a_segment_is_asked_for_by_whoever_looks_at_segments(
    admin: Visitor, coach: Visitor, session: Session, history: Conversation
) -> None:
    segment = make.make_segment(session, [history.person], name="Hidden")
    session.commit()
    assert "<b>1</b>" in admin.get(f"/insights/active?{DAYS}&segment={segment.id}").text
    refused = coach.get(f"/insights/active?{DAYS}&segment={segment.id}")
    assert (refused.status_code, "Hidden" in refused.text) == (400, False)


@pytest.mark.parametrize("chosen", ["number", "segment"])
def test_each_block_is_of_the_number_and_the_segment_that_were_chosen_or_says_that_it_is_not(
    admin: Visitor, session: Session, history: Conversation, bearer: dict[str, str], chosen: str
) -> None:
    ids = {"number": make.make_number(session).id, "segment": make.make_segment(session, []).id}
    session.commit()
    query = f"{DAYS}&{chosen}={ids[chosen]}"
    for name, block in BLOCKS.items():
        told = admin.client.get(f"/api/v1/insights/{name}?{query}", headers=bearer).get_json()
        counted = any(row[series] for row in told["rows"] for series in block.picture.series)
        is_of_all = chosen == "number" and not block.heeds_number
        assert (counted, told[chosen]) == ((True, None) if is_of_all else (False, ids[chosen])), name
        assert ("Of all numbers" in admin.get(f"/insights/{name}?{query}").text) == is_of_all
        file = admin.get(f"/insights/{name}.csv?{query}").headers["Content-Disposition"]
        assert ("all-numbers" in file) == is_of_all


def test_until_everything_was_counted_once_a_page_says_so(admin: Visitor, bearer: dict[str, str]) -> None:
    assert "Not counted yet" in admin.get("/insights").text
    assert admin.client.get("/api/v1/insights/active", headers=bearer).status_code == 503
    assert admin.get("/insights/active.csv").status_code == 503


def test_where_no_goal_was_set_up_its_block_says_what_one_is_and_leads_to_a_first(
    admin: Visitor, coach: Visitor, counting: None
) -> None:
    page = admin.get("/insights").text
    assert "something you hope people will do" in page
    assert admin.get(re.findall(r'href="([^"]*)">New goal', page)[0]).status_code == 200
    assert "New goal" not in coach.get("/insights").text


def test_a_program_is_told_which_days_are_over(admin: Visitor, bearer: dict[str, str], counting: None) -> None:
    told = admin.client.get("/api/v1/insights/active?period=7d", headers=bearer).get_json()
    assert (told["period"]["is_over"], told["before"]["is_over"]) == (False, True)


def test_a_program_is_told_which_blocks_there_are(admin: Visitor, bearer: dict[str, str]) -> None:
    listed = admin.client.get("/api/v1/insights", headers=bearer).get_json()["blocks"]
    assert [each["name"] for each in listed] == list(BLOCKS)
    unknown = admin.client.get("/api/v1/insights/none", headers=bearer)
    assert (unknown.status_code, unknown.get_json()["error"]["code"]) == (404, "unknown_block")
