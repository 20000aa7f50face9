"""Two people edit one draft: nobody's words are lost without being seen, and what only one of them touched goes in."""

import html
import re
from collections.abc import Callable
from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.models.broadcast import Broadcast, BroadcastSegment
from bot.models.words import Role
from bot.runtime import Runtime
from broadcasts.drafting import drafts, meanwhile, typed
from broadcasts.drafting.typed import Typed
from broadcasts.drafting.wanted import Care, Wanted, Wording
from tests import factories
from tests.broadcasts import programs
from tests.dashboard.visitor import Visitor

UTC = ZoneInfo("UTC")
FIELD = re.compile(r'<input[^>]*?name="([^"]+)"[^>]*?value="([^"]*)"', re.DOTALL)
DRAFT = Wanted(name="Spring", number_id=1, template_id=1, segment_ids=[1], slots={"body.1": "you"})


@pytest.fixture
def draft(rt: Runtime, session: Session) -> Broadcast:
    stock = programs.stock(rt)
    with rt.transaction() as tx:
        segment = factories.make_segment(tx, stock.people, name="Everybody")
        template = factories.make_template(tx, stock.number.connection, name="hello")
        wanted = replace(DRAFT, number_id=stock.number.id, template_id=template.id, segment_ids=[segment.id])
        return drafts.create(tx, "live", wanted)


def opened(visitor: Visitor, draft: Broadcast, segment_id: int) -> dict[str, str]:
    return filled(visitor.get(f"/broadcasts/{draft.id}/edit").text) | {
        "number": str(draft.number_id),
        "segments": str(segment_id),
        "template": str(draft.template_id),
        "schedule.when": "now",
    }


def filled(page: str) -> dict[str, str]:
    return {
        name: html.unescape(value)
        for name, value in FIELD.findall(page)
        if name in {"name", "version", "was", "slot.body.1", "care.canary_percent", "care.canary_minutes"}
    }


def test_of_two_editors_the_second_sees_both_sayings_and_then_decides(
    session: Session, draft: Broadcast, sign_in: Callable[[Role], Visitor]
) -> None:
    ada, bob = sign_in(Role.MARKETER), sign_in(Role.MARKETER)
    segment_id = session.scalars(select(BroadcastSegment.segment_id)).one()
    hers, his = opened(ada, draft, segment_id), opened(bob, draft, segment_id)
    page = f"/broadcasts/{draft.id}/edit"
    assert ada.post(page, hers | {"name": "Summer", "slot.body.1": "<<user.first_name>>"}).status_code == 303

    answer = bob.post(page, his | {"name": "Winter", "care.canary_percent": "5"})

    assert answer.status_code == 409
    bob._look_at(answer)
    assert [each in answer.text for each in ("Summer", "body.1: &lt;&lt;user.first_name&gt;&gt;")] == [True, True]
    told = filled(answer.text)
    assert (told["name"], told["care.canary_percent"]) == ("Winter", "5")
    assert told["slot.body.1"] == "<<user.first_name>>"
    session.expire_all()
    assert session.scalars(select(Broadcast.name)).all() == ["Summer"]
    assert bob.post(page, his | told).status_code == 303
    session.expire_all()
    saved = drafts.wanted_of(session, session.get_one(Broadcast, draft.id))
    assert (saved.name, saved.slots, saved.care.canary_percent) == ("Winter", {"body.1": "<<user.first_name>>"}, 5)


GERMAN = Wording(language="de", template_id=2, slots={"body.1": "du"})
FASTER = replace(DRAFT, care=Care(pace_per_s=9))


@pytest.mark.parametrize(
    "was, saved, entered, shown, taken",
    [
        (DRAFT, replace(DRAFT, wordings=[GERMAN]), {"name": "Winter"}, {"lang.de.slot.body.1": "du"}, True),
        (replace(DRAFT, wordings=[GERMAN]), DRAFT, {"name": "Winter"}, {"lang.de.slot.body.1": ""}, True),
        (replace(DRAFT, wordings=[GERMAN]), DRAFT, {"lang.de.slot.body.1": "Sie"}, {"lang.de.on": "yes"}, False),
        (DRAFT, FASTER, {"care.pace_per_s": "many"}, {"care.pace_per_s": "many"}, False),
        (DRAFT, replace(DRAFT, name="Summer"), {"was": "{"}, {"name": "Spring"}, False),
        (DRAFT, FASTER, {"care.pace_per_s": "9"}, {"care.pace_per_s": "9"}, None),
        (DRAFT, replace(DRAFT, segment_ids=[2]), {"segments": "3"}, {"segments": "3"}, False),
    ],
    ids=["added", "removed", "removed-and-changed", "unreadable", "no-base", "the-same", "both"],
)
def test_what_only_they_changed_goes_into_the_form_and_what_was_typed_stays(
    was: Wanted, saved: Wanted, entered: dict[str, str], shown: dict[str, str], taken: bool | None
) -> None:
    form = meanwhile.remember(typed.write(was, UTC), "v1")
    mine = Typed(form | {name: [words] for name, words in entered.items()})

    met = meanwhile.meet(mine, saved, UTC)

    kept = {name: words for name, words in entered.items() if name not in shown}
    for name, words in (kept | shown).items():
        assert met.typed.one(name) == words, name
    assert [each.is_taken for each in met.differences] == ([] if taken is None else [taken])
