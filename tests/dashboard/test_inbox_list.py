"""The list of conversations: its tabs, filters and counts, and what is done to many of them at once."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.conversations import at_work, finding, labels
from bot.models.connection import Number
from bot.models.conversation import Conversation
from bot.models.inbox import ConversationLabel, InboxPolicy, Label
from bot.models.team import Operator
from bot.models.words import Environment
from bot.runtime import Runtime
from tests.dashboard.audited import entries
from tests.dashboard.visitor import Visitor
from tests.factories import make_conversation, make_number, make_person, make_segment

NOW = datetime.now(UTC)
ROWS = {
    # name: (minutes since they wrote, waits, whose, state)
    "Fresh": (1, True, None, "open"),
    "Answered": (2, False, "me", "open"),
    "Ending": (23 * 60, True, "other", "open"),
    "Over": (30 * 60, True, None, "open"),
    "Done": (3, False, None, "closed"),
}


@pytest.fixture
def me(coach: Visitor, session: Session) -> Operator:
    return session.scalars(select(Operator).order_by(Operator.id.desc())).first()  # type: ignore[return-value]


@pytest.fixture
def listed(session: Session, number: Number, me: Operator) -> dict[str, Conversation]:
    other = session.scalars(select(Operator).where(Operator.id != me.id)).first() or _colleague(session)
    whose = {"me": me.id, "other": other.id, None: None}
    made = {}
    for name, (minutes, waits, owner, state) in ROWS.items():
        at = NOW - timedelta(minutes=minutes)
        made[name] = make_conversation(
            session,
            make_person(session, first_name=name, last_name=None),
            number,
            last_inbound_at=at,
            state=state,
            waiting_since=at if waits else None,
            assigned_to_id=whose[owner],
            unread_count=0,
        )
    session.commit()
    return made


def _colleague(session: Session) -> Operator:
    from tests.factories import make_operator  # noqa: PLC0415

    return make_operator(session, "coach")


def names(page: str) -> list[str]:
    return re.findall(r'<b class="text-truncate"\s+dir="auto">(\w+)</b>', page)


@pytest.mark.parametrize(
    "tab, shown",
    [
        ("open", ["Fresh", "Answered", "Ending", "Over"]),
        ("unanswered", ["Fresh", "Ending", "Over"]),
        ("waiting", ["Over", "Ending", "Fresh"]),
        ("ending", ["Ending"]),
        ("mine", ["Answered"]),
        ("unassigned", ["Fresh", "Over"]),
        ("closed", ["Done"]),
        ("all", ["Fresh", "Answered", "Done", "Ending", "Over"]),
    ],
)
def test_each_tab_holds_what_its_name_says_in_its_order(
    coach: Visitor, listed: dict[str, Conversation], tab: str, shown: list[str]
) -> None:
    assert listed
    assert names(coach.get(f"/inbox?state={tab}").text) == shown
    assert names(coach.get(f"/inbox/rows?state={tab}").text) == shown


def test_the_tabs_count_what_they_hold_also_when_narrowed(
    coach: Visitor, session: Session, listed: dict[str, Conversation]
) -> None:
    def counted(query: str) -> dict[str, int]:
        tabs = coach.get(f"/inbox{query}").text.split("</nav>")
        found = re.findall(r">([\w ]+) <span class=\"count\">(\d+)</span></a>", " ".join(tabs))
        return {name.strip(): int(count) for name, count in found}

    assert counted("") == {"Open": 4, "Unanswered": 3, "Closing soon": 1, "Mine": 1, "Unassigned": 2}
    number = make_number(session)
    segment = make_segment(session, [session.get_one(Conversation, listed["Ending"].id).person])
    label = labels.make(session, "live", "Invoice", "blue")
    session.add(ConversationLabel(conversation_id=listed["Over"].id, label_id=label.id))
    session.commit()
    assert counted(f"?number={number.id}") == {}
    assert counted(f"?segment={segment.id}") == {"Open": 1, "Unanswered": 1, "Closing soon": 1}
    assert counted(f"?label={label.id}&state=closed") == {"Open": 1, "Unanswered": 1, "Unassigned": 1}
    assert names(coach.get(f"/inbox?label={label.id}&state=waiting").text) == ["Over"]


def test_counts_of_very_many_are_kept_for_a_moment_and_rows_are_not(
    coach: Visitor, listed: dict[str, Conversation], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finding, "_kept", {})
    monkeypatch.setattr(finding, "KEPT_S", 3600.0)

    def shown(query: str = "") -> tuple[list[str], int]:
        page = coach.get(f"/inbox{query}").text
        return names(page), len(re.findall(r'Open <span class="count">4</span>', page))

    monkeypatch.setattr(finding, "MANY", 4)
    assert shown() == (["Fresh", "Answered", "Ending", "Over"], 1)
    coach.post(f"/inbox/{listed['Fresh'].id}/close")
    assert shown() == (["Answered", "Ending", "Over"], 0)
    coach.post(f"/inbox/{listed['Fresh'].id}/reopen")
    monkeypatch.setattr(finding, "MANY", 3)
    assert shown()[1] == 1
    coach.post(f"/inbox/{listed['Fresh'].id}/close")
    assert shown() == (["Answered", "Ending", "Over"], 1)
    assert shown("?coach=999999") == ([], 0)


def test_a_page_goes_on_where_the_last_one_ended_though_its_rows_have_moved(
    coach: Visitor, session: Session, number: Number
) -> None:
    for count in range(55):
        person = make_person(session, first_name=f"P{count:02}", last_name=None)
        make_conversation(session, person, number, last_inbound_at=NOW - timedelta(minutes=count))
    session.commit()
    first = coach.get("/inbox").text
    more = re.search(r'href="([^"]*after=[^"]*)"', first)
    assert more
    edge = session.scalars(select(Conversation).order_by(Conversation.last_message_at.desc()).offset(49).limit(1)).one()
    edge.last_message_at = NOW + timedelta(minutes=1)
    session.commit()
    assert names(coach.get(more[1].replace("&amp;", "&")).text) == [f"P{count}" for count in range(50, 55)]


@pytest.mark.parametrize(
    "query", ["after=x", "after=1-", f"after={'9' * 40}-1", "label=999999", "segment=x", "coach=-1"]
)
def test_an_address_somebody_played_with_is_no_error(coach: Visitor, query: str) -> None:
    assert coach.get(f"/inbox?{query}").status_code == 200


def test_chosen_conversations_close_at_once_and_open_again_by_an_undo(
    coach: Visitor, session: Session, listed: dict[str, Conversation]
) -> None:
    coach.get("/inbox")
    chosen = [listed["Fresh"].id, listed["Over"].id]
    closed = coach.post("/inbox/close", {"id": chosen})
    page = coach.get(closed.headers["Location"]).text
    assert names(page) == ["Answered", "Ending"]
    undo = re.search(r'action="(/inbox/close/\d+/undo[^"]*)"', page)
    assert undo
    coach.post(undo[1])
    assert names(coach.get("/inbox").text) == ["Fresh", "Answered", "Ending", "Over"]
    coach.post(undo[1])
    assert "too late" in coach.get("/inbox").text


def test_all_of_a_narrowed_list_closes_and_nothing_else(coach: Visitor, listed: dict[str, Conversation]) -> None:
    assert listed
    coach.get("/inbox")
    coach.post("/inbox/close?state=unassigned", {"all": "yes"})
    assert names(coach.get("/inbox").text) == ["Answered", "Ending"]


def test_a_coach_takes_hands_over_and_labels_a_conversation(
    coach: Visitor, session: Session, me: Operator, listed: dict[str, Conversation]
) -> None:
    id_ = listed["Fresh"].id
    label = labels.make(session, "live", "Invoice", "blue")
    other = labels.make(session, Environment.TEST, "Elsewhere", "red")
    session.commit()
    coach.get("/inbox")
    coach.post(f"/inbox/{id_}/assign", {"to": me.id, "remark": "mine now"})
    coach.post(f"/inbox/{id_}/label", {"chosen": label.id})
    coach.post(f"/inbox/{id_}/label", {"chosen": other.id})
    page = coach.get("/inbox?state=mine").text
    assert names(page) == ["Fresh", "Answered"]
    assert "Invoice" in page
    assert "There is no such label" in page
    strip = coach.get(f"/inbox/rows?current={id_}").text
    assert "You look after this" in strip
    assert "mine now" in strip
    coach.post(f"/inbox/{id_}/label", {"chosen": label.id, "off": "yes"})
    coach.post(f"/inbox/{id_}/assign", {"to": ""})
    assert names(coach.get("/inbox?state=mine").text) == ["Answered"]
    assert session.scalars(select(ConversationLabel)).all() == []


def test_labels_are_made_renamed_and_archived_on_a_page(coach: Visitor, session: Session) -> None:
    coach.get("/inbox/labels")
    assert coach.post("/inbox/labels", {"name": "Invoice", "colour": "blue"}).status_code == 303
    assert coach.post("/inbox/labels", {"name": "INVOICE", "colour": "blue"}).status_code == 422
    assert coach.post("/inbox/labels", {"name": " ", "colour": "blue"}).status_code == 422
    label = session.scalars(select(Label)).one()
    coach.post(f"/inbox/labels/{label.id}", {"name": "Bill", "colour": "red"})
    coach.post(f"/inbox/labels/{label.id}", {"archive": "yes"})
    session.expire_all()
    assert (label.name, label.colour, label.archived_at is not None) == ("Bill", "red", True)
    assert "archived" in coach.get("/inbox/labels").text


def test_an_admin_says_how_the_inbox_works_by_itself(admin: Visitor, coach: Visitor, session: Session) -> None:
    good = {"assigning": "round_robin", "tells": "read", "capacity": "7", "away_after_min": "9", "close_after_h": ""}
    assert coach.get("/inbox/settings").status_code == 403
    admin.get("/inbox/settings")
    assert admin.post("/inbox/settings", good).status_code == 303
    policy = session.scalars(select(InboxPolicy)).one()
    assert (policy.assigning, policy.tells, policy.capacity, policy.close_after_h) == ("round_robin", "read", 7, None)
    (entry,) = entries(session)
    assert [told and told["capacity"] for told in (entry.before, entry.after)] == [20, 7]
    for wrong in (
        {"capacity": "0"},
        {"away_after_min": ""},
        {"close_after_h": "x"},
        {"assigning": "by_magic"},
        {"tells": ""},
    ):
        assert admin.post("/inbox/settings", good | wrong).status_code == 422


def test_who_is_away_says_so_and_comes_back(coach: Visitor) -> None:
    coach.get("/inbox")
    coach.post("/inbox/away", {"is_away": "yes"})
    assert "You are away" in coach.get("/inbox").text
    coach.post("/inbox/away")
    assert "You are away" not in coach.get("/inbox").text


def test_a_list_left_open_keeps_its_coach_there_to_be_given_work(
    coach: Visitor, rt: Runtime, me: Operator, number: Number
) -> None:
    assert number
    rt.redis.flushall()
    assert coach.get("/inbox/rows").status_code == 200
    assert at_work.seen(rt.redis, 60) == {me.id}
