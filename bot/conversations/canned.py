"""Answers the team has ready, found by `/shortcut`; one wording per shortcut, and an archived one is never offered."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from bot.conversations import coach
from bot.language import _
from bot.messages import personalise
from bot.messages.personalise import PlaceholderError
from bot.models.conversation import Conversation
from bot.models.inbox import CannedAnswer
from bot.models.team import Operator
from bot.people.values import load_values

OFFERED = 8
_SHORTCUT = re.compile(r"[\w-]{1,40}")


class CannedError(ValueError):
    """The answer cannot be kept; the text says what would do."""


@dataclass(frozen=True, slots=True)
class Written:
    """An answer, and who wrote it last."""

    answer: CannedAnswer
    author: str


@dataclass(frozen=True, slots=True)
class Offer:
    """An answer filled in for one person; `empty` are attributes nobody knows, whose places are bare."""

    shortcut: str
    text: str
    empty: tuple[str, ...]


def every(session: Session, environment: str, *, archived: bool = False) -> Sequence[Written]:
    is_wanted = CannedAnswer.archived_at.is_not(None) if archived else CannedAnswer.archived_at.is_(None)
    found = session.execute(
        select(CannedAnswer, Operator.name)
        .join(Operator, Operator.id == CannedAnswer.operator_id)
        .where(CannedAnswer.environment == environment, is_wanted)
        .order_by(CannedAnswer.shortcut, CannedAnswer.id)
    )
    return [Written(answer, author) for answer, author in found]


def offers(session: Session, conversation: Conversation, typed: str) -> Sequence[Offer]:
    """Those whose shortcut begins so, then those that hold it anywhere, with this person's values."""
    words = typed.strip().lower()[:100]
    found = session.scalars(
        select(CannedAnswer)
        .where(CannedAnswer.environment == conversation.environment, CannedAnswer.archived_at.is_(None))
        .where(
            CannedAnswer.shortcut.contains(words, autoescape=True) | CannedAnswer.text.icontains(words, autoescape=True)
        )
        .order_by(~CannedAnswer.shortcut.startswith(words, autoescape=True), CannedAnswer.shortcut)
        .limit(OFFERED)
    ).all()
    values = load_values(session, [conversation.person_id])[conversation.person_id] if found else {}
    made = []
    for answer in found:
        try:
            rendered = personalise.render(answer.text, values)
        except PlaceholderError:  # too long with this person's values
            continue
        made.append(Offer(answer.shortcut, rendered.text, rendered.empty))
    return made


def create(session: Session, environment: str, operator_id: int, shortcut: str, text: str) -> int:
    """Raises CannedError."""
    name, words = _checked(shortcut, text)
    answer = CannedAnswer(environment=environment, shortcut=name, text=words, operator_id=operator_id)
    _keep(session, answer)
    return answer.id


def change(session: Session, answer: CannedAnswer, operator_id: int, shortcut: str, text: str) -> None:
    """Raises CannedError."""
    name, words = _checked(shortcut, text)
    answer.shortcut, answer.text, answer.operator_id, answer.updated_at = name, words, operator_id, datetime.now(UTC)
    _keep(session, answer)


def archive(answer: CannedAnswer) -> None:
    answer.archived_at = answer.archived_at or datetime.now(UTC)


def restore(session: Session, answer: CannedAnswer) -> None:
    """Raises CannedError if another has taken its shortcut meanwhile."""
    answer.archived_at = None
    _keep(session, answer)


def _checked(shortcut: str, text: str) -> tuple[str, str]:
    name = shortcut.strip().removeprefix("/").lower()
    if not _SHORTCUT.fullmatch(name):
        raise CannedError(_("A shortcut is one word of at most 40 letters, digits, - and _, like “hours”."))
    try:
        words = coach.clean(text)
        personalise.check(words)
    except (coach.ReplyError, PlaceholderError) as error:
        raise CannedError(str(error)) from error
    return name, words


def _keep(session: Session, answer: CannedAnswer) -> None:
    shortcut = answer.shortcut
    try:
        with session.begin_nested():
            session.add(answer)
            session.flush()
    except IntegrityError as error:
        raise CannedError(
            _("There is an answer /%(shortcut)s already: edit that one, or choose another word.", shortcut=shortcut)
        ) from error
