"""The page of summaries, and the link by which somebody wants no more of them."""

import re

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.dashboard.summaries import writing
from bot.models.summary import Summary, SummaryRun
from bot.runtime import Runtime
from bot.team.audit import Action
from tests.dashboard.audited import entries
from tests.dashboard.visitor import Visitor

CHAT = {
    "way": "chat",
    "place": "https://chat.example.org/hooks/secret-word",
    "rhythm": "weekly",
    "weekday": "1",
    "hour": "8",
    "language": "en",
}


@pytest.fixture
def summary(marketer: Visitor, session: Session) -> Summary:
    assert marketer.post("/insights/summaries", CHAT).status_code == 303
    return session.scalars(select(Summary)).one()


def stopped(session: Session) -> list[bool]:
    return list(session.scalars(select(Summary.stopped_at.is_not(None))))


def test_a_summary_is_set_up_tried_stopped_and_taken_up_again(
    marketer: Visitor, session: Session, summary: Summary
) -> None:
    page = marketer.get("/insights/summaries").text
    assert "chat.example.org" in page
    assert "secret-word" not in page
    assert "Every week, Monday, 08:00" in re.sub(r"\s+", " ", page)
    marketer.post(f"/insights/summaries/{summary.id}/send")
    assert [run.asked for run in session.scalars(select(SummaryRun))] == [True]
    for _ in range(2):  # an impatient click
        marketer.post(f"/insights/summaries/{summary.id}/stop")
    assert "stopped" in marketer.get("/insights/summaries").text
    for _ in range(2):
        marketer.post(f"/insights/summaries/{summary.id}/go-on")
    assert stopped(session) == [False]
    marketer.post(f"/insights/summaries/{summary.id}/delete")
    assert "No summary yet" in marketer.get("/insights/summaries").text
    told = [Action.SUMMARY_MADE, Action.SUMMARY_STOPPED, Action.SUMMARY_RESUMED, Action.SUMMARY_DELETED]
    assert [entry.action for entry in entries(session)] == told
    assert len({(entry.operator_id, entry.subject) for entry in entries(session)}) == 1


def test_what_is_refused_says_so_at_the_field_and_keeps_what_was_typed(marketer: Visitor) -> None:
    refused = marketer.post("/insights/summaries", {**CHAT, "place": "http://chat.example.org/x", "hour": "17"})
    assert refused.status_code == 422
    assert "it begins with https://" in refused.text
    assert 'value="http://chat.example.org/x"' in refused.text
    assert re.search(r'<option value="17"\s+selected', refused.text)


def test_the_link_in_a_summary_asks_and_then_stops_this_one_alone(
    app: Flask, rt: Runtime, session: Session, summary: Summary
) -> None:
    stranger = Visitor(app.test_client())
    address = f"/summaries/stop/{writing.stop_word(rt.settings, summary.id)}"
    assert "Do you want no more of them?" in stranger.get(address).text
    assert stopped(session) == [False], "mail programs open links to look at them"
    assert "No more of them go to" in stranger.post(address).text
    assert stopped(session) == [True]
    stranger.post(address)
    *_, entry = entries(session)
    assert (entry.action, entry.subject) == (Action.SUMMARY_STOPPED, f"summary {summary.id}")
    assert (entry.operator_id, entry.address, entry.after) == (None, "127.0.0.1", {"to": "chat.example.org"})
    assert len(entries(session)) == 2, "the second click stopped nothing"
    for word in (str(summary.id), f"{summary.id}.forged", "%00"):
        assert stranger.get(f"/summaries/stop/{word}").status_code == 404
