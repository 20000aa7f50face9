"""Live and Test never meet: the database itself refuses a crossing, whatever code asks for it (MISSION B20, B22)."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from bot.models.person import Person
from bot.models.preference import Topic
from tests import factories as make

CROSSINGS = {
    "a live number writes to a test person": """
        INSERT INTO message (environment, number_id, person_id, direction, kind, occurred_at, author_kind, state)
        VALUES (:side, :number, :tester, 'out', 'text', now(), 'app', 'queued')""",
    "a broadcast's message is of the other environment": """
        INSERT INTO message (environment, number_id, person_id, direction, kind, occurred_at, author_kind, broadcast_id,
                             state)
        VALUES ('test', :test_number, :tester, 'out', 'text', now(), 'broadcast', :broadcast, 'queued')""",
    "a test person in a live segment": """
        INSERT INTO segment_member (segment_id, person_id, environment) VALUES (:segment, :tester, :side)""",
    "a test person in a live audience": """
        INSERT INTO audience_person (broadcast_id, person_id, environment) VALUES (:broadcast, :tester, :side)""",
    "a conversation of both": """
        INSERT INTO conversation (environment, person_id, number_id, state, last_message_at)
        VALUES (:side, :tester, :number, 'open', now())""",
    "a test person's address among the live ones": """
        INSERT INTO address (environment, person_id, kind, value) VALUES ('live', :tester, 'phone', '+201011111111')""",
    "a test person's preference for a live topic": """
        INSERT INTO preference (environment, person_id, topic_id, channel, wants, source)
        VALUES (:side, :tester, :topic, 'whatsapp', false, 'coach')""",
    "a test person's word of consent among the live ones": """
        INSERT INTO consent_event (environment, person_id, category, value, source, occurred_at)
        VALUES ('live', :tester, 'marketing', 'stop', 'coach', now())""",
    "a live broadcast to a test segment": """
        INSERT INTO broadcast_segment (broadcast_id, segment_id, environment)
        VALUES (:broadcast, :test_segment, :side)""",
    "a live broadcast from a test number": "UPDATE broadcast SET number_id = :test_number WHERE id = :broadcast",
    "a person moved with what is theirs": "UPDATE person SET environment = 'live' WHERE id = :tester",
    "a person moved who has nothing yet": "UPDATE person SET environment = 'live' WHERE id = :stranger",
    "a token moved": "UPDATE api_token SET environment = 'live' WHERE id = :test_token",
    "a number moved with what is its": "UPDATE number SET environment = 'test' WHERE id = :number",
    "a segment moved with its broadcasts": "UPDATE segment SET environment = 'test' WHERE id = :segment",
}


@pytest.mark.parametrize("side", ["live", "test"])
@pytest.mark.parametrize("crossing", CROSSINGS)
def test_the_database_refuses_it(session: Session, crossing: str, side: str) -> None:
    number, test_number = make.make_number(session), make.make_number(session, environment="test")
    segment, test_segment = make.make_segment(session), make.make_segment(session, environment="test")
    broadcast = make.make_broadcast(session, number, segment, make.make_template(session, number.connection))
    tester = make.make_person(session, environment="test")
    stranger = Person(environment="test", distinct_id="stranger")
    session.add(stranger)
    token = make.make_token(session, environment="test")
    topic = Topic(environment="live", name="offers")
    session.add(topic)
    session.flush()
    ids = {
        "number": number.id, "test_number": test_number.id, "segment": segment.id, "test_segment": test_segment.id,
        "broadcast": broadcast.id, "tester": tester.id, "topic": topic.id,
        "stranger": stranger.id, "test_token": token.id,
    }  # fmt: skip
    with pytest.raises(IntegrityError):
        session.execute(text(CROSSINGS[crossing]), ids | {"side": side})
