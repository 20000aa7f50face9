"""The people behind a number of a broadcast as lines of a file, which a page and a command write alike."""

from collections.abc import Sequence
from typing import Final

from bot.models.broadcast import Broadcast
from broadcasts.results import variants
from broadcasts.results.recipients import Recipient

_TIMES: Final = ("accepted_at", "sent_at", "delivered_at", "read_at", "failed_at")
HEADER: Final = (
    *("user_id", "to", "first_name", "last_name", "variant", "language", "state", *_TIMES),
    *("replied_at", "opted_out_at", "error_code", "reason", "text"),
)


def cells(broadcast: Broadcast, row: Recipient) -> Sequence[object]:
    """Without a message only the state is known."""
    message, person = row.message, row.person
    state = message.state if message else "cancelled" if broadcast.state == "cancelled" else "queued"
    who = (person.distinct_id, message and message.to_address, person.first_name, person.last_name)
    reads = (None if row.variant is None else variants.letter(row.variant), row.language, state)
    times = (message and getattr(message, name) for name in _TIMES)
    why = (message.error_code, message.error_text, message.body) if message else (None, None, None)
    return (*who, *reads, *times, row.replied_at, row.opted_out_at, *why)
