"""Five weeks in Berlin, with clocks put on in the middle: messages, broadcasts, wishes, links, a merge, an erasure."""

import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import insert
from sqlalchemy.orm import Session

from bot.erasure import erasing
from bot.goals import links, noticing
from bot.messages import replies
from bot.models.broadcast import AudiencePerson, Broadcast, BroadcastResponse
from bot.models.conversation import Episode
from bot.models.goals import LinkClick
from bot.models.person import ConsentEvent, Person
from bot.models.policy import MessageRate
from bot.people import merge
from bot.settings import Settings
from bot.team.audit import COMMAND
from tests import factories as make
from tests.goals.aims import event, make_goal

ZONE = "Europe/Berlin"
BEGIN = datetime(2026, 3, 9, tzinfo=UTC)
HOURS = 35 * 24


class Story:
    def __init__(self, session: Session) -> None:
        self.session = session
        self.dice = random.Random(7)
        self.number = make.make_number(session)
        phones = [f"+{code}{n:04d}" for n in range(8) for code in ("4915112340", "20100123", "141655", "551198765")]
        self.people = [make.make_person(session, phone=phone) for phone in phones]
        self.coaches = [make.make_operator(session) for _ in range(2)]
        self.journey = make.make_journey(session)

    def tell(self, settings: Settings) -> None:
        self._talk()
        self._broadcast("UTILITY")
        self._broadcast("MARKETING")
        self._wish()
        self._follow()
        self._guide()
        self.session.flush()
        merge.merge(self.session, [self.people[0].id, self.people[1].id], "they are one")
        erasing.erase(self.session, settings, self.people[2].id, erasing.Actor())

    def moment(self) -> datetime:
        return BEGIN + timedelta(hours=self.dice.randrange(HOURS), minutes=self.dice.randrange(60))

    def _talk(self) -> None:
        said = []
        for person in self.people:
            for _ in range(self.dice.randrange(1, 12)):
                at = self.moment()
                kind = self.dice.choice(["text", "text", "image", "reaction"])
                make.make_inbound(self.session, person, self.number, occurred_at=at).kind = kind
                said.append((person.id, None, at + timedelta(hours=self.dice.randrange(30))))
                make.make_outbound(self.session, person, self.number, **self._fate(at), **self._author())
        replies.note(self.session, self.number.id, said)

    def _author(self) -> dict[str, Any]:
        return self.dice.choice(
            [
                {"author_kind": "coach", "operator_id": self.coaches[0].id},
                {"author_kind": "coach", "operator_id": self.coaches[1].id},
                {"author_kind": "stack", "journey_id": self.journey.id},
                {"author_kind": "app"},
            ]
        )

    def _fate(self, at: datetime) -> dict[str, Any]:
        level = self.dice.randrange(5)
        if level == 4:
            return {"state": "failed", "failed_at": at, "occurred_at": at, "error_code": 131026}
        return {"state": "accepted", "accepted_at": at, "occurred_at": at, "delivery_level": level}

    def _broadcast(self, category: str) -> None:
        segment = make.make_segment(self.session, self.people)
        template = make.make_template(self.session, self.number.connection, category=category)
        at = self.moment()
        ended: dict[str, Any] = {"state": "finished", "launched_at": at, "finished_at": at}
        sent = make.make_broadcast(self.session, self.number, segment, template, **ended)
        rows = [
            {"broadcast_id": sent.id, "person_id": person.id, "environment": "live", "wave": 2, "variant": 0}
            for person in self.people
        ]
        self.session.execute(insert(AudiencePerson), rows)
        for person in self.people:
            self._deliver(sent, person, at)
        rates = [("*", "0.03"), ("DE", "0.11")] if category == "MARKETING" else [("EG", "0.0125")]
        self.session.add_all(
            MessageRate(country=country, category=category, price=Decimal(price), currency="EUR")
            for country, price in rates
        )

    def _deliver(self, sent: Broadcast, person: Person, at: datetime) -> None:
        message = make.make_outbound(
            self.session,
            person,
            self.number,
            **self._fate(at),
            author_kind="broadcast",
            broadcast_id=sent.id,
            to_address=self.dice.choice(["+4915112345678", "+201001234567", "EG.13491208655302741918"]),
        )
        if self.dice.random() < 0.3:
            replied_at = at + timedelta(hours=2)
            self.session.add(
                BroadcastResponse(
                    broadcast_id=sent.id,
                    person_id=person.id,
                    environment="live",
                    message_id=message.id,
                    replied_at=replied_at,
                    opted_out_at=self.dice.choice([None, replied_at]),
                )
            )

    def _wish(self) -> None:
        for person in self.people:
            self.session.add(
                ConsentEvent(
                    environment="live",
                    person_id=person.id,
                    category="marketing",
                    value=self.dice.choice(["stop", "resume"]),
                    source="word",
                    occurred_at=self.moment(),
                )
            )

    def _follow(self) -> None:
        course, rules = (links.create(self.session, "live", name, "https://x.example", COMMAND) for name in "ab")
        followed = {"name": "followed", "kind": "link", "condition": {"link": course.name}}
        make_goal(self.session, event("asked"), followed, name="Course")
        for person in self.people * 2:
            at, is_preview = self.moment(), self.dice.random() < 0.3
            link = self.dice.choice([course, rules])
            self.session.add(
                LinkClick(environment="live", link_id=link.id, person_id=person.id, at=at, is_preview=is_preview)
            )
            if not is_preview:
                noticing.clicked(self.session, "live", [noticing.Clicked(person.id, link.name, at)])

    def _guide(self) -> None:
        for person in self.people[3:]:
            at = self.moment()
            talk = make.make_conversation(self.session, person, self.number, last_inbound_at=at)
            [first] = talk.episodes
            first.closed_at = first.first_reply_at = at + timedelta(minutes=self.dice.randrange(1, 900))
            first.first_reply_operator_id = self.coaches[0].id
            again = first.closed_at + timedelta(hours=30)
            self.session.add(Episode(conversation_id=talk.id, opened_at=again, opened_by="person"))
