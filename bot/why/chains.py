"""Why did this person get a message, or why not: the steps in the order in which Backchat takes them."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.language import _, later
from bot.models.broadcast import Broadcast
from bot.models.message import Message
from bot.models.person import Person
from bot.models.words import Direction
from bot.why import asking, case, contents, leaving, reach, wishes
from bot.why.case import Case
from bot.why.steps import Chain, Check, Step, Verdict, walk
from bot.why.stops import stop_of


class WhyError(ValueError):
    """The question cannot be asked; the text says what would be right."""


_SIDE: Check = ("side", later("Live or Test?"), asking.side)
_SEGMENT: Check = ("segment", later("In the segment?"), asking.segment)
_LEFT_OUT: Check = ("left_out", later("In no segment that is left out?"), asking.left_out)
_MAY: tuple[Check, ...] = (
    ("twin", later("Not twice to one person?"), reach.twin),
    ("address", later("An address to write to?"), reach.address),
    ("enabled", later("Messages switched on?"), reach.enabled),
    ("erased", later("Not erased at their own wish?"), reach.erased),
    ("consent", later("No stop to marketing?"), wishes.consent),
    ("topic", later("Do they want this topic?"), wishes.topic),
    ("window", later("Within 24 hours of their message?"), reach.window),
    ("values", later("Every placeholder filled?"), contents.values),
    ("template", later("Template approved?"), contents.template),
    ("other", later("Anything else in the way?"), reach.other),
)
_OUT: tuple[Check, ...] = (
    ("queued", later("Queued?"), leaving.queued),
    ("claimed", later("Taken by a sender?"), leaving.claimed),
    ("wire", later("On the wire?"), leaving.wired),
    ("answer", later("What did the provider say?"), leaving.answered),
    ("reports", later("What happened then?"), leaving.reported),
)
_LAUNCHED = (
    _SIDE,
    _SEGMENT,
    _LEFT_OUT,
    ("audience", later("In the audience at launch?"), asking.audience),
    *_MAY,
    *_OUT,
)
_DRAFT = (_SIDE, _SEGMENT, _LEFT_OUT, *_MAY, ("launch", later("Launched?"), asking.launch))
_WRITTEN = (("author", later("Who asked for it?"), asking.author), *_MAY, *_OUT)


def of_broadcast(session: Session, person: Person, broadcast_id: int) -> Chain:
    """Raises WhyError if there is no such broadcast."""
    broadcast = session.get(Broadcast, broadcast_id)
    if broadcast is None:
        raise WhyError(_("There is no broadcast %(broadcast_id)s.", broadcast_id=broadcast_id))
    found = case.of_broadcast(session, person, broadcast)
    checks = _DRAFT if broadcast.launched_at is None else _LAUNCHED
    return _chain(broadcast.name, found, walk(checks, found))


def of_message(session: Session, person: Person, message_id: int) -> Chain:
    """Raises WhyError unless it is a message to this person."""
    message = session.scalar(
        select(Message).where(
            Message.id == message_id, Message.person_id == person.id, Message.direction == Direction.OUT
        )
    )
    if message is None:
        raise WhyError(_("There is no message %(message_id)s to this person.", message_id=message_id))
    found = case.of_message(session, message)
    if found.segment is not None and found.broadcast is not None:
        return _chain(found.broadcast.name, found, walk(_LAUNCHED, found))
    return _chain(asking.title(found), found, walk(_WRITTEN, found))


def _chain(title: str, found: Case, steps: list[Step]) -> Chain:
    last = next((step for step in steps if step.verdict in {Verdict.STOPPED, Verdict.WAITING}), None)
    message = found.message
    verdict = last.verdict if last else Verdict.PASSED
    return Chain(
        title=title,
        told=_conclusion(found, steps, last),
        verdict=verdict,
        steps=steps,
        broadcast_id=found.broadcast.id if found.broadcast else None,
        message_id=message.id if message else None,
        at=message.occurred_at if message else None,
    )


def _conclusion(found: Case, steps: list[Step], last: Step | None) -> str:
    if last is None:
        return steps[-1].told
    if last.verdict is Verdict.WAITING or last.key in {"answer", "reports"}:
        return last.told
    if found.message is None and found.broadcast is not None and found.broadcast.launched_at is None:
        return _("They would get nothing. %(told)s", told=last.told)
    if found.message is None:
        return _("Nothing was ever planned for them. %(told)s", told=last.told)
    return (
        _("It was made and not sent. %(told)s", told=last.told) if stop_of(found) or last.key == "queued" else last.told
    )
