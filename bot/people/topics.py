"""What people may want to hear about: a short list that an environment keeps, each with a name of its own."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from bot.language import _, figure
from bot.models.preference import Preference, Topic
from bot.models.words import Channel, Environment

LONGEST_NAME = 80
LONGEST_DESCRIPTION = 500
MOST = 200
"""Topics of an environment, archived ones included: a profile shows them all."""


class TopicError(ValueError):
    """The topic cannot be made or changed; the text says why and what would be right."""


@dataclass(frozen=True, slots=True)
class Listed:
    topic: Topic
    unwilling: int
    """How many people do not want it by WhatsApp."""


def create(session: Session, environment: str, name: str, description: str | None = None) -> Topic:
    if environment not in set(Environment):
        raise TopicError(
            _("There is no environment %(environment)s: choose live or test.", environment=repr(environment))
        )
    count = session.scalar(select(func.count()).where(Topic.environment == environment)) or 0
    if count >= MOST:
        raise TopicError(
            _(
                "There are %(most)s topics in %(environment)s already, which is the most.",
                most=MOST,
                environment=environment,
            )
        )
    values = {"environment": environment, "name": _name(name), "description": _description(description)}
    made = session.scalar(insert(Topic).values(values).on_conflict_do_nothing().returning(Topic.id))
    if made is None:
        raise TopicError(
            _(
                "There is a topic %(name)s in %(environment)s already: take another name.",
                name=values["name"],
                environment=environment,
            )
        )
    return session.get_one(Topic, made)


def describe(session: Session, topic_id: int, description: str | None) -> None:
    get(session, topic_id).description = _description(description)


def archive(session: Session, topic_id: int) -> None:
    """From now on no broadcast can be about it; what people want of it stays as it is."""
    found = get(session, topic_id)
    found.archived_at = found.archived_at or func.now()


def restore(session: Session, topic_id: int) -> None:
    get(session, topic_id).archived_at = None


def get(session: Session, topic_id: int) -> Topic:
    found = session.get(Topic, topic_id)
    if found is None:
        raise TopicError(_("There is no topic %(topic_id)s.", topic_id=topic_id))
    return found


def named(session: Session, environment: str, name: str) -> Topic:
    found = session.scalar(select(Topic).where(Topic.environment == environment, Topic.name == name.strip()))
    if found is None:
        raise TopicError(
            _(
                "There is no topic %(name)s in %(environment)s: `backchat topic list` shows all.",
                name=repr(name[:LONGEST_NAME]),
                environment=environment,
            )
        )
    return found


def every(session: Session, environment: str, *, archived: bool = True) -> Sequence[Topic]:
    """By name, those that can be chosen first."""
    found = select(Topic).where(Topic.environment == environment)
    if not archived:
        found = found.where(Topic.archived_at.is_(None))
    return session.scalars(found.order_by(Topic.archived_at.is_not(None), func.lower(Topic.name))).all()


def counted(session: Session, environment: str) -> list[Listed]:
    refusals = session.execute(
        select(Preference.topic_id, func.count())
        .where(Preference.environment == environment, Preference.channel == Channel.WHATSAPP, ~Preference.wants)
        .group_by(Preference.topic_id)
    )
    unwilling = {topic_id: count for topic_id, count in refusals}  # noqa: C416 (rows are no pairs)
    return [Listed(topic, unwilling.get(topic.id, 0)) for topic in every(session, environment)]


def _name(given: str) -> str:
    name = " ".join(given.split())
    if not 0 < len(name) <= LONGEST_NAME or not name.isprintable():
        raise TopicError(_("Give the topic a name of 1 to %(longest_name)s characters.", longest_name=LONGEST_NAME))
    return name


def _description(given: str | None) -> str | None:
    text = " ".join((given or "").replace("\x00", "").split())
    if len(text) > LONGEST_DESCRIPTION:
        raise TopicError(
            _(
                "The description has %(length)s characters; %(longest_description)s are the most.",
                length=figure(len(text)),
                longest_description=LONGEST_DESCRIPTION,
            )
        )
    return text or None
