"""The launch button works when everything is seen, typed and approved, and the server holds to it without the page."""

import html
import io
import re
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from bot.messages import policy
from bot.messages.policy import DEFAULT
from bot.models.broadcast import Broadcast, BroadcastTransition
from bot.models.connection import Number
from bot.models.person import Person
from bot.models.policy import MessageRate
from bot.models.segment import Segment, SegmentMember
from bot.models.words import BroadcastState, Role
from bot.runtime import Runtime
from broadcasts.preflight import pages as preflight_pages
from tests import factories
from tests.broadcasts.drafted import make_draft
from tests.dashboard.visitor import Visitor

SignIn = Callable[[Role], Visitor]


@pytest.fixture
def draft(session: Session) -> Broadcast:
    made = make_draft(session, 3)
    session.commit()
    return made


@pytest.fixture
def page(draft: Broadcast) -> str:
    return f"/broadcasts/{draft.id}"


def decide(session: Session, **rules: Any) -> None:
    policy.change(session, "live", policy.Policy(**rules), None)
    session.commit()


def state(session: Session, draft: Broadcast) -> str:
    session.refresh(draft)
    return draft.state


def words(text: str) -> str:
    """What a person reads, in a line."""
    return " ".join(re.sub(r"<[^>]+>", " ", html.unescape(text)).split())


def press(visitor: Visitor, page: str, what: str = "launch", **form: Any) -> Any:
    visitor.get(f"{page}/preflight")
    return visitor.post(f"{page}/{what}", form)


def test_a_small_broadcast_without_policy_is_launched_by_one_press(
    session: Session, draft: Broadcast, page: str, marketer: Visitor
) -> None:
    shown = words(marketer.get(f"{page}/preflight").text)
    assert "3 people get it" in shown
    assert "What it costs is not known" in shown

    answer = press(marketer, page)

    assert (answer.status_code, answer.location) == (303, page)
    assert state(session, draft) == BroadcastState.MATERIALISING
    assert marketer.get(f"{page}/preflight").location == page


@pytest.mark.parametrize(
    "typed, said",
    [
        ("", "more than 2: type that number (3)"),
        ("4", "goes to 3 people and not to 4"),
        ("three", "in digits"),
        ("-3", "in digits"),
        ("3.0", "in digits"),
        ("9" * 30, "in digits"),
        ("\u0663", "in digits"),
    ],
)
def test_above_the_threshold_the_exact_number_has_to_be_typed(
    session: Session, draft: Broadcast, page: str, marketer: Visitor, typed: str, said: str
) -> None:
    decide(session, type_count_above=2)

    answer = press(marketer, page, people=typed)

    assert (answer.status_code, state(session, draft)) == (422, BroadcastState.DRAFT)
    assert said in words(answer.text)
    assert press(marketer, page, people=" 3 ").status_code == 303
    assert (state(session, draft), draft.confirmed_people) == (BroadcastState.MATERIALISING, 3)


def test_somebody_who_joins_after_the_number_was_read_makes_it_wrong(
    session: Session, draft: Broadcast, page: str, marketer: Visitor
) -> None:
    decide(session, type_count_above=2)
    marketer.get(f"{page}/preflight")
    segment_id = session.scalars(select(Segment.id)).one()
    late = factories.make_person(session)
    session.add(SegmentMember(segment_id=segment_id, person_id=late.id, environment="live"))
    session.commit()

    answer = marketer.post(f"{page}/launch", {"people": "3"})

    assert answer.status_code == 422
    assert "goes to 4 people and not to 3" in words(answer.text)


def test_what_speaks_against_it_has_to_be_ticked(
    session: Session, draft: Broadcast, page: str, marketer: Visitor
) -> None:
    session.execute(update(Number).values(quality="RED"))
    session.commit()

    refused = press(marketer, page)
    assert (refused.status_code, state(session, draft)) == (422, BroadcastState.DRAFT)
    assert "Tick that you have seen this: The quality of" in words(refused.text)
    assert press(marketer, page, ticked="number").status_code == 303


def test_a_second_operator_approves_and_never_the_one_who_asked(
    session: Session, draft: Broadcast, page: str, marketer: Visitor, sign_in: SignIn
) -> None:
    decide(session, approve_above=2)
    asked = press(marketer, page)
    assert (asked.location, state(session, draft)) == (f"{page}/preflight", BroadcastState.APPROVAL)
    assert "You asked for it" in marketer.get(f"{page}/preflight").text
    own = press(marketer, page, "approve")
    assert (own.status_code, state(session, draft)) == (422, BroadcastState.APPROVAL)
    assert press(marketer, page).status_code == 409

    second = sign_in(Role.ADMIN)
    assert "asks to launch it to 3 people" in words(second.get(f"{page}/preflight").text)
    assert press(second, page, "approve").status_code == 303

    assert state(session, draft) == BroadcastState.MATERIALISING
    assert draft.launched_by_operator_id == draft.asked_by_operator_id != draft.approved_by_operator_id
    assert press(second, page, "approve").status_code == 409
    told = session.execute(
        select(BroadcastTransition.from_state, BroadcastTransition.to_state, BroadcastTransition.operator_id)
        .where(BroadcastTransition.broadcast_id == draft.id)
        .order_by(BroadcastTransition.id)
    ).all()
    assert [tuple(line) for line in told] == [
        ("draft", "approval", draft.asked_by_operator_id),
        ("approval", "materialising", draft.approved_by_operator_id),
    ]


def test_a_declined_broadcast_is_a_draft_again_with_the_reason(
    session: Session, draft: Broadcast, page: str, marketer: Visitor, sign_in: SignIn
) -> None:
    decide(session, approve_above=2)
    press(marketer, page)
    second = sign_in(Role.MARKETER)

    assert press(second, page, "decline", why=" ").status_code == 422
    assert press(second, page, "decline", why="Wrong list.\0").status_code == 303

    assert (state(session, draft), draft.confirmed_people, draft.asked_by_operator_id) == ("draft", None, None)
    newest = select(BroadcastTransition.why).order_by(BroadcastTransition.id.desc()).limit(1)
    assert session.scalar(newest) == "Wrong list."
    assert press(second, page, "decline", why="again").status_code == 409


def test_an_audience_that_grew_since_it_was_asked_for_is_not_approved(
    session: Session, draft: Broadcast, page: str, marketer: Visitor, sign_in: SignIn
) -> None:
    decide(session, approve_above=2)
    press(marketer, page)
    late = factories.make_person(session)
    segment_id = session.scalars(select(Segment.id)).one()
    session.add(SegmentMember(segment_id=segment_id, person_id=late.id, environment="live"))
    session.commit()

    answer = press(sign_in(Role.ADMIN), page, "approve")

    assert (answer.status_code, state(session, draft)) == (422, BroadcastState.APPROVAL)
    assert "goes to 4 people and not to 3" in words(answer.text)


def test_gaps_are_skipped_defaulted_or_looked_at(
    session: Session, draft: Broadcast, page: str, marketer: Visitor
) -> None:
    nameless = session.scalars(select(Person).order_by(Person.id)).first()
    assert nameless is not None
    nameless.first_name = None
    session.commit()
    shown = marketer.get(f"{page}/preflight").text
    assert "1 of these have an empty placeholder" in words(shown)
    assert re.search(r"<button[^>]+disabled[^>]*>\s*<svg.*?Launch", shown, re.DOTALL)
    assert press(marketer, page).status_code == 422

    listed = marketer.get(f"{page}/preflight/people?missing=first_name").text
    assert nameless.distinct_id in listed
    made = marketer.post(f"{page}/preflight/people", {"missing": "first_name", "name": "nameless"})
    assert made.status_code == 303
    members = select(SegmentMember.person_id).join(Segment, Segment.id == SegmentMember.segment_id)
    assert session.scalars(members.where(Segment.name == "nameless")).all() == [nameless.id]

    assert press(marketer, page, "preflight/default", name="first_name", words="o'k").status_code == 422
    assert press(marketer, page, "preflight/default", name="first_name", words="there").status_code == 303
    assert "No placeholder stays empty" in marketer.get(f"{page}/preflight").text
    assert marketer.get(f"{page}/preflight/people").status_code == 404


def test_people_can_be_left_out_for_what_is_missing(
    session: Session, draft: Broadcast, page: str, marketer: Visitor
) -> None:
    session.execute(update(Person).values(first_name=None))
    session.commit()

    assert press(marketer, page, "preflight/skip-gaps").status_code == 303
    shown = words(marketer.get(f"{page}/preflight").text)
    assert "0 people get it Of 3 in the audience." in shown
    assert "with an empty placeholder \N{MINUS SIGN} 3 get it 0" in shown
    assert press(marketer, page).status_code == 303
    assert press(marketer, page, "preflight/skip-gaps").status_code == 409


def test_above_the_daily_tier_a_larger_share_can_be_allowed(
    session: Session, draft: Broadcast, page: str, marketer: Visitor
) -> None:
    session.execute(update(Number).values(tier="TIER_3"))
    session.commit()
    assert "Only 2 today: 80 % of the number's 3 a day" in words(marketer.get(f"{page}/preflight").text)

    assert press(marketer, page, "preflight/tier", percent="0").status_code == 422
    assert press(marketer, page, "preflight/tier", percent="lots").status_code == 422
    assert press(marketer, page, "preflight/tier", percent="100").status_code == 303
    assert "100 % of the number" in words(marketer.get(f"{page}/preflight").text)


def test_a_large_audience_is_counted_after_the_page_is_there_or_on_request(
    draft: Broadcast, page: str, marketer: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preflight_pages, "AT_ONCE", 2)

    assert f'data-live="{page}/preflight/report"' in marketer.get(f"{page}/preflight").text
    assert "3 people get it" in words(marketer.get(f"{page}/preflight/report").text)
    assert "3 people get it" in words(marketer.get(f"{page}/preflight?whole=yes").text)


def test_a_template_that_is_paused_stands_in_the_way(
    session: Session, draft: Broadcast, page: str, marketer: Visitor
) -> None:
    draft.template.status = "PAUSED"
    session.commit()

    assert "is PAUSED, not APPROVED" in words(marketer.get(f"{page}/preflight").text)
    assert press(marketer, page).status_code == 422


def test_without_anybody_only_that_is_said(session: Session, marketer: Visitor) -> None:
    empty = make_draft(session, 0)
    session.commit()

    shown = marketer.get(f"/broadcasts/{empty.id}/preflight")
    assert "There is nobody in the segment" in words(shown.text)
    assert marketer.post(f"/broadcasts/{empty.id}/launch").status_code == 422


@pytest.mark.parametrize("path", ["preflight", "preflight/report", "preflight/people"])
def test_what_is_not_there_is_not_found(marketer: Visitor, path: str) -> None:
    assert marketer.get(f"/broadcasts/404/{path}").status_code == 404


def test_only_admins_decide_on_the_policy(session: Session, marketer: Visitor, sign_in: SignIn) -> None:
    assert marketer.get("/broadcasts/policy").status_code == 403
    admin = sign_in(Role.ADMIN)
    assert 'value="1000"' in admin.get("/broadcasts/policy").text
    form = {name: str(getattr(DEFAULT, name) or "") for name in policy.FIELDS}

    refused = admin.post("/broadcasts/policy", {**form, "quiet_from": "25:00"})
    assert (refused.status_code, "is no time of day" in refused.text) == (422, True)
    assert admin.post("/broadcasts/policy", {**form, "tier_percent": "x"}).status_code == 422
    assert admin.post("/broadcasts/policy", {**form, "response_days": ""}).status_code == 422
    assert policy.of(session, "live") == DEFAULT

    kept = {**form, "quiet_from": "21:00", "quiet_to": "08:00", "approve_above": "50000"}
    assert admin.post("/broadcasts/policy", kept).status_code == 303
    assert policy.of(session, "live").approve_above == 50_000
    assert policy.of(session, "test") == DEFAULT
    assert 'value="21:00"' in admin.get("/broadcasts/policy").text


def test_rates_are_kept_by_hand_and_taken_out_and_in_as_a_file(session: Session, marketer: Visitor) -> None:
    assert "No rate yet" in marketer.get("/broadcasts/rates").text
    form = {"country": "eg", "category": "MARKETING", "price": "0.0455", "currency": "usd"}
    assert marketer.post("/broadcasts/rates", form).status_code == 303
    assert marketer.post("/broadcasts/rates", form | {"country": "*", "price": "1"}).status_code == 303
    assert marketer.post("/broadcasts/rates", form | {"price": "0.05"}).status_code == 303

    file = marketer.get("/broadcasts/rates.csv").data
    assert file.decode("utf-8-sig").split() == [
        "country,category,price,currency",
        "EG,MARKETING,0.05,USD",
        "*,MARKETING,1,USD",
    ]
    for each in session.scalars(select(MessageRate)):
        assert marketer.post(f"/broadcasts/rates/{each.id}/remove").status_code == 303
    assert marketer.post("/broadcasts/rates/file", {"file": (io.BytesIO(file), "rates.csv")}).status_code == 303
    assert marketer.get("/broadcasts/rates.csv").data == file


@pytest.mark.parametrize(
    "wrong, said",
    [
        ({"country": "XX"}, "XX is no country"),
        ({"country": ""}, "Nothing is no country"),
        ({"category": "PROMO"}, "PROMO is no category"),
        ({"currency": "dollar"}, "DOLLAR is no currency"),
        *(
            ({"price": price}, "A price is a number")
            for price in ("", "0,05", "-1", "NaN", "1e3", "100000", "0.0000001")
        ),
    ],
)
def test_a_rate_that_makes_no_sense_is_refused(
    session: Session, marketer: Visitor, wrong: dict[str, str], said: str
) -> None:
    form = {"country": "EG", "category": "UTILITY", "price": "0.01", "currency": "USD"} | wrong
    marketer.get("/broadcasts/rates")

    answer = marketer.post("/broadcasts/rates", form)

    assert (answer.status_code, session.scalars(select(MessageRate)).all()) == (422, [])
    assert said in words(answer.text)


@pytest.mark.parametrize(
    "content, said",
    [
        (b"", "Choose a CSV file first"),
        (b"\xff\xfe", "not UTF-8"),
        (b"a,b\n", "The first line must be"),
        (b"country,category,price,currency\n", "There is no price"),
        (b"country,category,price,currency\nEG,MARKETING,x,USD\n", "Line 2: A price"),
        (b"country,category,price,currency\nEG,MARKETING\n", "Line 2: A price"),
        (
            b"country,category,price,currency\nEG,MARKETING,1,USD\nEG,MARKETING,2,USD\n",
            "Line 3: EG MARKETING is there twice",
        ),
        (b"country,category,price,currency\nEG,MARKETING,1,USD\nBR,MARKETING,2,EUR\n", "All rates are in one currency"),
        (b'country,category,price,currency\n"EG,MARKETING,1,USD\n', "never closed"),
        (b"x" * 300_000, "larger than 256 KiB"),
    ],
)
def test_a_file_of_rates_with_anything_wrong_changes_nothing(
    session: Session, marketer: Visitor, content: bytes, said: str
) -> None:
    marketer.get("/broadcasts/rates")

    answer = marketer.post("/broadcasts/rates/file", {"file": (io.BytesIO(content), "rates.csv")})

    assert (answer.status_code, session.scalars(select(MessageRate)).all()) == (422, [])
    assert said in words(answer.text)


def test_rates_of_a_second_currency_are_refused(session: Session, marketer: Visitor) -> None:
    marketer.get("/broadcasts/rates")
    form = {"country": "EG", "category": "UTILITY", "price": "0.01", "currency": "USD"}
    marketer.post("/broadcasts/rates", form)

    assert marketer.post("/broadcasts/rates", form | {"country": "BR", "currency": "EUR"}).status_code == 422
    assert marketer.post("/broadcasts/rates", form | {"currency": "EUR"}).status_code == 303


def test_one_environment_does_not_hold_the_other_to_its_policy(
    rt: Runtime, session: Session, draft: Broadcast, page: str, marketer: Visitor
) -> None:
    policy.change(session, "test", policy.Policy(type_count_above=1, approve_above=1), None)
    session.commit()

    assert press(marketer, page).status_code == 303
