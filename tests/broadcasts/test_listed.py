"""What the provider's list says of its templates is true from then on; what cannot be sent is shown and not offered."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from click.testing import CliRunner
from rich_click import Group
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.models.broadcast import Broadcast, Template
from bot.models.connection import Connection, Number
from broadcasts.commands import COMMANDS
from broadcasts.templates import listed, templates
from tests import factories
from tests.dashboard.visitor import Visitor

BODY = {"type": "BODY", "text": "Hello {{1}}", "example": {"body_text": [["Ada"]]}}
CAROUSEL = {"type": "CAROUSEL", "cards": []}


@pytest.fixture
def account(session: Session) -> Connection:
    return factories.make_number(session).connection


def document(name: str = "hello", **more: Any) -> dict[str, Any]:
    """A template as the Graph API lists it."""
    told = {"language": "en_US", "category": "UTILITY", "status": "APPROVED", "components": [BODY], "id": "77"}
    return {"name": name, **told, "quality_score": {"score": "GREEN"}, "rejected_reason": "NONE", **more}


def keep(session: Session, account: Connection, *documents: dict[str, Any], s: float = 0) -> int:
    """What a list says that was asked for `s` seconds from now."""
    return listed.keep(session, account, documents, datetime.now(UTC) + timedelta(seconds=s))


def known(session: Session) -> dict[str, Template]:
    session.expire_all()
    return {each.name: each for each in session.scalars(select(Template))}


def test_a_template_has_all_that_the_list_tells(session: Session, account: Connection) -> None:
    keep(
        session,
        account,
        document(status="REJECTED", rejected_reason="PROMOTIONAL", quality_score={"score": "RED"}),
    )
    found = known(session)["hello"]
    assert (found.provider_template_id, found.quality, found.status) == ("77", "RED", "REJECTED")
    assert "not in that category" in (found.reason or "")
    assert found.told_at is None


def test_what_the_list_no_longer_names_was_deleted_and_may_come_back(session: Session, account: Connection) -> None:
    factories.make_template(session, account, name="old", reason="Its quality is low.")
    factories.make_template(session, factories.make_connection(session), name="elsewhere")
    keep(session, account, document())
    found = known(session)
    assert {name: each.status for name, each in found.items()} == {
        "old": "DELETED",
        "hello": "APPROVED",
        "elsewhere": "APPROVED",
    }
    assert found["old"].reason is None
    keep(session, account, document("old"))
    assert {name: each.status for name, each in known(session).items()} == {
        "old": "APPROVED",
        "hello": "DELETED",
        "elsewhere": "APPROVED",
    }


def test_what_a_webhook_told_since_the_fetch_began_is_newer(session: Session, account: Connection) -> None:
    now = datetime.now(UTC)
    columns: dict[str, Any] = {"language": "en_US", "status": "PAUSED", "reason": "Its quality is low."}
    columns |= {"told_at": now, "created_at": now - timedelta(days=1)}
    factories.make_template(session, account, name="hello", **columns)
    factories.make_template(session, account, name="gone", **columns)
    keep(session, account, document(), s=-60)
    assert {(each.status, each.reason) for each in known(session).values()} == {("PAUSED", "Its quality is low.")}
    keep(session, account, document(), s=60)
    assert {(each.status, each.reason) for each in known(session).values()} == {("APPROVED", None), ("DELETED", None)}


def test_a_template_that_was_made_while_the_list_came_is_not_gone(session: Session, account: Connection) -> None:
    factories.make_template(session, account, name="new")
    keep(session, account, s=-60)
    assert known(session)["new"].status == "APPROVED"


def test_what_was_not_submitted_is_not_gone_because_no_list_names_it(session: Session, account: Connection) -> None:
    factories.make_template(session, account, name="typed", status="UNSUBMITTED")
    keep(session, account, document(), s=60)
    assert known(session)["typed"].status == "UNSUBMITTED"


def test_a_list_of_one_name_says_nothing_of_others(session: Session, account: Connection) -> None:
    for name in ("hello", "other"):
        factories.make_template(session, account, name=name, language="en_US")
    factories.make_template(session, account, name="hello", language="de")
    listed.keep(session, account, [document()], datetime.now(UTC) + timedelta(seconds=60), "hello")
    found = session.scalars(select(Template).execution_options(populate_existing=True))
    assert {(each.name, each.language): each.status for each in found} == {
        ("hello", "en_US"): "APPROVED",
        ("hello", "de"): "DELETED",
        ("other", "en_US"): "APPROVED",
    }


def test_a_reason_that_the_list_does_not_repeat_stays_while_the_status_does(
    session: Session, account: Connection
) -> None:
    columns: dict[str, Any] = {
        "language": "en_US",
        "status": "PAUSED",
        "reason": "Its quality is low.",
        "quality": "RED",
    }
    factories.make_template(session, account, name="hello", **columns)
    keep(session, account, document(status="PAUSED", quality_score=None))
    found = known(session)["hello"]
    assert (found.reason, found.quality) == ("Its quality is low.", "RED")
    keep(session, account, document(status="APPROVED"))
    assert known(session)["hello"].reason is None


@pytest.mark.parametrize(
    "odd, said",
    [
        ({"components": [BODY, CAROUSEL]}, "has a CAROUSEL component"),
        ({"components": [{"type": "FOOTER", "text": "x"}]}, "has no body"),
        ({"category": "FUN"}, "category is &#39;FUN&#39;"),
        ({"name": "Übung"}, "name is &#39;Übung&#39;"),
        ({"components": [{"type": "BODY", "example": "none"}]}, "Nothing that can be read is known of its text"),
        ({"components": [{"type": "BUTTONS", "buttons": ["x"]}, BODY]}, "Nothing that can be read"),
        ({"components": {"type": "BODY"}}, "Nothing that can be read"),
        ({"components": None}, "Nothing that can be read"),
    ],
)
def test_what_cannot_be_sent_is_listed_with_the_reason_and_nobody_can_choose_it(
    session: Session, account: Connection, marketer: Visitor, odd: dict[str, Any], said: str
) -> None:
    factories.make_segment(session, [factories.make_person(session)])
    keep(session, account, document("fine"), document(**odd) | odd)
    session.commit()

    page = marketer.get("/templates").text
    assert said in page
    assert page.count("Cannot be sent") == 1
    rows = json.loads(CliRunner().invoke(Group("b", commands=list(COMMANDS)), ["template", "list", "--json"]).stdout)
    assert sorted(bool(row["reason"]) for row in rows) == [False, True]
    choice = marketer.get("/broadcasts/new").text
    assert "fine" in choice
    assert (odd.get("name") or "hello ·") not in choice


def test_what_has_no_name_is_left_out_and_counted(session: Session, account: Connection) -> None:
    odd: list[dict[str, Any]] = [{}, {"name": "x"}, {"language": "en"}, {"name": "x" * 700, "language": "en"}]
    assert keep(session, account, document(), *odd) == 4
    assert set(known(session)) == {"hello"}


def test_twilio_s_names_are_as_good_as_whatsapp_s(session: Session, account: Connection) -> None:
    account.provider = "twilio"
    name = f"Order update.HX{7:032x}"
    keep(session, account, document(name))
    found = known(session)[name]
    assert found.status == "APPROVED"
    assert templates.reason("twilio", found) is None
    assert "name is" in (templates.reason("cloud", found) or "")


def test_a_broadcast_under_way_pauses_for_what_the_list_tells(session: Session, account: Connection) -> None:
    number = session.scalars(select(Number)).one()
    template = factories.make_template(session, account, name="hello", language="en_US")
    factories.make_broadcast(session, number, factories.make_segment(session), template, state="running")
    keep(session, account, document())
    assert session.scalars(select(Broadcast.state)).one() == "running"
    keep(session, account, document(status="PAUSED"))
    session.expire_all()
    found = session.scalars(select(Broadcast)).one()
    assert (found.state, found.reason) == (
        "paused",
        "The template hello (en_US) cannot be sent for now: WhatsApp paused it.",
    )
