"""What the business said elsewhere, in the phone app or by an automation: kept in the thread, never sent by us."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from bot.conversations import threads
from bot.conversations.threads import Written
from bot.messages import answering, compose, statuses
from bot.messages.compose import Elsewhere
from bot.models.connection import Number
from bot.models.words import AuthorKind
from bot.providers.events import Echo

Stored = tuple[int, Number, Echo]
"""(id of the new message, number, echo)"""


def store(session: Session, echoed: Sequence[tuple[Number, int, Echo]]) -> list[Stored]:
    """Keep each (number, person id, echo) once, with its reports; those that were new, in the order given.

    The person's thread is known from then on, but a message of ours opens none and no 24-hour window.
    """
    first: dict[tuple[int, str], tuple[Number, int, Echo]] = {}
    for number, person_id, echo in echoed:
        first.setdefault((number.id, echo.message_id), (number, person_id, echo))
    ids = compose.echo(session, [_as_sent(*one) for one in first.values()])
    new = [(ids[key], *one) for key, one in first.items() if key in ids]
    statuses.adopt(session, [(number.id, echo.message_id, id_) for id_, number, _, echo in new])
    threads.write(session, [Written(number, person_id, echo.occurred_at) for _, number, person_id, echo in new])
    typed = [id_ for id_, _, _, echo in new if echo.author == "app"]
    answering.elsewhere(session, typed, threads.SILENT_KINDS)
    return [(id_, number, echo) for id_, number, _, echo in new]


def _as_sent(number: Number, person_id: int, echo: Echo) -> Elsewhere:
    recipient = echo.recipient
    return Elsewhere(
        number=number,
        person_id=person_id,
        author_kind=AuthorKind(echo.author),
        to_address=f"+{recipient.phone}" if recipient.phone else recipient.user_id or "",
        kind=echo.kind,
        body=echo.body,
        content=echo.content,
        provider_message_id=echo.message_id,
        reply_to=echo.reply_to,
        occurred_at=echo.occurred_at,
    )
