"""One outbox and everybody who may do something to it; each deed draws for itself what it is done to.

All of it is one transaction, in which nobody's time passes unless a deed says so.
"""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st
from sqlalchemy import Connection, text
from sqlalchemy.orm import Session

from bot.messages import doubts, outbox, silence, statuses
from bot.messages.compose import Author, Draft, compose, text_content
from bot.models.broadcast import Broadcast
from bot.models.message import Message, StatusEvent
from bot.models.words import AuthorKind, BroadcastState
from bot.people import consent
from bot.people.consent import MARKETING, RESUME, STOP, Word
from bot.providers.events import StatusUpdate
from broadcasts.broadcasts import BroadcastError
from broadcasts.control import lifecycle, releasing
from broadcasts.results import ledger
from broadcasts.running import materialising, settling
from broadcasts.transitions import NOBODY
from tests import factories as make
from tests.harness.courier import ACCEPTANCES, REFUSALS, Courier, Provider

LONG_AGO = timedelta(minutes=20)
WINDOW = timedelta(minutes=15)
WORDS = ("sent", "delivered", "read", "failed")
PEOPLE = 6
BROADCASTS = 4
DEEDS = {
    "go_round": 12,
    "look": 2,
    "mark": 3,
    "send": 3,
    "hold_back": 1,
    "record": 3,
    "give_back": 1,
    "crash": 2,
    "launch": 3,
    "make_messages": 2,
    "reply": 3,
    "order": 4,
    "stop_in_hand": 4,
    "clear_cancelled": 1,
    "say": 4,
    "switch": 2,
    "sleep_through_the_lease": 3,
    "wait": 3,
    "settle": 1,
    "report": 5,
    "conclude_from_silence": 3,
    "release": 3,
}
"""What may happen, and how often it does."""

Draw = Callable[[st.SearchStrategy[Any]], Any]

anyone = st.integers(0, PEOPLE - 1)
hows = st.sampled_from([*ACCEPTANCES * 10, *REFUSALS])
categories = st.sampled_from(["MARKETING", "MARKETING", "UTILITY"])

_HELD_UP = text("""
    SELECT m.id FROM message m JOIN person p ON p.id = m.person_id LEFT JOIN broadcast b ON b.id = m.broadcast_id
     WHERE NOT p.enabled OR b.state NOT IN ('running', 'finished')
        OR (p.marketing_opted_out_at IS NOT NULL AND b.frozen_template ->> 'category' = 'MARKETING')
""")
"""Messages that nobody may put on the wire now."""
_SWITCH = text("UPDATE person SET enabled = :enabled WHERE id = :id")
_LAPSE = text("""
    UPDATE message SET lease_until = now() - interval '1 s' WHERE lease_until IS NOT NULL AND owner <> :awake
""")
_AGE = text("""
    UPDATE message SET wire_at = :at, accepted_at = CASE WHEN accepted_at IS NOT NULL THEN CAST(:at AS timestamptz) END
     WHERE wire_at IS NOT NULL
""")


class World:
    """`released` counts by message how often it was set free from doubt; a row may be accepted once for each."""

    def __init__(self, connection: Connection) -> None:
        self.session = Session(connection, join_transaction_mode="create_savepoint")
        self.number = make.make_number(self.session)
        self.token = make.make_token(self.session)
        self.people = [make.make_person(self.session) for _ in range(PEOPLE)]
        self.audiences: dict[int, int] = {}
        self.asked_for: set[str] = set()
        self.released: Counter[int] = Counter()
        self.provider = Provider()
        self.couriers = [Courier("sender-1"), Courier("sender-2")]
        self.lives = 2
        self.long_ago = datetime.now(UTC) - LONG_AGO
        for index in range(12):
            self._add_neighbour(f"wamid.earlier.{index}")

    def _add_neighbour(self, letter: str) -> None:
        """Sent 20 minutes ago and reported on: enough of these, and silence says something."""
        at, session = self.long_ago, self.session
        row = make.make_outbound(
            *(session, self.people[0], self.number),
            state="accepted",
            evidence="response",
            wire_at=at,
            accepted_at=at,
            sent_at=at,
            delivery_level=1,
            provider_message_id=letter,
        )
        names = {"number_id": self.number.id, "provider_message_id": letter, "message_id": row.id}
        session.add(StatusEvent(**names, status="sent", occurred_at=at))
        session.flush()
        self.provider.accepted[row.id, 0] += 1

    def a_courier(self, draw: Draw) -> Courier:
        return self.couriers[draw(st.integers(0, 1))]

    def a_broadcast(self, draw: Draw) -> int:
        return int(draw(st.sampled_from(sorted(self.audiences))))

    # What people and operators do.

    def launch(self, draw: Draw) -> None:
        if len(self.audiences) == BROADCASTS:
            return
        category = draw(categories)
        template = make.make_template(self.session, self.number.connection, category=category)
        frozen = {"name": template.name, "language": "en", "category": category, "parameter_format": "POSITIONAL"}
        made = make.make_broadcast(
            self.session,
            self.number,
            make.make_segment(self.session, [self.people[at] for at in draw(st.sets(anyone, min_size=3))]),
            template,
            state=BroadcastState.MATERIALISING,
            launched_at=datetime.now(UTC),
            frozen_template=frozen | {"components": template.components},
            resends_unsent=draw(st.booleans()),
        )
        materialising.materialise(self.session, made.id)
        self.audiences[made.id] = ledger.counts(self.session, made.id).audience

    def make_messages(self, draw: Draw) -> None:
        broadcast_id = self.a_broadcast(draw)
        while materialising.materialise(self.session, broadcast_id):
            pass

    def reply(self, draw: Draw) -> None:
        person = draw(anyone)
        source = f"r:{person}:{draw(st.integers(0, 3))}"
        draft = Draft(self.people[person].id, "text", text_content("hello"), "hello", source)
        compose(self.session, self.number, Author(AuthorKind.API, self.token.id), [draft])
        self.asked_for.add(source)

    def order(self, draw: Draw) -> None:
        orders = [lifecycle.pause] * 3 + [lifecycle.resume] * 7 + [lifecycle.cancel] * 3
        self._try(draw(st.sampled_from(orders)), self.a_broadcast(draw))

    def stop_in_hand(self, draw: Draw) -> None:
        """A broadcast is paused or cancelled while a sender that has seen it run holds its rows and marks."""
        courier = self.a_courier(draw)
        courier.look(self.session, self.number.id, 8)
        in_hand = sorted({row.broadcast_id for row in courier.held if row.broadcast_id is not None})
        if in_hand:
            self._try(draw(st.sampled_from([lifecycle.pause, lifecycle.cancel])), draw(st.sampled_from(in_hand)))
            self._mark(courier, len(courier.held))

    def clear_cancelled(self, draw: Draw) -> None:
        found = self.session.get_one(Broadcast, self.a_broadcast(draw), populate_existing=True)
        if found.state == BroadcastState.CANCELLED:
            materialising.cancel_waiting(self.session, found.id)

    def say(self, draw: Draw) -> None:
        word = Word(self.people[draw(anyone)].id, MARKETING, draw(st.sampled_from([STOP, RESUME])), "word", self._now())
        consent.tell(self.session, [word])

    def switch(self, draw: Draw) -> None:
        self.session.execute(
            _SWITCH, {"id": self.people[draw(anyone)].id, "enabled": draw(st.sampled_from([True, True, False]))}
        )

    def release(self, draw: Draw) -> None:
        broadcast_id = self.a_broadcast(draw)
        presumed = self._ids(Message.state == "presumed_unsent", Message.broadcast_id == broadcast_id)
        if self._try(releasing.release, broadcast_id):
            self.released.update(presumed)

    # What senders and their provider do.

    def look(self, draw: Draw) -> None:
        self.a_courier(draw).look(self.session, self.number.id, draw(st.integers(1, 8)))

    def mark(self, draw: Draw) -> None:
        self._mark(self.a_courier(draw), draw(st.integers(1, 4)))

    def _mark(self, courier: Courier, count: int) -> None:
        if not courier.held:
            courier.look(self.session, self.number.id, 4)
        held_up = set(self.session.scalars(_HELD_UP))
        won = courier.mark(self.session, count, lambda id_: self.released[id_])
        assert held_up.isdisjoint(row.id for row in won), "I7: on the wire after it was stopped"

    def send(self, draw: Draw) -> None:
        courier = self.a_courier(draw)
        if courier.wired:
            courier.send(self.provider, draw(st.integers(0, 9)), draw(hows))

    def hold_back(self, draw: Draw) -> None:
        courier = self.a_courier(draw)
        if courier.wired:
            courier.hold_back(draw(st.integers(0, 9)))

    def record(self, draw: Draw) -> None:
        self.a_courier(draw).record(self.session, self.number.id)

    def go_round(self, draw: Draw) -> None:
        courier, fates = self.a_courier(draw), draw(st.lists(hows, min_size=1, max_size=4))
        self._mark(courier, len(fates))
        for how in fates[: len(courier.wired)]:
            courier.send(self.provider, 0, how)
        if draw(st.booleans()):
            courier.record(self.session, self.number.id)

    def give_back(self, draw: Draw) -> None:
        self.a_courier(draw).give_back(self.session)

    def crash(self, draw: Draw) -> None:
        self.lives += 1
        self.couriers[draw(st.integers(0, 1))] = Courier(f"sender-{self.lives}")

    # What the clock does, and what is reported.

    def sleep_through_the_lease(self, draw: Draw) -> None:
        """All but one of those who live: whoever crashed, too."""
        self.session.execute(_LAPSE, {"awake": self.a_courier(draw).name})
        outbox.sweep(self.session)

    def wait(self, _: Draw) -> None:
        self.session.execute(text("UPDATE message SET not_before = NULL WHERE state = 'queued'"))

    def settle(self, _: Draw) -> None:
        settling.settle(self.session)
        for id_ in self.session.query(Broadcast.id).where(Broadcast.state == BroadcastState.FINISHED):
            assert ledger.counts(self.session, id_[0]).waiting == 0, "I5: finished while somebody waits"

    def report(self, draw: Draw) -> None:
        if self.provider.letters:
            letter, mark = draw(st.sampled_from(self.provider.letters))
            self._tell(letter, draw(st.sampled_from(WORDS)), draw(st.sampled_from([mark, None])))

    def conclude_from_silence(self, draw: Draw) -> None:
        """Twenty minutes pass, in which everything is reported on but, perhaps, one."""
        lost = draw(st.none() | st.integers(0, 9))
        for index, (letter, mark) in enumerate(self.provider.letters):
            if index != lost:
                self._tell(letter, "sent", mark)
        self.session.execute(_AGE, {"at": self.long_ago})
        doubts.settle(self.session)
        again = (Message.possible_duplicate, Message.state == "queued")
        before = self._ids(*again)
        silence.conclude(self.session, WINDOW)
        self.released.update(self._ids(*again) - before)

    def _tell(self, letter: str, word: str, mark: str | None) -> None:
        at = self.long_ago + timedelta(seconds=WORDS.index(word))
        code = 131026 if word == "failed" else None
        update = StatusUpdate("", "", letter, word, at, callback=mark, error_code=code)
        statuses.apply(self.session, [(self.number, update)])

    def _try(self, step: Callable[..., Any], broadcast_id: int) -> bool:
        try:
            step(self.session, broadcast_id, NOBODY)
        except BroadcastError:
            return False
        return True

    def _ids(self, *where: Any) -> set[int]:
        return {id_ for (id_,) in self.session.query(Message.id).where(*where)}

    def _now(self) -> datetime:
        return datetime.now(UTC)
