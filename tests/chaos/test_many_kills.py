"""Kills of every process at random moments, many times over; the simulator's log is the judge.

The run ends with a table of what the kills hit: without rows on the wire among them nothing is proven.
"""

import random
from collections import Counter, defaultdict
from collections.abc import Callable
from typing import Any

import pytest

from bot.host import family
from bot.messages.compose import Author, Draft, compose, text_content
from bot.models.connection import Number
from bot.models.words import AuthorKind
from tests import factories
from tests.chaos.test_broadcast import WINDOW, Run, moments
from tests.harness import wreckage
from tests.harness.checker import Verdict, watching
from tests.harness.children import wait_until
from tests.harness.house import House
from tests.harness.simulator import BUSINESS_PHONE, NUMBER_ID, WABA_ID

FAULTS = 10
REPLIES = 5
"""How many answers to people wait when a kill comes."""

Deed = Callable[[House], Any]

SENDERS: dict[str, Deed] = {
    "send worker": lambda house: house.children["send"].kill_alone(),
    "send work-horse": lambda house: wait_until(house.children["send"].kill_horse, "a horse at work"),
    "send, all of it": lambda house: house.kill("send"),
}
OTHERS: dict[str, Deed] = {
    "web": lambda house: house.kill("web"),
    "intake": lambda house: house.kill("intake"),
    "bulk": lambda house: house.kill("bulk"),
    "clock": lambda house: house.kill("clock"),
    "Redis, flushed": lambda house: house.rt.redis.flushall(),
    "Redis": lambda house: house.lose_redis(),
}
KINDS = SENDERS | OTHERS
LOTS = [*[*SENDERS] * 3, *OTHERS]


def drawn(seed: int, faults: int) -> list[str]:
    chance = random.Random(seed)
    return [chance.choice(LOTS) for _ in range(faults)]


def owe(house: House, people: list[int]) -> None:
    with house.rt.transaction() as session:
        token = factories.make_token(session)
        drafts = [Draft(id_, "text", text_content("Yes, we do."), "Yes, we do.") for id_ in people]
        compose(session, session.get_one(Number, house.number_id), Author(AuthorKind.API, token.id), drafts)
    house.rt.ring("send")


def revive(house: House) -> None:
    """Start what is dead; of a send worker only once what it had forked is gone too."""
    send = house.children["send"]
    if not send.alive():
        wait_until(lambda: not family.members(send.mark), "the work-horse to be gone")
    for child in house.children.values():
        child.start()
    house.rt.ring("send")


def endure(house: House, size: int, kinds: list[str], seed: int) -> tuple[Run, dict[str, Counter[str]]]:
    """A broadcast from its launch to its end, with a kill of each kind in turn; what was in hand at each."""
    chance, run, hits = random.Random(seed), Run(house, size), defaultdict[str, Counter[str]](Counter)
    with watching(house.rt.engine):
        run.begin()
        people = sorted(house.audience)
        for moment, kind in zip(moments(size, len(kinds), seed), kinds, strict=True):
            run.wait_for(moment)
            owe(house, chance.sample(people, REPLIES))
            KINDS[kind](house)
            hits[kind].update({"kills": 1, **wreckage.look(house)})
            revive(house)
        run.finish(120 + size / 20)
    return run, hits


def counted(run: Run, verdict: Verdict, bound: int) -> dict[str, int]:
    return {
        "people": run.size,
        "accepted": run.accepted(),
        "duplicates": len(verdict.duplicated),
        "missed": len(verdict.missed) + len(verdict.forgotten),
        "lost": len(verdict.lost),
        "unexpected": len(verdict.unexpected),
        "ever in doubt": run.house.ask("SELECT count(*) FROM message WHERE unknown_at IS NOT NULL"),
        "allowed": bound,
        "still in doubt": len(verdict.doubt),
        "of these in the log": len(verdict.doubt_in_log),
    }


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("seed", [1, 2, *(pytest.param(seed, marks=pytest.mark.full) for seed in range(3, 21))])
def test_whatever_is_killed_and_whenever_nobody_is_sent_twice_or_missed(
    empty_house: House, seed: int, record_property: Callable[[str, object], None]
) -> None:
    house, kinds = empty_house, drawn(seed, FAULTS)
    line = {"id": NUMBER_ID, "waba_id": WABA_ID, "display_phone_number": BUSINESS_PHONE, "check_window": False}
    house.simulator.configure(numbers=[line])
    house.simulator.set_faults(send={"slow": 0.5}, slow_s=0.03)
    house.start()
    run, hits = endure(house, 10_000, kinds, seed)
    bound = WINDOW * sum(hits[kind]["kills"] for kind in SENDERS)
    told = counted(run, house.verdict(), bound)
    record_property(wreckage.PROPERTY, wreckage.told(seed, hits, told))
    assert house.verdict().is_green, told
    assert told["of these in the log"] == 0, "the statuses told of these, and we did not listen"
    assert told["ever in doubt"] <= bound, told
    run.assert_counted()
