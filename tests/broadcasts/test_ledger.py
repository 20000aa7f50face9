"""The numbers of a broadcast add up, each leads to just the people it counts, and the file holds the same ones."""

import csv
import io
import re
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from bot.messages import compose
from bot.models.broadcast import AudiencePerson, Broadcast, BroadcastWording
from bot.models.connection import Number
from bot.models.message import Message
from bot.models.person import Person
from bot.models.words import MessageState, Role
from bot.people import preferences
from bot.runtime import Runtime
from broadcasts.audience import drawing, frequency, making
from broadcasts.audience.waves import TRIAL
from broadcasts.results import ledger, listing, outcomes, parts, recipients, remedies, standing
from broadcasts.results.parts import PARTS, Asked
from tests import factories
from tests.broadcasts import standings
from tests.dashboard.visitor import Visitor

NOW = datetime.now(UTC)
WIRED = {"wire_at": NOW - timedelta(hours=1)}
MESSAGES: tuple[dict[str, Any], ...] = (
    *({"state": MessageState.ACCEPTED, "delivery_level": level, **WIRED} for level in (0, 1, 2, 3, 3)),
    {"state": MessageState.FAILED, "error_code": 131026, "error_text": "it cannot be delivered", **WIRED},
    {"state": MessageState.FAILED, "error_text": "nothing known for first_name"},
    {"state": MessageState.SUPPRESSED, "error_text": compose.OPTED_OUT},
    {"state": MessageState.CANCELLED},
    {"state": MessageState.QUEUED, "not_before": NOW + timedelta(hours=2)},
    {"state": MessageState.QUEUED},
    {"state": MessageState.CLAIMED},
    {"state": MessageState.WIRE},
    {"state": MessageState.UNKNOWN, "unknown_at": NOW - timedelta(hours=1), **WIRED},
)


@pytest.fixture
def broadcast(session: Session) -> Broadcast:
    """Somebody in every state, two who answered, one of whom wants no more, and two without a message yet."""
    made = standings.make(session, *MESSAGES, unmade=2)
    messages = session.scalars(select(Message).where(Message.broadcast_id == made.id).order_by(Message.id)).all()
    standings.answer(session, made, messages[3:4], replied_at=NOW)
    standings.answer(session, made, messages[4:5], replied_at=NOW, opted_out_at=NOW)
    messages[12].wire_at = datetime.now(UTC)
    session.commit()
    return made


def shown(page: str) -> str:
    """What a page says, without its elements."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


def test_the_parts_add_up_and_the_funnel_narrows(session: Session, broadcast: Broadcast) -> None:
    found = ledger.counts(session, broadcast.id)
    assert (found.accepted, found.failed, found.skipped, found.cancelled) == (5, 2, 1, 1)
    assert (found.waiting, found.in_doubt, found.audience) == (6, 1, 16)
    assert (found.attempted, found.sent, found.delivered, found.read) == (8, 4, 3, 2)
    assert (found.replied, found.opted_out) == (2, 1)


@pytest.mark.parametrize("part", [None, *PARTS])
def test_behind_each_number_is_just_whom_it_counts_on_the_screen_in_the_file_and_in_a_segment(
    session: Session, marketer: Visitor, broadcast: Broadcast, part: str | None
) -> None:
    counts = ledger.counts(session, broadcast.id).as_dict()
    wanted = counts["audience"] if part is None else counts[part]
    query = f"?state={part}" if part else ""
    page = marketer.get(f"/broadcasts/{broadcast.id}/people{query}").text
    file = marketer.get(f"/broadcasts/{broadcast.id}/people.csv{query}").data.decode("utf-8-sig")
    on_screen = re.findall(r'aria-label="Why\? ([^"]*)"', page)
    in_file = list(csv.DictReader(io.StringIO(file)))
    assert (len(on_screen), len(in_file)) == (wanted, wanted)
    assert outcomes.count(session, broadcast, Asked(part)) == wanted
    at = recipients.cut(session, broadcast.id)
    asked_for = recipients.load(session, broadcast.id, Asked(part), at)
    assert [row["user_id"] for row in in_file] == [row.person.distinct_id for row in asked_for.rows]


def test_a_cancelled_broadcast_has_nobody_waiting_behind_its_cursor(session: Session, broadcast: Broadcast) -> None:
    broadcast.state = "cancelled"
    session.commit()
    found = ledger.counts(session, broadcast.id)
    assert (found.waiting, found.cancelled) == (4, 3)
    for part, people in (("waiting", 4), ("cancelled", 3)):
        assert outcomes.count(session, broadcast, Asked(part)) == people
        page = recipients.load(session, broadcast.id, Asked(part), recipients.cut(session, broadcast.id))
        assert len(page.rows) == people


def test_pages_of_people_go_on_where_the_last_one_ended_also_among_those_without_a_message(
    session: Session, broadcast: Broadcast
) -> None:
    at, after, seen = recipients.cut(session, broadcast.id), recipients.FIRST, []
    while True:
        page = recipients.load(session, broadcast.id, Asked(), at, after, size=3)
        seen += [row.person.id for row in page.rows]
        if page.more is None:
            break
        after = recipients.place(page.more)
    assert len(seen) == len(set(seen)) == 16


def test_who_gets_a_message_while_a_file_is_written_stands_in_it_once(
    rt: Runtime, session: Session, broadcast: Broadcast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recipients, "FILE_PAGE", 3)
    rows = recipients.every(rt.transaction, broadcast.id, Asked())
    seen = [next(rows).person.id for _ in range(15)]
    unmade = select(AudiencePerson.person_id).order_by(AudiencePerson.person_id.desc()).limit(2)
    for person_id in session.scalars(unmade).all():
        standings.add_message(session, broadcast, session.get_one(Person, person_id), state=MessageState.QUEUED)
        session.execute(update(Broadcast).values(cursor=func.greatest(Broadcast.cursor, person_id)))
    session.commit()
    seen += [row.person.id for row in rows]
    assert len(seen) == len(set(seen)) == 16


def test_why_some_got_nothing_is_told_with_the_remedy_and_leads_to_them(
    marketer: Visitor, broadcast: Broadcast
) -> None:
    page = marketer.get(f"/broadcasts/{broadcast.id}").text
    words = shown(page)
    assert "The message cannot be delivered to this address." in words
    assert "their number is not on WhatsApp" in words
    assert "Nothing known for first_name." in words
    assert "give the slot a default" in words
    assert "Respect it: only they can take it back" in words
    address = re.search(r'href="([^"]*reason=nothing[^"]*)"', page)
    assert address
    assert "Why?" in marketer.get(address[1].replace("&amp;", "&")).text


def test_a_failure_has_one_name_whether_an_answer_or_a_report_told_it(session: Session, marketer: Visitor) -> None:
    """A report calls it what the provider does; both are one line, and the people behind it are all of them."""
    told = {"state": MessageState.FAILED, "error_code": 131026, **WIRED}
    texts = ("the message cannot be delivered to this address", "Message undeliverable", None)
    another = {"state": MessageState.FAILED, "error_code": 131049, "error_text": "Message undeliverable"}
    made = standings.make(session, *(told | {"error_text": text} for text in texts), another)
    session.commit()

    reasons = {each.words: each.people for each in standing.of(session, made.id).failed}
    assert reasons == {
        "The message cannot be delivered to this address": 3,
        "This person gets enough marketing for now": 1,
    }
    for each in standing.of(session, made.id).failed:
        assert outcomes.count(session, made, Asked("failed", each.reason)) == each.people


def test_it_is_over_when_the_last_may_leave_and_not_the_first(session: Session) -> None:
    times = [NOW + timedelta(hours=hours) for hours in (2, 9, 5)]
    made = standings.make(session, *({"state": MessageState.QUEUED, "not_before": at} for at in times))
    session.commit()

    found = standing.of(session, made.id)
    assert (found.figures.later_from, found.finish_at) == (times[0], times[1])


def test_every_reason_of_our_own_has_a_remedy_of_its_own() -> None:
    ours = (
        *(compose.NO_ADDRESS, compose.SWITCHED_OFF, compose.OPTED_OUT, compose.ERASED),
        *(preferences.NO_CHANNEL, preferences.NO_TOPIC, drawing.HELD_OUT, frequency.ENOUGH, making.TOO_LATE),
        "nothing known for first_name",
    )
    assert [reason for reason in ours if remedies.remedy(reason, None) == remedies._OTHER] == []


def test_the_page_says_how_fast_it_goes_what_waits_for_later_and_what_is_in_doubt(
    marketer: Visitor, broadcast: Broadcast
) -> None:
    words = shown(marketer.get(f"/broadcasts/{broadcast.id}").text)
    assert "5 + 2 + 1 + 1 + 6 + 1 = 16" in words
    assert "0.1 messages a second" in words
    assert "Expected to finish at" in words
    assert "1 wait until" in words
    assert "For 1 the line broke while the message left" in words
    assert "50.0 % of everybody" in words
    assert "1 opted out afterwards, 20.0 % of those accepted" in words


def test_each_variant_and_language_has_figures_of_its_own_and_people_behind_them(
    session: Session, marketer: Visitor
) -> None:
    read = {"state": MessageState.ACCEPTED, "delivery_level": 3}
    made = standings.make(session, read, read, read, unmade=1, winner=1, winner_metric="read", trial_percent=10)
    other = BroadcastWording(broadcast_id=made.id, variant=1, template_id=made.template_id, slots={})
    spanish = BroadcastWording(broadcast_id=made.id, variant=1, language="es", template_id=made.template_id, slots={})
    session.add_all([other, spanish])
    session.flush()
    ids = session.scalars(select(Message.id).where(Message.broadcast_id == made.id).order_by(Message.id)).all()
    for message_id, wording in zip(ids[1:], (other, spanish), strict=True):
        session.execute(update(Message).where(Message.id == message_id).values(wording_id=wording.id))
    session.commit()

    found = standing.of(session, made.id)
    told = [(each.letter, each.language, each.counts.audience, each.counts.read) for each in found.variants]
    assert told == [("A", None, 1, 1), ("B", None, 3, 2), ("B", "others", 1, 1), ("B", "es", 1, 1)]
    assert [each.has_won for each in found.variants] == [False, True, False, False]
    for variant, part, people in ((0, None, 1), (1, None, 3), (0, "read", 1), (1, "read", 2), (1, "waiting", 1)):
        assert outcomes.count(session, made, Asked(part, variant=variant)) == people
    page = shown(marketer.get(f"/broadcasts/{made.id}").text)
    assert "Winner by read" in page
    assert ("Variant A · en" in page, page.count("Variant B · en")) == (True, 2)
    assert "Everybody else 4 people, being sent" in page
    for query, reads in (("variant=1&language=es", ["B, es"]), ("variant=1&language=others", ["B"]), ("", list("AB"))):
        listed = marketer.get(f"/broadcasts/{made.id}/people?state=read&{query}").text
        file = marketer.get(f"/broadcasts/{made.id}/people.csv?state=read&{query}").data.decode("utf-8-sig")
        on_screen = re.findall(r'class="log-kind">([^<]*)<', listed)
        in_file = [(row["variant"], row["language"]) for row in csv.DictReader(io.StringIO(file))]
        assert on_screen == [", ".join(filter(None, each)) for each in in_file]
        assert on_screen[: len(reads)] == reads
    assert (
        f"/broadcasts/{made.id}/people?state=read&amp;variant=1&amp;language=es"
        in marketer.get(f"/broadcasts/{made.id}").text
    )
    assert outcomes.in_words(made, Asked("read", variant=1, language="es")).endswith("variant B, in es")
    assert "variant B" in marketer.get(f"/segments/of-broadcast?broadcast={made.id}&outcome=read&variant=1").text


@pytest.mark.parametrize("state, part", [("running", "waiting"), ("cancelled", "cancelled")])
def test_whoever_waits_for_the_winner_is_of_no_variant_yet(
    session: Session, marketer: Visitor, state: str, part: str
) -> None:
    trial = {"trial_percent": 50, "winner_metric": "read", "wave": TRIAL}
    made = standings.make(session, standings.ACCEPTED, standings.ACCEPTED, unmade=3, state=state, **trial)
    session.add(BroadcastWording(broadcast_id=made.id, variant=1, template_id=made.template_id, slots={}))
    mine = AudiencePerson.broadcast_id == made.id
    drawn = select(Message.person_id).where(Message.broadcast_id == made.id)
    session.execute(update(AudiencePerson).where(mine, AudiencePerson.person_id.in_(drawn)).values(wave=TRIAL))
    last = session.scalars(
        select(AudiencePerson.person_id).where(mine).order_by(AudiencePerson.person_id.desc())
    ).first()
    session.execute(update(AudiencePerson).where(mine, AudiencePerson.person_id == last).values(wave=TRIAL, variant=1))
    session.commit()

    found = standing.of(session, made.id)
    told = [(each.letter, each.counts.audience, getattr(each.counts, part)) for each in found.variants]
    assert told == [("A", 2, 0), ("B", 1, 1)]
    assert found.undecided == 2
    assert [outcomes.count(session, made, Asked(variant=variant)) for variant in (0, 1)] == [2, 1]
    assert "2 people wait for the winner" in marketer.get(f"/broadcasts/{made.id}").text
    file = marketer.get(f"/broadcasts/{made.id}/people.csv").data.decode("utf-8-sig")
    assert Counter(row["variant"] for row in csv.DictReader(io.StringIO(file))) == {"A": 2, "B": 1, "": 2}


def test_replies_lead_to_their_conversations_for_whoever_may_read_them(
    session: Session, sign_in: Callable[[Role], Visitor], broadcast: Broadcast
) -> None:
    number = session.get_one(Number, broadcast.number_id)
    replied = session.scalars(select(Message).where(Message.broadcast_id == broadcast.id).order_by(Message.id)).all()[3]
    thread = factories.make_conversation(session, session.get_one(Person, replied.person_id), number)
    session.commit()
    page = f"/broadcasts/{broadcast.id}/people?state=replied"
    assert f'href="/inbox/{thread.id}"' in sign_in(Role.ADMIN).get(page).text
    assert "/inbox/" not in sign_in(Role.MARKETER).get(page).text


def test_a_made_up_place_or_part_is_no_error(marketer: Visitor, broadcast: Broadcast) -> None:
    for query in ("after=x", "after=p1.", "after=m999999999999999999", "state=nobody", "variant=-4", "variant=99999"):
        assert marketer.get(f"/broadcasts/{broadcast.id}/people?{query}").status_code == 200
    assert set(parts.PARTS) == set(PARTS)


def test_the_list_shows_retries_below_what_they_try_again_and_no_test_sends(
    session: Session, marketer: Visitor
) -> None:
    first = standings.make(session, standings.ACCEPTED, {"state": MessageState.FAILED}, state="finished")
    other = standings.make(session, {"state": MessageState.QUEUED}, unmade=1)
    retry = standings.make(session, standings.ACCEPTED, state="finished", origin="retry", parent_id=first.id)
    again = standings.make(session, standings.ACCEPTED, state="finished", origin="retry", parent_id=retry.id)
    standings.make(session, standings.ACCEPTED, origin="test", parent_id=first.id)
    session.commit()

    page = listing.load(session, "live")
    told = [(row.broadcast.id, row.is_below, row.counts.accepted, row.counts.waiting) for row in page.rows]
    assert told == [(other.id, False, 0, 2), (first.id, False, 1, 0), (retry.id, True, 1, 0), (again.id, True, 1, 0)]
    shown_page = marketer.get("/broadcasts").text
    assert shown_page.count("tries again what failed") == 2


def test_the_list_is_narrowed_by_state_and_by_words_taken_as_they_are(session: Session, marketer: Visitor) -> None:
    half, all_ = (standings.make(session, standings.ACCEPTED, state=state) for state in ("paused", "finished"))
    half.name, all_.name = "50% off", "100 off"
    session.commit()
    for query, names in (
        ("state=paused", {"50% off"}),
        ("name=0%25", {"50% off"}),
        ("name=OFF", {"50% off", "100 off"}),
    ):
        page = marketer.get(f"/broadcasts?{query}").text
        assert {name for name in ("50% off", "100 off") if f">{name}<" in page} == names
    assert "None is like that" in marketer.get("/broadcasts?name=_").text
    assert marketer.get("/broadcasts?state=nonsense&before=-3&name=%00").status_code == 200


def test_the_list_goes_on_page_by_page(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "PAGE", 2)
    made = [standings.make(session, standings.ACCEPTED, state="finished").id for _ in range(5)]
    seen: list[int] = []
    before: int | None = None
    while True:
        page = listing.load(session, "live", before=before)
        seen += [row.broadcast.id for row in page.rows]
        before = page.more
        if before is None:
            break
    assert seen == made[::-1]
