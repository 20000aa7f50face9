"""The whole way of a template: typed in a browser, in review, approved by a webhook, sent, paused while it is sent."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect
from sqlalchemy import select

from bot.models.broadcast import Template
from bot.models.person import Person
from broadcasts.control import lifecycle
from broadcasts.drafting import drafts
from broadcasts.drafting.drafts import Wanted
from broadcasts.transitions import Actor
from tests import factories
from tests.harness import browser, campaign, simulator
from tests.harness.children import wait_until
from tests.harness.house import House, open_house
from tests.harness.servers import Servers


@pytest.fixture
def house(servers: Servers, tmp_path: Path) -> Iterator[House]:
    with open_house(servers, tmp_path) as opened:
        yield opened


def launch(house: House, name: str, slots: dict[str, str]) -> int:
    """Id of a broadcast of a template to two people."""
    with house.rt.transaction() as session:
        people = [session.get_one(Person, id_) for id_ in campaign.enrol(session, 2)]
        wanted = Wanted(
            name="Spring",
            number_id=house.number_id,
            template_id=session.scalars(select(Template.id).where(Template.name == name)).one(),
            segment_ids=[factories.make_segment(session, people).id],
            slots=slots,
        )
        made = drafts.create(session, "live", wanted).id
    with house.rt.transaction() as session:
        lifecycle.launch(session, made, Actor(), confirmed=2)
    return made


def status(house: House, name: str) -> str:
    return str(house.ask("SELECT status FROM template WHERE name = :name", name=name))


@pytest.mark.browser
def test_a_template_is_typed_in_seen_on_the_phone_submitted_and_approved_by_a_webhook(house: House) -> None:
    house.start("web", "intake")
    house.simulator.configure(review={"after_s": 0.2})
    with browser.open_page(house.url) as page:
        browser.sign_in(page, house.rt)
        page.goto("/templates/new")
        phone = page.get_by_label("As it looks on the phone")
        page.get_by_label("Name").fill("spring_fair")
        page.get_by_label("Body").fill("Hello {{1}}, the *spring fair* is on Monday!")
        page.get_by_label("Example of {{1}}").fill("Amina")
        expect(phone).to_contain_text("Hello Amina, the spring fair is on Monday!")
        page.get_by_label("Header", exact=True).select_option("Text")
        page.get_by_label("Header", exact=True).nth(1).fill("For you")
        page.get_by_role("button", name="Add a button").click()
        expect(page.get_by_label("Button 1")).to_be_focused()
        page.get_by_label("Button 1").select_option("Open an address")
        page.get_by_label("Address").fill("https://example.org/{{1}}")
        page.get_by_label("Example of {{1}}").nth(1).fill("a7")
        page.get_by_label("Words", exact=True).fill("See the plan")
        expect(phone).to_contain_text("See the plan")
        expect(phone).to_contain_text("For you")
        expect(page.get_by_label("Body")).to_have_value("Hello {{1}}, the *spring fair* is on Monday!")
        page.get_by_role("button", name="Submit for review").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("spring_fair")

        wait_until(lambda: status(house, "spring_fair") == "APPROVED", "the webhook to be applied")
        page.reload()
        expect(page.get_by_text("It can be sent.")).to_be_visible()
        expect(page.get_by_text("WhatsApp told it")).to_be_visible()

    broadcast_id = launch(house, "spring_fair", {"body.1": "<<user.first_name>>", "button.0.1": "a7"})
    house.start("bulk", "send")
    house.rt.ring("bulk")
    query = "SELECT count(*) FROM message WHERE broadcast_id = :id AND state = 'accepted'"
    wait_until(lambda: house.ask(query, id=broadcast_id) == 2, "both to be sent to")
    assert {entry["template"] for entry in house.simulator.log()} == {"spring_fair"}


@pytest.mark.parametrize("state, code", [("PAUSED", 132015), ("DISABLED", 132016)])
def test_a_broadcast_pauses_when_whatsapp_refuses_its_template_and_says_so(house: House, state: str, code: int) -> None:
    """No webhook tells it: nobody listens to them here."""
    broadcast_id = campaign.launch(house, 40)
    about = {"waba_id": simulator.WABA_ID, "name": campaign.TEMPLATE, "language": "en", "status": state}
    house.simulator.control("template", about)
    house.start("send")
    house.rt.ring("send")
    query = "SELECT state FROM broadcast WHERE id = :id"
    wait_until(lambda: house.ask(query, id=broadcast_id) == "paused", "the broadcast to pause")
    assert str(code) in house.ask("SELECT reason FROM broadcast WHERE id = :id", id=broadcast_id)
    assert house.simulator.accepted() == 0


def test_what_is_sent_is_the_wording_of_the_launch_whatever_becomes_of_the_template(house: House) -> None:
    broadcast_id = campaign.launch(house, 3)
    with house.rt.transaction() as session:
        template = session.scalars(select(Template)).one()
        template.components = [{"type": "BODY", "text": "Another wording altogether"}]
    house.start("send")
    house.rt.ring("send")
    query = "SELECT count(*) FROM message WHERE broadcast_id = :id AND state = 'accepted'"
    wait_until(lambda: house.ask(query, id=broadcast_id) == 3, "everybody to be sent to")
    said = [entry["params"]["body"][0] for entry in house.simulator.log()]
    assert all(text.startswith("Name") for text in said)
