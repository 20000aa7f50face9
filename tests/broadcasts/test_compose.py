"""A broadcast is composed on one page: what is wrong stands at its field, and it can be read as anybody."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from bot.messages.templates import slots_of
from bot.models.broadcast import Broadcast, Template
from bot.models.connection import Connection, Number
from bot.models.person import Person
from bot.models.segment import Segment
from bot.models.words import BroadcastState
from bot.people import properties
from bot.runtime import Runtime
from broadcasts.control import lifecycle
from broadcasts.drafting import drafts, hints
from broadcasts.drafting.wanted import Wanted
from broadcasts.transitions import NOBODY
from tests import factories
from tests.dashboard.visitor import Visitor

BODY = [{"type": "BODY", "text": "Hello {{1}}, see you on {{2}}", "example": {"body_text": [["Ada", "Monday"]]}}]
GERMAN = [{"type": "BODY", "text": "Hallo {{1}}, bis {{2}}", "example": {"body_text": [["Ada", "Montag"]]}}]


@pytest.fixture
def number(rt: Runtime) -> Number:
    with rt.transaction() as session:
        return factories.make_number(session)


@pytest.fixture
def templates(rt: Runtime, number: Number) -> dict[str, Template]:
    with rt.transaction() as session:
        make, line = factories.make_template, session.get_one(Connection, number.connection_id)
        return {
            "en": make(session, line, name="meet", components=BODY),
            "de": make(session, line, name="meet", components=GERMAN, language="de"),
            "plain": make(session, line, name="plain"),
        }


@pytest.fixture
def people(rt: Runtime) -> dict[str, Person]:
    with rt.transaction() as session:
        return {
            "ann": factories.make_person(session, distinct_id="ann", first_name="Ann", phone="+201012345678"),
            "uwe": factories.make_person(session, distinct_id="uwe", first_name="Uwe", language="de"),
            "bob": factories.make_person(session, distinct_id="bob", first_name=None),
            "eve": factories.make_person(session, distinct_id="eve", first_name="Eve"),
        }


@pytest.fixture
def segments(rt: Runtime, people: dict[str, Person]) -> dict[str, Segment]:
    with rt.transaction() as session:
        make = factories.make_segment
        return {
            "pupils": make(session, [people["ann"], people["uwe"]], name="pupils"),
            "guests": make(session, [people["bob"], people["ann"]], name="guests"),
            "tired": make(session, [people["bob"]], name="tired"),
        }


@pytest.fixture
def form(number: Number, templates: dict[str, Template], segments: dict[str, Segment]) -> dict[str, Any]:
    """The form of a draft in order, as a browser sends it."""
    return {
        "name": "Spring",
        "number": number.id,
        "segments": [segments["pupils"].id],
        "template": templates["en"].id,
        "template.was": templates["en"].id,
        "slot.body.1": "<<user.first_name>>",
        "slot.body.2": "Monday",
        "schedule.when": "now",
        "schedule.heeds_quiet_hours": "yes",
        "care.heeds_frequency": "yes",
    }


def check(visitor: Visitor, form: dict[str, Any], **more: Any) -> dict[str, Any]:
    """What the page's script is told."""
    visitor.get("/broadcasts/new")
    answer = visitor.post("/broadcasts/compose", form | {"part": "check"} | more)
    assert answer.status_code == 200, answer.text
    return dict(answer.get_json())


def save(rt: Runtime, visitor: Visitor, form: dict[str, Any]) -> Wanted:
    visitor.get("/broadcasts/new")
    answer = visitor.post("/broadcasts", form)
    assert answer.status_code == 303, answer.text
    with rt.transaction() as session:
        return drafts.wanted_of(session, session.scalars(select(Broadcast)).one())


def text(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def test_an_attribute_that_nobody_has_is_said_at_its_place_while_one_types(
    marketer: Visitor, form: dict[str, Any], people: dict[str, Person], rt: Runtime
) -> None:
    """With a default it would go unnoticed: everybody would read that."""
    with rt.transaction() as session:
        properties.make(session, "live", "level", "TEXT")
        session.execute(
            update(Person).where(Person.distinct_id == "eve").values(attributes={"wish": "b", "a": {"b": 1}})
        )
    mistyped = "<<user.frist_name|default('you')>> <<user.shoe>> <<user.level>> <<user.wish>> <<user.a.b>> <<user."
    notes = check(marketer, form, **{"slot.body.1": mistyped, "lang.de.slot.body.2": "<<user.levle>>"})["notes"]
    assert notes == {"lang.de.slot.body.2": "Nobody has levle. Did you mean level?"}
    notes = check(marketer, form, **{"slot.body.1": mistyped.removesuffix("<<user.")})["notes"]
    assert notes["slot.body.1"].startswith("Nobody has frist_name. Did you mean first_name? Nobody has shoe yet")
    assert not {"level", "wish", "a.b"} & set(notes["slot.body.1"].split())


@pytest.mark.parametrize(
    "slot, said",
    [
        ("header.image", "The https:// address of the file, or the number of one that was uploaded to WhatsApp."),
        ("body.1", "In the body, for example Ann."),
        ("button.1.1", "In the button Plan: what follows https://example.org/ in its address."),
        ("button.2.code", "In the button 3, for example SAVE20."),
    ],
)
def test_below_a_slot_stands_what_it_takes_and_not_what_whatsapp_was_shown(slot: str, said: str) -> None:
    components: list[dict[str, Any]] = [
        {"type": "HEADER", "format": "IMAGE", "example": {"header_handle": ["4::gVsG16"]}},
        {"type": "BODY", "text": "Hello {{1}}!", "example": {"body_text": [["Ann"]]}},
        {
            "type": "BUTTONS",
            "buttons": [
                {"type": "QUICK_REPLY", "text": "Yes"},
                {
                    "type": "URL",
                    "text": "Plan",
                    "url": "https://example.org/{{1}}",
                    "example": ["https://example.org/a7"],
                },
                {"type": "COPY_CODE", "example": "SAVE20"},
            ],
        },
    ]
    template = Template(components=components)
    found = next(each for each in slots_of(components) if each.name == slot)
    assert hints.of(template, found) == said


def test_an_attribute_that_nobody_has_is_to_be_ticked_before_a_launch(
    marketer: Visitor, form: dict[str, Any], rt: Runtime
) -> None:
    save(rt, marketer, form | {"slot.body.1": "<<user.frist_name|default('you')>>"})
    with rt.transaction() as session:
        draft = session.scalars(select(Broadcast.id)).one()
    page = marketer.get(f"/broadcasts/{draft}/preflight").text
    assert "I have seen: Nobody has frist_name. Did you mean first_name?" in text(page)
    refused = marketer.post(f"/broadcasts/{draft}/launch", {})
    assert (refused.status_code, "Tick that you have seen this: Nobody has frist_name." in text(refused.text)) == (
        422,
        True,
    )
    assert marketer.post(f"/broadcasts/{draft}/launch", {"ticked": "unknown"}).status_code == 303


def test_several_segments_minus_others_are_counted_as_they_are_chosen(
    marketer: Visitor, form: dict[str, Any], segments: dict[str, Segment]
) -> None:
    both = [segments["pupils"].id, segments["guests"].id]

    assert "2 people" in text(check(marketer, form)["audience"])
    assert "3 people" in text(check(marketer, form, segments=both)["audience"])
    assert "2 people" in text(check(marketer, form, segments=both, minus=[segments["tired"].id])["audience"])
    assert "0 people" in text(check(marketer, form, segments=[])["audience"])


def test_what_is_typed_is_checked_against_the_template_and_told_at_its_field(
    marketer: Visitor, form: dict[str, Any]
) -> None:
    told = check(marketer, form, **{"slot.body.1": "<<user.first_name|evil>>", "slot.body.2": "", "name": ""})

    assert check(marketer, form)["problems"] == {}
    assert set(told["problems"]) == {"name", "slot.body.1", "slot.body.2"}
    assert "there is no filter evil" in told["problems"]["slot.body.1"]
    assert "has no text" in told["problems"]["slot.body.2"]


def test_it_can_be_read_as_anybody_by_name_phone_and_id_and_then_as_the_next(
    marketer: Visitor, form: dict[str, Any], people: dict[str, Person]
) -> None:
    def shown(**more: Any) -> str:
        return text(check(marketer, form, **more)["preview"])

    assert "Hello Uwe" in shown()
    assert [("Hello Ann" in shown(do="find", who=who)) for who in ("Ann", "+20 101 2345678", "ann")] == [True] * 3
    assert "Hello Ann" in shown(do="next", person=people["uwe"].id)
    assert "Hello Uwe" in shown(do="next", person=people["ann"].id)
    assert "Eve is not in the audience." in shown(do="find", who="eve")
    assert "Nobody is found" in shown(do="find", who="zoe")


def test_a_value_that_is_missing_is_shown_where_it_is_missing(
    marketer: Visitor, form: dict[str, Any], segments: dict[str, Segment]
) -> None:
    preview = text(check(marketer, form, segments=[segments["tired"].id])["preview"])

    assert "Hello [first_name: unknown], see you on Monday" in preview
    assert "Would not be sent: nothing known for first_name." in preview


def test_people_read_it_in_their_language_and_everybody_else_in_the_fallback(
    rt: Runtime, marketer: Visitor, form: dict[str, Any], templates: dict[str, Template]
) -> None:
    marketer.get("/broadcasts/new")
    fields = marketer.post("/broadcasts/compose", form | {"part": "fields", "do": "refresh"}).text
    assert 'name="lang.de.slot.body.1"' in fields
    german = {
        "lang.de.template": templates["de"].id,
        "lang.de.slot.body.1": "<<user.first_name>>",
        "lang.de.slot.body.2": "Montag",
    }

    assert "see you on Monday" in check(marketer, form | german)["preview"]
    german["lang.de.on"] = "yes"
    assert "Hallo Uwe, bis Montag" in check(marketer, form | german)["preview"]
    assert "Hello Ann, see you" in check(marketer, form | german, do="find", who="ann")["preview"]
    wording = save(rt, marketer, form | german).wordings[0]
    assert (wording.variant, wording.language, wording.template_id) == (0, "de", templates["de"].id)


def test_a_variant_begins_as_the_first_and_can_be_changed_or_removed(
    rt: Runtime, marketer: Visitor, form: dict[str, Any]
) -> None:
    marketer.get("/broadcasts/new")
    fields = marketer.post("/broadcasts/compose", form | {"part": "fields", "do": "add"}).text
    assert re.search(r'name="b\.slot\.body\.2"\s+value="Monday"', fields)
    variants = {
        f"{letter}.{name}": form[name] for letter in "bc" for name in ("template", "slot.body.1", "slot.body.2")
    } | {"c.slot.body.2": "Friday"}
    without_b = marketer.post("/broadcasts/compose", form | variants | {"part": "fields", "do": "remove:b"}).text
    assert re.search(r'name="b\.slot\.body\.2"\s+value="Friday"', without_b)
    assert "c.slot" not in without_b

    trial = {"trial.trial_percent": "20", "trial.winner_metric": "read", "trial.winner_minutes": "60"}
    wanted = save(rt, marketer, form | variants | trial)
    assert [(each.variant, each.slots["body.2"]) for each in wanted.wordings] == [(1, "Monday"), (2, "Friday")]
    assert (wanted.trial.trial_percent, wanted.trial.winner_metric) == (20, "read")


def test_another_template_takes_along_what_fits_and_drops_the_rest(
    marketer: Visitor, form: dict[str, Any], templates: dict[str, Template]
) -> None:
    old = {"lang.de.template": templates["de"].id, "lang.de.on": "yes", "lang.de.slot.body.1": "x"}
    marketer.get("/broadcasts/new")
    asked = form | old | {"template": templates["plain"].id, "part": "fields", "do": "refresh"}
    fields = marketer.post("/broadcasts/compose", asked).text

    assert re.search(r'name="slot\.body\.1"\s+value="&lt;&lt;user\.first_name&gt;&gt;"', fields)
    assert "slot.body.2" not in fields
    assert "lang.de" not in fields


def test_nothing_that_was_typed_is_lost_on_a_refusal(marketer: Visitor, form: dict[str, Any]) -> None:
    odd = {
        "name": "",
        "slot.body.2": "<<me>> & “you”",
        "care.canary_percent": "many",
        "care.pace_per_s": "7",
        "schedule.when": "at",
        "schedule.scheduled_at": "2020-01-01T09:00",
        "schedule.not_after": "soon",
        "b.template": form["template"],
        "b.slot.body.1": "Bea",
    }
    marketer.get("/broadcasts/new")
    answer = marketer.post("/broadcasts", form | odd)

    assert answer.status_code == 422
    marketer._look_at(answer)
    for typed in ("&lt;&lt;me&gt;&gt; &amp; “you”", "many", "7", "2020-01-01T09:00", "soon", "Bea"):
        assert f'value="{typed}"' in answer.text, typed
    said = text(answer.text)
    for problem in (
        "many is not a whole number",
        "soon is not a day and time",
        "That time is over",
        "Variant B: body.2",
    ):
        assert problem in said, problem


def test_a_year_that_no_clock_can_be_set_by_is_refused_at_its_field(marketer: Visitor, form: dict[str, Any]) -> None:
    timed = {"schedule.when": "local", "schedule.local_time": "0001-01-01T09:00"}
    marketer.get("/broadcasts/new")
    answer = marketer.post("/broadcasts", form | timed)

    assert answer.status_code == 422
    assert "There is no broadcast in the year 1: choose a time within the year to come." in text(answer.text)


def test_a_draft_is_edited_where_it_stands(rt: Runtime, marketer: Visitor, form: dict[str, Any]) -> None:
    at = f"{datetime.now(UTC) + timedelta(days=20):%Y-%m-%dT09:00}"
    timed = {"schedule.when": "local", "schedule.local_time": at, "care.canary_percent": "5"}
    marketer.get("/broadcasts/new")
    page = str(marketer.post("/broadcasts", form | timed | {"care.heeds_frequency": ""}).location)
    edit = marketer.get(f"{page}/edit").text
    assert f'value="{at}"' in edit
    assert not re.search(r'id="care.heeds_frequency"[^>]*checked', edit)

    assert marketer.post(f"{page}/edit", form | {"name": "Summer"}).status_code == 303

    shown = text(marketer.get(page).text)
    assert "Summer" in shown
    assert "As soon as it is launched" in shown


def test_a_launched_broadcast_is_not_edited_any_more(rt: Runtime, marketer: Visitor, form: dict[str, Any]) -> None:
    marketer.get("/broadcasts/new")
    page = str(marketer.post("/broadcasts", form).location)
    with rt.transaction() as session:
        lifecycle.launch(session, int(page.rsplit("/", 1)[1].partition("?")[0]), NOBODY)

    answer = marketer.post(f"{page}/edit", form | {"name": "Summer"})

    assert answer.status_code == 409
    assert "only a draft can be changed" in answer.text


def test_a_draft_s_page_says_all_that_was_chosen(
    rt: Runtime, marketer: Visitor, form: dict[str, Any], segments: dict[str, Segment]
) -> None:
    at = datetime.now(UTC) + timedelta(days=20)
    more = {
        "minus": segments["tired"].id,
        "schedule.when": "at",
        "schedule.scheduled_at": f"{at:%Y-%m-%dT09:00}",
        "care.canary_percent": "5",
        "care.stop_failed_percent": "7",
        "trial.holdout_percent": "10",
        "care.pace_per_s": "20",
    }
    marketer.get("/broadcasts/new")
    shown = text(marketer.get(str(marketer.post("/broadcasts", form | more).location)).text)

    for said in (
        "without tired",
        "2 people",
        f"{at.day} {at:%b}",
        "5 % of them",
        "more than 7 % fail",
        "10 %",
        "20 messages",
    ):
        assert said in shown, said


def test_a_draft_is_given_up_by_a_button(
    rt: Runtime, session: Session, marketer: Visitor, form: dict[str, Any]
) -> None:
    marketer.get("/broadcasts/new")
    page = str(marketer.post("/broadcasts", form).location)
    marketer.get(page)

    assert marketer.post(f"{page}/cancel").status_code == 303
    assert session.scalars(select(Broadcast.state)).all() == [BroadcastState.CANCELLED]
