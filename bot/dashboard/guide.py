"""What to try first, and how far one has got: every step looks at what is in the database, none remembers clicks."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, exists, func, select
from sqlalchemy.orm import Session, aliased

from bot.language import later
from bot.models.broadcast import Broadcast
from bot.models.connection import Number
from bot.models.conversation import Conversation, Episode
from bot.models.imports import ImportRun
from bot.models.journey import JourneyRun
from bot.models.message import Message
from bot.models.team import Operator
from bot.models.words import AuthorKind, Environment, ImportState, Opener

_RECENT = 50


def _connected(environment: str) -> ColumnElement[bool]:
    return exists().where(Number.environment == environment)


def _heard(environment: str) -> ColumnElement[bool]:
    return exists().where(Conversation.environment == environment, Conversation.last_inbound_at.is_not(None))


def _bot_answered(environment: str) -> ColumnElement[bool]:
    return exists().where(JourneyRun.environment == environment)


def _coach_answered(environment: str) -> ColumnElement[bool]:
    """Looks at the latest conversations only: the table of messages has no index by author."""
    recent = (
        select(Conversation.person_id, Conversation.number_id)
        .where(Conversation.environment == environment)
        .order_by(Conversation.last_message_at.desc())
        .limit(_RECENT)
        .subquery()
    )
    return exists().where(
        Message.person_id == recent.c.person_id,
        Message.number_id == recent.c.number_id,
        Message.author_kind == AuthorKind.COACH,
    )


def _closed(environment: str) -> ColumnElement[bool]:
    return exists().where(
        Episode.conversation_id == Conversation.id,
        Conversation.environment == environment,
        Episode.closed_at.is_not(None),
    )


def _reopened(environment: str) -> ColumnElement[bool]:
    again = aliased(Episode)
    return exists().where(
        and_(Episode.conversation_id == Conversation.id, Conversation.environment == environment),
        and_(again.conversation_id == Conversation.id, again.id > Episode.id, again.opened_by == Opener.PERSON),
    )


def _imported(environment: str) -> ColumnElement[bool]:
    return exists().where(ImportRun.environment == environment, ImportRun.state == ImportState.FINISHED)


def _broadcast(environment: str) -> ColumnElement[bool]:
    return exists().where(Broadcast.environment == environment, Broadcast.launched_at.is_not(None))


def _team(_environment: str) -> ColumnElement[bool]:
    return select(func.count() > 1).select_from(Operator).where(Operator.active).scalar_subquery()


@dataclass(frozen=True, slots=True)
class Step:
    title: str
    text: str
    endpoint: str
    """The page where it is done; who may not open it is not shown the step."""
    is_done: Callable[[str], ColumnElement[bool]]


STEPS = (
    Step(
        later("Connect a WhatsApp number"),
        later("In a terminal: backchat connection add, then backchat number add."),
        "inbox.index",
        _connected,
    ),
    Step(
        later("Write to it"),
        later("Send “hi” to the number, from a phone or from the test phone, and watch the inbox."),
        "inbox.index",
        _heard,
    ),
    Step(
        later("Let the bot answer"),
        later("A journey answers by itself when its keyword is written. Its text is under Journeys."),
        "journeys.index",
        _bot_answered,
    ),
    Step(
        later("Answer yourself"),
        later("Open the conversation and reply: the person sees it at once."),
        "inbox.index",
        _coach_answered,
    ),
    Step(later("Close the conversation"), later("Close it when nothing is left to say."), "inbox.index", _closed),
    Step(
        later("See it reopen"),
        later("Write once more from the phone: it is back in the inbox, on top."),
        "inbox.index",
        _reopened,
    ),
    Step(
        later("Import people"),
        later("Upload a CSV: the good rows become a segment, the others come back with comments."),
        "imports.new",
        _imported,
    ),
    Step(
        later("Send a broadcast"),
        later("Choose a template and the segment, look at the preview, launch, and watch the numbers add up."),
        "drafts.new",
        _broadcast,
    ),
    Step(
        later("Bring in your team"),
        later("Coaches answer, marketers send broadcasts: give each a sign-in."),
        "team.index",
        _team,
    ),
)


def progress(session: Session, environment: Environment) -> Iterator[tuple[Step, bool]]:
    done = session.execute(select(*(step.is_done(environment.value) for step in STEPS))).one()
    yield from zip(STEPS, done, strict=True)
