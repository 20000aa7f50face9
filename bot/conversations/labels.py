"""The words a team sorts its conversations by: made, renamed, archived, put on a conversation and taken off again."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import delete, func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from bot import live
from bot.language import _
from bot.models.conversation import Conversation
from bot.models.inbox import ConversationLabel, Label

COLOURS = ("grey", "blue", "green", "amber", "red", "violet")
"""The palette's names; the stylesheet gives each a pair that can be read in light and in dark."""
LONGEST_NAME = 40

_WORN = text("""
    SELECT w.conversation_id, l.id, l.name, l.colour
      FROM conversation_label w JOIN label l ON l.id = w.label_id
     WHERE w.conversation_id = ANY(CAST(:ids AS bigint[])) ORDER BY lower(l.name)
""")


class LabelError(ValueError):
    """A label cannot be made or changed; the text says why and what would be right."""


@dataclass(frozen=True, slots=True)
class Tag:
    """A label as a conversation wears it."""

    id: int
    name: str
    colour: str


def every(session: Session, environment: str) -> Sequence[Label]:
    """By name, the archived ones last."""
    found = select(Label).where(Label.environment == environment)
    return session.scalars(found.order_by(Label.archived_at.is_not(None), func.lower(Label.name))).all()


def of_many(session: Session, conversation_ids: Sequence[int]) -> Mapping[int, Sequence[Tag]]:
    found = defaultdict[int, list[Tag]](list)
    if conversation_ids:
        for conversation_id, *tag in session.execute(_WORN, {"ids": list(conversation_ids)}):
            found[conversation_id].append(Tag(*tag))
    return found


def make(session: Session, environment: str, name: str, colour: str) -> Label:
    """Raises LabelError."""
    label = Label(environment=environment, name=_free(session, environment, name), colour=_colour(colour))
    session.add(label)
    session.flush()
    return label


def change(session: Session, label: Label, name: str, colour: str) -> None:
    """Raises LabelError. Conversations that have it show its new name."""
    label.name, label.colour = _free(session, label.environment, name, label.id), _colour(colour)
    live.tell(session, live.inbox(label.environment))


def archive(label: Label, *, is_archived: bool) -> None:
    """It stays on the conversations that have it, and is offered for no others."""
    label.archived_at = func.now() if is_archived else None


def attach(session: Session, conversation: Conversation, label_id: int, operator_id: int) -> bool:
    """False if the conversation has it already; raises LabelError for one of another environment or archived."""
    label = session.get(Label, label_id)
    if label is None or label.environment != conversation.environment or label.archived_at is not None:
        raise LabelError(_("There is no such label any more: choose another one."))
    row = insert(ConversationLabel).values(conversation_id=conversation.id, label_id=label_id, operator_id=operator_id)
    made = session.execute(row.on_conflict_do_nothing().returning(ConversationLabel.label_id)).first()
    _tell(session, conversation)
    return made is not None


def detach(session: Session, conversation: Conversation, label_id: int) -> None:
    session.execute(
        delete(ConversationLabel).where(
            ConversationLabel.conversation_id == conversation.id, ConversationLabel.label_id == label_id
        )
    )
    _tell(session, conversation)


def _tell(session: Session, conversation: Conversation) -> None:
    live.tell(session, live.inbox(conversation.environment))
    live.tell(session, live.thread(conversation.id))


def _colour(colour: str) -> str:
    if colour not in COLOURS:
        raise LabelError(_("Choose one of the colours: %(colours)s.", colours=", ".join(COLOURS)))
    return colour


def _free(session: Session, environment: str, name: str, but: int = 0) -> str:
    name = " ".join(name.split())
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise LabelError(_("Give the label a name of 1 to %(longest_name)s characters.", longest_name=LONGEST_NAME))
    taken = select(Label.archived_at).where(
        Label.environment == environment, func.lower(Label.name) == func.lower(name), Label.id != but
    )
    if (found := session.execute(taken).first()) is not None:
        how = _("restore it") if found.archived_at else _("use it, or choose another name")
        raise LabelError(_("There is a label called %(name)s already: %(how)s.", name=name, how=how))
    return name
