"""The queries of docs/raw-data.md, run on exported files, say what Insights says of the same messages."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pytest
from sqlalchemy import select, text

from bot.goals import goals, links
from bot.insights import active, authors, conversations, generations, impact, jobs, volume, wishes
from bot.insights.asking import Filter, Period, Question
from bot.insights.export import folders
from bot.insights.export.files import Wanted
from bot.insights.export.tables import TABLES
from bot.models.message import Message
from bot.runtime import Runtime
from bot.schema import ROOT
from tests.harness.runtimes import live_runtime, make_settings
from tests.harness.servers import Servers
from tests.insights.export.story import ZONE, Story

FIRST, LAST = date(2026, 3, 20), date(2026, 4, 2)
DOCUMENT = (ROOT / "docs/raw-data.md").read_text()
_WRITTEN = (Message.direction == "in", Message.kind != "reaction")
_RESULTS = """
    SELECT b.id, b.name, (SELECT count(*) FROM message m WHERE m.broadcast_id = b.id),
           (SELECT count(*) FROM message m WHERE m.broadcast_id = b.id AND m.state = 'accepted'),
           (SELECT count(*) FROM message m WHERE m.broadcast_id = b.id AND m.delivery_level IN (2, 3)),
           (SELECT count(*) FROM message m WHERE m.broadcast_id = b.id AND m.delivery_level = 3),
           (SELECT count(r.replied_at) FROM broadcast_response r WHERE r.broadcast_id = b.id),
           (SELECT count(r.opted_out_at) FROM broadcast_response r WHERE r.broadcast_id = b.id)
      FROM broadcast b ORDER BY 1
"""
_COSTS = """
    SELECT b.id, b.name, sum(price) AS cost, 'EUR', count(*) FILTER (WHERE price IS NULL)
      FROM broadcast b JOIN template t ON t.id = b.template_id
      JOIN message m ON m.broadcast_id = b.id AND m.delivery_level >= 2
     CROSS JOIN LATERAL (SELECT CASE
        WHEN t.category = 'UTILITY' THEN CASE WHEN m.to_address ~ '^([+]20|EG)' THEN 0.0125 END
        WHEN m.to_address LIKE '+49%' THEN 0.11 ELSE 0.03 END AS price) p
     GROUP BY 1, 2 ORDER BY 1
"""
_TITLED = re.compile(r"^### (.+?)\n.*?^```sql\n(.+?)^```", re.MULTILINE | re.DOTALL)
QUERIES = dict(_TITLED.findall(DOCUMENT))
IN_BIGQUERY = dict(_TITLED.findall((ROOT / "docs/bigquery.md").read_text()))


@pytest.fixture(scope="module")
def told(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runtime]:
    """A runtime in Berlin in which the story has happened and is counted."""
    with servers.fresh_database() as url:
        settings = make_settings(tmp_path_factory.mktemp("home"), url, servers.redis_url, BACKCHAT_TIME_ZONE=ZONE)
        with live_runtime(settings) as rt:
            with rt.transaction() as session:
                Story(session).tell(settings)
            while not is_counted(rt):
                jobs.sweep(rt)
            yield rt


def is_counted(rt: Runtime) -> bool:
    with rt.transaction() as session:
        return generations.current(session) is not None


@pytest.fixture(scope="module")
def duck(told: Runtime, tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """The views that come with exports under pseudonyms."""
    folder = tmp_path_factory.mktemp("exports")
    folders.export(told, folder, Wanted("live", is_pseudonymised=True), anew=False)
    with duckdb.connect() as opened:
        look_at(opened, folder)
        yield opened


def look_at(opened: duckdb.DuckDBPyConnection, folder: Path) -> None:
    opened.execute(f"SET file_search_path = '{folder}'")
    opened.execute((folder / "views.sql").read_text())
    opened.execute(f"SET VARIABLE first_day = DATE '{FIRST}'; SET VARIABLE last_day = DATE '{LAST}'")


@pytest.fixture
def question(told: Runtime) -> Iterator[Question]:
    with told.sessions() as session:
        yield Question(session, Period(FIRST, LAST), Filter("live"))


def test_active_people_are_those_of_insights(duck: duckdb.DuckDBPyConnection, question: Question) -> None:
    insights = active.active(question)
    assert ask(duck, "Active people, each once") == [(insights.people,)]
    bars = [(row.day, row.people, row.new, row.returning) for row in insights.rows if row.people]
    assert ask(duck, "Active people by day, new and returning") == bars
    places = {row.country: row.people for row in active.countries(question)}
    assert dict(ask(duck, "Countries of those who were active")) == places


def test_what_was_said_is_what_insights_counts(duck: duckdb.DuckDBPyConnection, question: Question) -> None:
    days = [(row.day, row.received, row.sent) for row in volume.volume(question).rows if row.received or row.sent]
    assert ask(duck, "Received and sent by day") == days
    hours = [(row.weekday, row.hour, row.received) for row in volume.hours(question) if row.received]
    assert ask(duck, "When people write") == hours


def test_shares_and_authors_are_those_of_insights(duck: duckdb.DuckDBPyConnection, question: Question) -> None:
    shares = volume.shares(question)
    sides = [("automatic", *counts(shares["automatic"])), ("by hand", *counts(shares["by_hand"]))]
    assert shares["automatic"].replied > 0
    assert [row[:6] for row in ask(duck, "What became of what was sent")] == sides
    ranked = {
        (kind.kind, author.author_id): author.fate.sent
        for kind in authors.kinds(question)
        for author in authors.authors(question, kind.kind)
        if author.fate.sent
    }
    found = ask(duck, "Who wrote what was sent")
    assert {(kind, id_): sent for kind, id_, _, sent in found} == ranked
    assert [sent for *_, sent in found] == sorted(ranked.values(), reverse=True)


def counts(fate: volume.Fate) -> tuple[int, ...]:
    return fate.sent, fate.delivered, fate.read, fate.replied, fate.failed


def test_conversations_are_those_of_insights(duck: duckdb.DuckDBPyConnection, question: Question) -> None:
    spread = conversations.responses(question)
    [(many, median, p90)] = ask(duck, "How soon people are answered")
    assert (many, median, p90) == (spread.count, pytest.approx(spread.median), pytest.approx(spread.p90))
    days = [(row.day, row.opened, row.reopened) for row in conversations.conversations(question).rows if row.opened]
    assert ask(duck, "Conversations opened and reopened by day") == days


def test_wishes_are_those_of_insights(duck: duckdb.DuckDBPyConnection, question: Question) -> None:
    days = [(row.day, row.opted_out, row.opted_in) for row in wishes.wishes(question) if row.opted_out or row.opted_in]
    assert ask(duck, "Opt-outs and opt-ins by day") == days


def test_links_and_goals_are_those_of_their_pages(duck: duckdb.DuckDBPyConnection, question: Question) -> None:
    listed = [(each.link.name, each.clicks, each.people) for each in links.counted(question.session, "live")]
    assert ask(duck, "Who followed each link") == listed
    assert all(clicks > people > 0 for _, clicks, people in listed)
    [goal] = goals.every(question.session, "live")
    told = impact.impact(question.session, impact.Asked(goal, question.period, question.which))
    rows = [(goal.name, each.behaviour.name, each.people) for each in told.rows]
    assert ask(duck, "What people did for each goal") == rows
    assert rows[-1][-1] > 0


def test_broadcasts_come_to_what_their_messages_say(duck: duckdb.DuckDBPyConnection, told: Runtime) -> None:
    with told.sessions() as session:
        rows = session.execute(text(_RESULTS)).all()
        costs = session.execute(text(_COSTS)).all()
    assert ask(duck, "What became of each broadcast") == [tuple(row) for row in rows]
    assert ask(duck, "What each broadcast cost") == [tuple(row) for row in costs]
    assert all(row.cost for row in costs)


def test_whoever_comes_back_is_in_the_cohort_of_their_first_week(
    duck: duckdb.DuckDBPyConnection, told: Runtime
) -> None:
    weeks = defaultdict(set)
    with told.sessions() as session:
        written = session.execute(select(Message.person_id, Message.occurred_at).where(*_WRITTEN))
        for person_id, at in written:
            day = at.astimezone(ZoneInfo(ZONE)).date()
            weeks[person_id].add(day - timedelta(days=day.weekday()))
    cohorts = Counter((min(own), (week - min(own)).days // 7) for own in weeks.values() for week in own)
    found = ask(duck, "Who comes back, by the week of their first message")
    assert {(cohort, later): people for cohort, later, people in found} == cohorts


@pytest.mark.parametrize("title", IN_BIGQUERY)
def test_a_query_for_bigquery_says_the_same(duck: duckdb.DuckDBPyConnection, title: str) -> None:
    duck.execute("CREATE SCHEMA IF NOT EXISTS backchat")
    duck.execute("CREATE OR REPLACE MACRO backchat.local_day(moment) AS main.local_day(moment)")
    for name in TABLES:
        duck.execute(f"CREATE OR REPLACE VIEW backchat.{name} AS SELECT * FROM main.{name}")
    found = duck.execute(IN_BIGQUERY[title]).fetchall()
    assert found == [row[: len(found[0])] for row in duck.execute(QUERIES[title]).fetchall()]


def test_every_query_of_the_documentation_is_compared() -> None:
    asked = set(re.findall(r'ask\(duck, "(.+?)"\)', Path(__file__).read_text()))
    assert asked == set(QUERIES)
    assert len(QUERIES) >= 10


def ask(duck: duckdb.DuckDBPyConnection, title: str) -> list[Any]:
    return duck.execute(QUERIES[title]).fetchall()
