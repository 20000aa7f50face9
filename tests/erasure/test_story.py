"""Reliability case 137, with everything running: a person is erased and nothing of them is left on the machine."""

import hashlib
import hmac
import json
import urllib.request
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import select, text

from bot.messages.compose import Author, Draft, compose, text_content
from bot.models.connection import Number
from bot.models.person import Person
from bot.models.words import AuthorKind
from tests import factories as make
from tests.erasure.scan import scan
from tests.harness import campaign
from tests.harness.children import wait_until
from tests.harness.house import SLUG, House
from tests.harness.simulator import APP_SECRET

ADA, BOB = "+201098765012", "+201077777012"
DIGITS = ADA.removeprefix("+")
WORDS = (DIGITS, "1098765012", "Lovelace", "ada-4711", "ada@example.org", "my knee hurts", "Dear Ada")
LIST = (
    "user_id,phone_number,first_name,last_name,email,complaint\n"
    f"ada-4711,{ADA},Ada,Lovelace,ada@example.org,my knee hurts\n"
    f"bob,{BOB},Bob,Hopper,bob@example.org,none\n"
)


def test_of_somebody_erased_nothing_is_left_and_nothing_late_brings_them_back(house: House) -> None:
    file = house.folder / "list.csv"
    file.write_text(LIST)
    house.run("import", str(file), "--segment", "spring", "--environment", "live", "--dialect", "sendbird", "--wait")
    talk(house)
    late = bodies_about(house)
    assert late
    assert places(house), "the scan finds nothing where there is something to find"
    before = counts(house)

    ada = house.ask("SELECT id FROM person WHERE distinct_id = 'ada-4711'")
    house.run("person", "erase", str(ada), "--yes")
    wait_until(lambda: house.ask("SELECT count(*) FROM erasure WHERE finished_at IS NULL") == 0, "the search to end")

    assert places(house) == []
    assert counts(house) == before
    size = house.ask("SELECT (SELECT count(*) FROM person) + (SELECT count(*) FROM status_event)")
    assert [deliver(house, body) for body in late] == [200] * len(late)
    wait_until(lambda: house.ask("SELECT count(*) FROM webhook_event WHERE state = 'new'") == 0, "the late ones")
    assert house.ask("SELECT (SELECT count(*) FROM person) + (SELECT count(*) FROM status_event)") == size

    again = house.run("import", str(file), "--segment", "again", "--environment", "live", "--dialect", "sendbird",
                      "--wait", "--json")  # fmt: skip
    assert json.loads(again)["failed"] == 1
    assert house.ask("SELECT count(*) FROM address WHERE value = :phone", phone=ADA) == 0


def talk(house: House) -> None:
    """Said and answered, a file, a broadcast, a message that waits, and a spool file that nobody can read."""
    for phone in (ADA, BOB):
        assert house.simulator.say(phone, "my knee hurts" if phone == ADA else "hello") == [200]
    assert house.simulator.say(ADA, type="image", content={"id": "sample-image", "caption": "my knee hurts"}) == [200]
    wait_until(lambda: house.ask("SELECT count(*) FROM media WHERE state = 'stored'") == 1, "the file", timeout_s=60)
    with house.rt.transaction() as session:
        ada = session.scalars(select(Person).where(Person.distinct_id == "ada-4711")).one()
        number = session.get_one(Number, house.number_id)
        coach = Author(AuthorKind.COACH, make.make_operator(session).id)
        later = datetime.now(UTC) + timedelta(days=1)
        said = [Draft(ada.id, "text", text_content(f"Dear Ada, {day}"), f"Dear Ada, {day}", not_before=at)
                for day, at in (("today", None), ("tomorrow", later))]  # fmt: skip
        compose(session, number, coach, said)
    house.rt.ring("send")
    campaign.launch(house, 3)
    house.rt.ring("send")
    wait_until(
        lambda: house.states().get("queued") == 1 and house.states().get("accepted") == 4, "all but one to leave"
    )
    house.simulator.drain()
    wait_until(
        lambda: house.ask("SELECT count(*) FROM status_event WHERE recipient = :digits", digits=DIGITS) >= 2, "reports"
    )
    spool = house.rt.settings.spool
    spool.mkdir(parents=True, exist_ok=True)
    (spool / "00000000000000000001-1-1.corrupt").write_bytes(f'{{"from": "{DIGITS}"}}'.encode())
    wait_until(lambda: house.ask("SELECT count(*) FROM webhook_event WHERE state = 'new'") == 0, "the webhooks")


def bodies_about(house: House) -> list[bytes]:
    """What the provider told of Ada, as it might tell it again in another wrapping."""
    with house.rt.engine.connect() as connection:
        found = connection.execute(
            text("SELECT body FROM webhook_event WHERE position(CAST(:digits AS bytea) IN body) > 0 ORDER BY id"),
            {"digits": DIGITS.encode()},
        ).scalars()
        return [bytes(body) + b"\n" for body in found]


def deliver(house: House, body: bytes) -> int:
    signature = hmac.new(APP_SECRET.encode(), body, hashlib.sha256).hexdigest()
    headers = {"Content-Type": "application/json", "X-Hub-Signature-256": f"sha256={signature}"}
    request = urllib.request.Request(f"{house.url}/webhooks/{SLUG}", body, headers)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return int(answer.status)


def counts(house: House) -> dict[str, object]:
    """What statistics are made of."""
    queries = {
        "messages": "SELECT array_agg(c ORDER BY c) FROM (SELECT concat_ws(' ', direction, author_kind, broadcast_id,"
        " delivery_level, count(*), count(DISTINCT person_id)) AS c FROM message"
        " GROUP BY direction, author_kind, broadcast_id, delivery_level) g",
        "ledger": "SELECT array_agg(concat_ws(' ', broadcast_id, state) ORDER BY id) FROM message"
        " WHERE broadcast_id IS NOT NULL",
        "episodes": "SELECT count(*) FROM episode",
    }
    return {name: house.ask(query) for name, query in queries.items()}


def places(house: House) -> list[str]:
    """Where any of the words stands: tables, Redis, logs of processes, files in the data folder (shelf, spool, …)."""
    with house.rt.engine.connect() as connection:
        found = scan(connection, WORDS)
    found += house.leaks(WORDS)
    files = [path for path in Path(house.rt.settings.home).rglob("*") if path.is_file()]
    found += [f"{word} in {path.name}" for path in files for word in WORDS if word.encode() in path.read_bytes()]
    pictures = [path for path in (house.rt.settings.home / "media").rglob("*") if path.is_file()]
    return [*found, *(f"a file {path.name}" for path in pictures)]
