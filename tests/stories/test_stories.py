"""What Backchat is for, told through the processes a user starts."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from bot.models.words import Role
from tests import factories
from tests.harness import browser, lists
from tests.harness.checker import watching
from tests.harness.children import wait_until
from tests.harness.house import SLUG, House, open_house
from tests.harness.servers import Servers
from tests.harness.simulator import WABA_ID
from tests.harness.visitor import Visitor

WELCOME = """\
journey: welcome
start:
  first_message: true
  keywords: [menu]
steps:
  - say: "Welcome <<user.first_name|default('there')>>!"
  - ask: What would you like to learn?
    buttons: [Reading, Writing]
    save_as: subject
  - say: "<<user.subject>> it is."
"""
TEMPLATE = {
    "name": "lesson",
    "language": "en",
    "category": "UTILITY",
    "components": [
        {
            "type": "BODY",
            "text": "Hello {{1}}, {{2}} begins today.",
            "example": {"body_text": [["Ada", "Algebra"]]},
        }
    ],
}

NONE = {"body": [None, None]}
LEDGER = ("audience", "accepted", "failed", "skipped", "cancelled", "waiting", "in_doubt", "sent", "delivered", "read")


@pytest.fixture(scope="module")
def house(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """All of Backchat with the welcome journey and an approved template."""
    folder = tmp_path_factory.mktemp("house")
    with open_house(servers, folder) as opened:
        (folder / "welcome.yaml").write_text(WELCOME)
        (folder / "lesson.json").write_text(json.dumps(TEMPLATE))
        opened.run("journey", "load", "--environment", "live", str(folder / "welcome.yaml"))
        opened.run("template", "add", SLUG, str(folder / "lesson.json"))
        opened.simulator.configure(templates=[{"waba_id": WABA_ID, **TEMPLATE}])
        opened.start()
        yield opened


def sent_to(house: House, phone: str) -> list[dict[str, Any]]:
    return [entry for entry in house.simulator.log() if entry["to"].lstrip("+") == phone.lstrip("+")]


def delivered(house: House, phone: str) -> int:
    """How many messages to a phone were reported as read."""
    query = """SELECT count(*) FROM message m JOIN address a USING (person_id)
                WHERE a.value = :phone AND m.direction = 'out' AND m.state = 'accepted' AND m.delivery_level = 3"""
    return int(house.ask(query, phone=phone))


def sign_in(house: House, role: str) -> tuple[Visitor, str]:
    with house.rt.transaction() as session:
        operator = factories.make_operator(session, role)
        email, name = operator.email, operator.name
    visitor = Visitor(house.url)
    visitor.sign_in(email, factories.PASSWORD)
    return visitor, name


def test_the_stack_answers_a_message_and_hears_that_its_answer_was_read(house: House) -> None:
    ada = "+201012345601"
    assert house.simulator.say(ada, "Good morning", name="Ada Lovelace") == [200]
    wait_until(lambda: len(sent_to(house, ada)) == 2, "the greeting and the question")
    greeting, question = sent_to(house, ada)
    assert greeting["text"] == "Welcome Ada!"
    assert question["type"] == "interactive"
    wait_until(lambda: delivered(house, ada) == 2, "the statuses")

    buttons = house.ask(
        "SELECT content -> 'interactive' -> 'action' -> 'buttons' FROM message WHERE kind = 'interactive'"
    )
    tap = {"type": "button_reply", "button_reply": buttons[0]["reply"]}
    assert house.simulator.say(ada, type="button_reply", interactive=tap) == [200]
    wait_until(lambda: len(sent_to(house, ada)) == 3, "the answer to the choice")
    assert sent_to(house, ada)[2]["text"] == "Reading it is."
    wait_until(lambda: delivered(house, ada) == 3, "the last status")
    authors = house.ask("SELECT array_agg(DISTINCT author_kind) FROM message WHERE direction = 'out'")
    assert authors == ["stack"]


def test_a_conversation_a_coach_closes_is_reopened_by_the_next_message(house: House) -> None:
    bob = "+201012345602"
    house.simulator.say(bob, "Anybody there?", name="Bob")
    wait_until(lambda: len(sent_to(house, bob)) == 2, "the stack's answer")
    coach, name = sign_in(house, "coach")
    assert "Bob" in coach.get("/inbox")
    conversation = house.ask(
        "SELECT c.id FROM conversation c JOIN address a USING (person_id) WHERE a.value = :phone", phone=bob
    )
    coach.get(f"/inbox/{conversation}")
    coach.submit(f"/inbox/{conversation}/close")
    assert "Bob" not in coach.get("/inbox")
    assert "Bob" in coach.get("/inbox?state=closed")

    house.simulator.say(bob, "One more thing")
    wait_until(lambda: "Bob" in coach.get("/inbox"), "the conversation to be open again")
    episodes = house.ask(
        """SELECT json_agg(json_build_array(e.opened_by, o.name, e.closed_without_reply) ORDER BY e.id)
             FROM episode e LEFT JOIN operator o ON o.id = e.closed_by_operator_id
            WHERE e.conversation_id = :id""",
        id=conversation,
    )
    assert episodes == [["person", name, True], ["person", None, None]]


@pytest.mark.browser
def test_a_coach_and_a_marketer_do_their_work_with_the_mouse(house: House, tmp_path: Path) -> None:
    cleo = "+201012345603"
    house.simulator.say(cleo, "Is this the school?", name="Cleo")
    roll = lists.write(tmp_path / "parents.csv", size=50, bad=5, operator="112")
    with house.rt.transaction() as session:
        admin = factories.make_operator(session, Role.ADMIN).email
    with browser.open_page(house.url) as page:
        page.goto("/")
        page.get_by_label("E-mail").fill(admin)
        page.get_by_label("Password").fill(factories.PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        answer_close_and_see_it_reopen(house, page, cleo)
        upload(page, roll, "parents")
        broadcast(page, "Parents' evening", "parents", len(roll.good))
    heard = [
        entry["to"].lstrip("+") for entry in house.simulator.log() if entry.get("params", NONE)["body"][1] == "tonight"
    ]
    assert sorted(heard) == sorted(roll.good)


def answer_close_and_see_it_reopen(house: House, page: Page, phone: str) -> None:
    page.get_by_role("link", name="Inbox").first.click()
    page.get_by_role("link", name="Cleo").click()
    page.get_by_label("Your reply").fill("It is. How can I help?")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("log")).to_contain_text("It is. How can I help?")
    wait_until(lambda: "It is. How can I help?" in [entry.get("text") for entry in sent_to(house, phone)], "the reply")
    page.get_by_role("button", name="Close", exact=True).click()
    expect(page.get_by_role("button", name="Reopen")).to_be_visible()
    house.simulator.say(phone, "When does it begin?")
    expect(page.get_by_role("log")).to_contain_text("When does it begin?", timeout=20_000)
    expect(page.get_by_role("button", name="Close", exact=True)).to_be_visible()


def upload(page: Page, roll: lists.Roll, segment: str) -> None:
    page.goto("/imports/new")
    page.locator("#file").set_input_files(roll.path)
    page.get_by_label("Segment name").fill(segment)
    page.get_by_label("user.username").check()
    page.get_by_label("Country", exact=True).select_option("EG")
    page.get_by_label("I understand").check()
    page.get_by_role("button", name="Save").click()
    page.get_by_role("button", name="Confirm").click(timeout=30_000)
    expect(page.get_by_text("Imported", exact=True)).to_be_visible(timeout=30_000)
    expect(page.locator(".stat", has_text="Kept out")).to_contain_text(str(roll.bad))


def broadcast(page: Page, name: str, segment: str, people: int) -> None:
    page.goto("/broadcasts/new")
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_role("group", name="Segments it goes to").get_by_text(segment).click()
    page.get_by_label("Template and language").select_option(label="lesson · en · utility")
    page.get_by_label("body.1").fill("<<user.first_name>>")
    page.get_by_label("body.2").fill("tonight")
    page.get_by_role("button", name="Make the draft").click()
    expect(page.locator(".preview").first).to_contain_text("tonight begins today")
    page.get_by_role("link", name="Preflight and launch").click()
    for box in page.locator("[name=ticked]").all():
        box.check()
    page.get_by_role("button", name="Launch").click()
    expect(page.get_by_text("Finished").first).to_be_visible(timeout=30_000)
    expect(page.locator(".stat", has_text="Accepted")).to_contain_text(str(people))


def test_everybody_on_a_list_gets_the_broadcast_once_by_their_own_name(house: House, tmp_path: Path) -> None:
    roll = lists.write(tmp_path / "pupils.csv", size=1000, bad=20)
    told = json.loads(
        house.run(
            *("import", str(roll.path), "--segment", "pupils", "--dialect", "metahumans", "--country", "EG"),
            *("--environment", "live", "--wait", "--json"),
        )
    )
    assert (told["created"], told["failed"]) == (len(roll.good), roll.bad)

    with watching(house.rt.engine, every_s=0.5) as watch:
        done = json.loads(
            house.run(
                *("broadcast", "launch", "--environment", "live", "--name", "First lesson", "--segment", "pupils"),
                *("--template", "lesson", "--slot", "body.1=<<user.first_name>>", "--slot", "body.2=<<user.course>>"),
                *("--wait", "--json"),
            )
        )
        house.settle()
    assert watch.looks > 1
    heard = {
        entry["to"].lstrip("+"): entry["params"]["body"]
        for entry in house.simulator.log()
        if entry.get("params", NONE)["body"][1] == "Algebra"
    }
    assert heard == {phone: [name, "Algebra"] for phone, name in roll.good.items()}
    assert house.verdict().is_green
    assert house.verdict().doubt == set()
    status = json.loads(house.run("broadcast", "status", str(done["id"]), "--json"))
    people = len(roll.good)
    assert {name: status[name] for name in LEDGER} == dict.fromkeys(LEDGER, 0) | dict.fromkeys(
        ("audience", "accepted", "sent", "delivered", "read"), people
    )
    assert house.leaks([*roll.good, "Algebra", "Nile1"]) == []
