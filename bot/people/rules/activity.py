"""Conditions on what somebody did and wants: last message, conversations, topics, marketing."""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Exists, exists, or_

from bot.models.conversation import Conversation
from bot.models.person import Person
from bot.models.preference import Preference
from bot.models.words import Channel
from bot.people.rules.schema import Condition

SUBJECTS = frozenset({"last_seen", "conversation", "topic", "marketing"})


def matching(person: type[Person], environment: str, asked: Condition, now: datetime) -> ColumnElement[bool]:
    match asked.what:
        case "last_seen":
            return _last_seen(person, environment, asked, now)
        case "conversation":
            return _conversation(person, environment, asked)
        case "topic":
            refused = _refused(person, environment, asked)
            return ~refused if asked.operator == "wants" else refused
    stopped = person.marketing_opted_out_at.is_not(None)
    return stopped if asked.operator == "stopped" else ~stopped


def _last_seen(person: type[Person], environment: str, asked: Condition, now: datetime) -> ColumnElement[bool]:
    """Whoever never wrote was not seen within any number of days."""
    threads = _threads(person, environment)
    if asked.operator == "never":
        return ~threads.where(Conversation.last_inbound_at.is_not(None))
    seen = threads.where(Conversation.last_inbound_at >= now - timedelta(days=asked.value))
    return seen if asked.operator == "within_days" else ~seen


def _conversation(person: type[Person], environment: str, asked: Condition) -> ColumnElement[bool]:
    threads = _threads(person, environment)
    if asked.of is not None:
        threads = threads.where(Conversation.number_id == asked.of)
    return ~threads if asked.operator == "none" else threads.where(Conversation.state == asked.operator)


def _threads(person: type[Person], environment: str) -> Exists:
    return exists().where(Conversation.person_id == person.id, Conversation.environment == environment)


def _refused(person: type[Person], environment: str, asked: Condition) -> ColumnElement[bool]:
    """A no to the channel is a no to every topic, as when a broadcast is sent: see bot/people/preferences.py."""
    about = Preference.topic_id.is_(None)
    return exists().where(
        Preference.person_id == person.id,
        Preference.environment == environment,
        Preference.channel == (asked.value or Channel.WHATSAPP.value),
        ~Preference.wants,
        about if asked.of is None else or_(about, Preference.topic_id == asked.of),
    )
