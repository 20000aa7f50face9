"""What the provider tells of accounts, templates and numbers, and what people tell it they want."""

import itertools
from html import unescape
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.connections import alerts
from bot.insights.summaries import keeping, problems, runs
from bot.models.broadcast import Broadcast, Template
from bot.models.connection import Number
from bot.models.summary import SummaryRun
from bot.models.words import Role, Severity
from bot.providers.events import AccountAlert, Event, NumberChange, PreferenceChange, TemplateChange
from bot.runtime import Runtime
from tests import factories
from tests.webhooks.telling import AMINA, Desk, at, message, open_desk
from webhooks import apply, in_hand
from webhooks.apply import Item

BODY = {"type": "BODY", "text": "Hello {{1}}"}


@pytest.fixture
def desk(session: Session) -> Desk:
    return open_desk(session)


def template(pointer: str = "/0", s: float = 0, **said: Any) -> TemplateChange:
    return TemplateChange(pointer, "waba", "77", "hello", "en_US", occurred_at=at(s), **said)


def alert(pointer: str = "/0", severity: Any = "critical", text: str = "The account is disabled.") -> AccountAlert:
    detail = {"event": "DISABLED_UPDATE", "ban_info": {"waba_ban_state": "DISABLE"}}
    return AccountAlert(pointer, "account_update.DISABLED_UPDATE", severity, text, detail)


def preference(value: str, s: float = 0, category: str = "marketing_messages") -> PreferenceChange:
    return PreferenceChange("", "", AMINA, category, value, "tapped in WhatsApp", at(s))


def known(desk: Desk) -> Template:
    desk.session.flush()
    desk.session.expire_all()
    return desk.session.scalars(select(Template)).one()


def opted_out_at(desk: Desk) -> Any:
    return desk.ask("SELECT marketing_opted_out_at FROM person")


def test_news_of_a_template_change_it(desk: Desk) -> None:
    factories.make_template(desk.session, desk.number.connection, name="hello", language="en_US", components=[BODY])
    desk.tell(template("/0", status="PAUSED", reason="Its quality is low."), template("/1", quality="RED"))
    found = known(desk)
    assert (found.status, found.reason, found.quality) == ("PAUSED", "Its quality is low.", "RED")
    assert found.provider_template_id == "77"
    desk.tell(template(s=1, status="APPROVED", category="MARKETING"))
    found = known(desk)
    assert (found.status, found.reason, found.category) == ("APPROVED", None, "MARKETING")
    assert found.components == [BODY]


def test_an_older_word_on_a_template_that_comes_late_undoes_nothing(desk: Desk) -> None:
    desk.tell(template(s=60, status="APPROVED"))
    desk.tell(template(s=0, status="PAUSED"))
    assert known(desk).status == "APPROVED"


def test_a_template_nobody_knew_is_known_from_then_on(desk: Desk) -> None:
    desk.tell(template(status="APPROVED", category="UTILITY"))
    assert (known(desk).name, known(desk).language, known(desk).status) == ("hello", "en_US", "APPROVED")


def test_new_words_of_a_template_take_the_place_of_the_old(desk: Desk) -> None:
    footer = {"type": "FOOTER", "text": "Reply STOP"}
    factories.make_template(
        desk.session, desk.number.connection, name="hello", language="en_US", components=[BODY, footer]
    )
    desk.tell(template(components={"BODY": {"text": "Dear {{1}}"}}))
    assert known(desk).components == [{"type": "BODY", "text": "Dear {{1}}"}, footer]


@pytest.mark.parametrize("named", [{"number_id": True}, {"display_number": True}])
def test_news_of_a_number_change_it_however_it_is_named(desk: Desk, named: dict[str, bool]) -> None:
    number = desk.number
    change = NumberChange(
        "",
        number.provider_number_id if "number_id" in named else None,
        number.phone.removeprefix("+") if "display_number" in named else None,
        quality="YELLOW",
        tier="TIER_10K",
        throughput="HIGH",
        occurred_at=at(10),
    )
    desk.tell(change)
    desk.tell(NumberChange("", number.provider_number_id, None, quality="GREEN", occurred_at=at(0)))
    desk.session.flush()
    desk.session.expire_all()
    found = desk.session.get_one(Number, number.id)
    assert (found.quality, found.tier, found.throughput) == ("YELLOW", "TIER_10K", "HIGH")


def test_a_late_pause_is_not_lost_for_a_quality_that_came_before(desk: Desk) -> None:
    desk.tell(template(s=60, quality="YELLOW"), template(s=0, status="PAUSED"))
    assert (known(desk).status, known(desk).quality) == ("PAUSED", "YELLOW")


def test_news_that_name_no_number_are_about_all_of_the_account(desk: Desk) -> None:
    desk.tell(NumberChange("", None, None, tier="TIER_100K", occurred_at=at(0)))
    assert desk.rows("SELECT DISTINCT tier FROM number") == [("TIER_100K",)]


def test_news_of_a_number_that_is_not_ours_change_nothing(desk: Desk) -> None:
    desk.tell(NumberChange("", "someone-elses", None, quality="RED"))
    assert desk.ask("SELECT count(*) FROM number WHERE quality IS NOT NULL") == 0


def test_an_alert_waits_for_an_operator_once_however_often_it_comes(desk: Desk) -> None:
    desk.tell(alert())
    desk.tell(alert())
    [row] = alerts.open_(desk.session)
    assert (row.alert.severity, row.alert.text) == ("critical", "The account is disabled.")


def test_bad_news_of_a_template_are_an_alert_and_good_ones_are_not(desk: Desk) -> None:
    desk.tell(template("/0", status="APPROVED"), template("/1", s=1, status="DISABLED", reason="Its quality is low."))
    [row] = alerts.open_(desk.session)
    assert row.alert.text == (
        "The template hello (en_US) cannot be sent any more: WhatsApp disabled it. Its quality is low."
    )


def under_way(desk: Desk, state: str = "running", language: str = "en_US") -> Broadcast:
    """A broadcast of the template hello."""
    session, number = desk.session, desk.number
    text = factories.make_template(session, number.connection, name="hello", language=language, components=[BODY])
    return factories.make_broadcast(session, number, factories.make_segment(session), text, state=state)


def states(desk: Desk) -> list[Any]:
    return desk.rows("SELECT state, reason FROM broadcast ORDER BY id")


@pytest.mark.parametrize("state", ["running", "materialising"])
@pytest.mark.parametrize("word", ["PAUSED", "DISABLED"])
def test_a_template_that_cannot_be_sent_any_more_pauses_its_broadcasts_with_the_reason(
    desk: Desk, state: str, word: str
) -> None:
    under_way(desk, state)
    under_way(desk, language="de")
    desk.tell(template(status=word, reason="Its quality is low."))
    (paused, why), other = states(desk)
    assert (paused, other) == ("paused", ("running", None))
    assert why.startswith("The template hello (en_US) cannot be sent")
    assert why.endswith("Its quality is low.")
    assert desk.rows("SELECT from_state, to_state, why FROM broadcast_transition") == [(state, "paused", why)]


def test_good_news_and_news_that_are_over_pause_nothing(desk: Desk) -> None:
    under_way(desk)
    desk.tell(template(s=60, status="APPROVED"))
    desk.tell(template(s=0, status="PAUSED"), template("/1", s=61, quality="RED"))
    assert states(desk) == [("running", None)]


@pytest.mark.parametrize("state", ["draft", "finished", "cancelled", "paused"])
def test_a_broadcast_that_is_not_under_way_stays_as_it_is(desk: Desk, state: str) -> None:
    under_way(desk, state)
    desk.tell(template(status="DISABLED"))
    assert states(desk) == [(state, None)]


def test_news_that_ask_for_nothing_wait_for_nobody(desk: Desk) -> None:
    desk.tell(alert(severity="info", text="The account is verified."))
    assert alerts.count(desk.session) == 0
    assert [row.alert.text for row in alerts.lately(desk.session)] == ["The account is verified."]


def test_the_gravest_alert_is_on_top(desk: Desk) -> None:
    desk.tell(alert("/0"), alert("/1", "warning", "The account broke a policy."))
    assert [row.alert.severity for row in alerts.open_(desk.session)] == ["critical", "warning"]


def test_who_says_stop_gets_no_marketing_until_they_say_otherwise(desk: Desk) -> None:
    desk.tell(preference("stop"))
    assert opted_out_at(desk) == at(0)
    desk.tell(preference("resume", s=5))
    assert opted_out_at(desk) is None
    ledger = desk.rows("SELECT category, value, source, detail FROM consent_event ORDER BY id")
    assert ledger == [
        ("marketing", "stop", "webhook", "tapped in WhatsApp"),
        ("marketing", "resume", "webhook", "tapped in WhatsApp"),
    ]


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_the_latest_word_counts_in_whatever_order_they_come(desk: Desk, order: tuple[int, ...]) -> None:
    words: list[Event] = [preference("stop", s=0), preference("resume", s=5), preference("stop", s=9)]
    for place in (*order, *order):
        desk.tell(words[place])
    assert opted_out_at(desk) == at(9)
    assert desk.ask("SELECT count(*) FROM consent_event") == 3


def test_a_word_we_do_not_know_is_kept_and_changes_nothing(desk: Desk) -> None:
    desk.tell(preference("stop"))
    desk.tell(preference("maybe", s=5), preference("resume", s=6, category="utility_messages"))
    assert opted_out_at(desk) == at(0)
    assert desk.ask("SELECT count(*) FROM consent_event") == 3


def test_a_preference_of_a_stranger_makes_them_known_and_opens_no_conversation(desk: Desk) -> None:
    desk.tell(preference("stop"))
    assert desk.ask("SELECT count(*) FROM person") == 1
    assert desk.ask("SELECT count(*) FROM conversation") == 0
    desk.tell(message())
    assert desk.ask("SELECT count(*) FROM person WHERE marketing_opted_out_at IS NOT NULL") == 1


def test_an_operator_deals_with_an_alert_once(rt: Runtime, client_of: Any) -> None:
    with rt.transaction() as session:
        desk = open_desk(session)
        apply.apply(session, [Item(7, desk.number.connection_id, alert(text="<script>alert(1)</script>"))])
        [row] = alerts.open_(session)
        alert_id = row.alert.id
    admin: FlaskClient = client_of(Role.ADMIN)
    page = admin.get("/alerts").text
    assert "&lt;script&gt;alert(1)" in page
    assert "Dealt with" in page
    with rt.transaction() as session:
        operator = factories.make_operator(session)
        assert alerts.resolve(session, alert_id, operator.id)
        assert not alerts.resolve(session, alert_id, operator.id)
        assert alerts.open_(session) == []


def test_alerts_are_said_in_the_readers_language_and_kept_as_they_were_told(rt: Runtime, client_of: Any) -> None:
    with rt.transaction() as session:
        desk = open_desk(session)
        in_hand.alarm(session, desk.number.connection_id, 7)
        chat = {"way": "chat", "place": "https://chat.example.org/x", "rhythm": "daily", "hour": "8", "language": "en"}
        summary = keeping.make(session, rt.settings, "live", chat, factories.make_operator(session).id, at(0))
        runs.ask(session, summary, ZoneInfo("UTC"), at(0))
        session.flush()
        run = session.scalars(select(SummaryRun)).one()
        runs.fail(session, run, problems.problem("chat_answered", 404), is_final=True)
        apply.apply(
            session,
            [
                Item(8, desk.number.connection_id, alert()),
                Item(9, desk.number.connection_id, template(status="PAUSED", reason="Its quality is low.")),
                Item(10, desk.number.connection_id, alert(text="Said otherwise in an earlier version.")),
            ],
        )
        alerts.tell_own(session, "bigquery.failed", Severity.WARNING, "In words of an earlier version.", {})
        stored = [row.alert.text for row in alerts.open_(session)]
    admin: FlaskClient = client_of(Role.ADMIN)
    english, german = (admin.get("/alerts", headers={"Accept-Language": each}).text for each in ("en", "de"))
    assert all(text in unescape(english) for text in stored)
    assert "A webhook was put aside: it ended the process that applied it 3 times" in english
    assert "Ein Webhook wurde beiseitegelegt: Er hat 3-mal den Prozess beendet" in german
    assert "Eine Zusammenfassung der Einblicke kam nicht an. Der Chat hat mit 404 geantwortet." in german
    assert "Das Konto ist gesperrt." in german
    assert "(en_US) kann vorerst nicht gesendet werden: WhatsApp hat sie pausiert. Its quality is low." in german
    for words in ("In words of an earlier version.", "Said otherwise in an earlier version."):
        assert words in german
    summaries = admin.get("/insights/summaries", headers={"Accept-Language": "de"}).text
    assert "Der Chat hat mit 404 geantwortet." in summaries
    assert all(text in admin.get("/alerts.csv", headers={"Accept-Language": "de"}).text for text in stored)
