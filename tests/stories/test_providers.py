"""The same conversation through each provider: people write, the stack answers, and it is read.

One Backchat with a number at each of them, and one simulator that speaks as all of them.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.harness import campaign
from tests.harness.children import wait_until
from tests.harness.house import House, open_house
from tests.harness.lines import OTHERS, Line
from tests.harness.servers import Servers

GREETING = """\
journey: greeting
start:
  first_message: true
steps:
  - say: "Good morning, <<user.first_name|default('you')>>, and welcome."
"""
OUT = "FROM message WHERE direction = 'out' AND state = 'accepted' AND number_id = :number"
MARKLESS = frozenset({"turn", "onpremise"})
"""Providers that have no member for our mark."""


@pytest.fixture(scope="module")
def house(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("lines")
    with open_house(servers, folder, tuple(OTHERS.values())) as opened:
        (folder / "greeting.yaml").write_text(GREETING)
        opened.run("journey", "load", "--environment", "live", str(folder / "greeting.yaml"))
        opened.start()
        yield opened


@pytest.fixture(params=OTHERS)
def line(request: pytest.FixtureRequest) -> Line:
    return OTHERS[request.param]


def phone(line: Line, person: int) -> str:
    return f"+2010{list(OTHERS).index(line.provider)}23456{person:02}"


def say(house: House, line: Line, person: int, text: str = "", **more: Any) -> list[int]:
    return house.simulator.say(phone(line, person), text, number_id=line.number_id, **more)


def log(house: House, line: Line) -> list[dict[str, Any]]:
    return [entry for entry in house.simulator.log() if entry["number_id"] == line.number_id]


def read(house: House, line: Line) -> int:
    return int(house.ask(f"SELECT count(*) {OUT} AND delivery_level = 3", number=house.numbers[line.provider]))


def check_accounts(house: House, line: Line) -> None:
    """What we believe was accepted is what the provider accepted, message by message."""
    ours = house.ask(f"SELECT array_agg(provider_message_id) {OUT}", number=house.numbers[line.provider])
    assert sorted(entry["wamid"].removesuffix(":0") for entry in log(house, line)) == sorted(ours)
    marks = house.ask(f"SELECT array_agg('o1.' || id || '.1') {OUT}", number=house.numbers[line.provider])
    told = [entry["callback"] for entry in log(house, line)]
    assert told == [None] * len(told) if line.provider in MARKLESS else sorted(told) == sorted(marks)


def test_a_message_is_answered_once_and_the_answer_is_read(house: House, line: Line) -> None:
    assert say(house, line, 1, "Anybody there? 👋", name="Ada Lovelace") == [200]
    wait_until(lambda: read(house, line) == 1, "the greeting to be read")
    (entry,) = log(house, line)
    assert (entry["to"].lstrip("+"), entry["text"]) == (phone(line, 1)[1:], "Good morning, Ada, and welcome.")
    heard = "SELECT body FROM message WHERE direction = 'in' AND number_id = :number"
    assert house.ask(heard, number=house.numbers[line.provider]) == "Anybody there? 👋"
    check_accounts(house, line)


@pytest.mark.parametrize("proof", ["made0up", ""])
def test_what_proves_nothing_is_refused_and_forgotten(house: House, line: Line, proof: str) -> None:
    assert say(house, line, 2, "Send me money", signature=proof) == [401]
    assert house.ask("SELECT count(*) FROM address WHERE value = :phone", phone=phone(line, 2)) == 0


def test_a_file_is_had_as_the_provider_hands_it_out(house: House, line: Line) -> None:
    assert say(house, line, 3, type="image", content={"caption": "The leak"}) == [200]
    state = """SELECT f.state FROM media f JOIN message m ON m.id = f.message_id
                WHERE f.state <> 'waiting' AND m.number_id = :number"""
    wait_until(lambda: house.ask(state, number=house.numbers[line.provider]), "the file to be fetched")
    assert house.ask(state, number=house.numbers[line.provider]) == "stored"


@pytest.mark.parametrize("provider", ["360dialog", "turn"])
def test_a_broadcast_reaches_everybody_once_and_is_read(house: House, provider: str) -> None:
    line = OTHERS[provider]
    campaign.launch(house, 20, line)
    house.rt.ring("send")
    house.settle()
    reached = [entry["to"] for entry in log(house, line) if entry.get("template") == campaign.TEMPLATE]
    assert len(set(reached)) == len(reached) == 20
    check_accounts(house, line)
    wait_until(lambda: read(house, line) == len(log(house, line)), "all to be read")


def test_of_all_of_it_nothing_is_left_unread_or_misunderstood(house: House) -> None:
    house.settle()
    assert house.ask("SELECT array_agg(DISTINCT state) FROM webhook_event") == ["done"]
