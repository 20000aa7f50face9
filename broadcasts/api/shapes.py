"""Broadcasts as programs see them, by the API and by commands with --json; docs/api.md describes each field."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row
from sqlalchemy.orm import Session

from bot.messages.pacing import Learned
from bot.models.broadcast import Broadcast
from bot.models.message import Message
from bot.models.person import Person
from broadcasts.drafting import description, drafts
from broadcasts.drafting.reading import Reading
from broadcasts.results import standing
from broadcasts.results.ledger import Counts
from broadcasts.results.recipients import Recipient
from broadcasts.results.remedies import Explained
from broadcasts.results.standing import Variant
from broadcasts.results.variants import letter
from broadcasts.transitions import Line

_TIMES = ("created_at", "scheduled_at", "launched_at", "finished_at")
_MESSAGE_TIMES = ("accepted_at", "sent_at", "delivered_at", "read_at", "failed_at")


_OUTLINE = ("audience", "accepted", "failed", "skipped", "cancelled", "waiting", "in_doubt", "replied")


def line(broadcast: Broadcast, counts: Counts) -> dict[str, Any]:
    """One among others, with the parts of its audience."""
    return _head(broadcast) | {"counts": {name: getattr(counts, name) for name in _OUTLINE}}


def _head(broadcast: Broadcast) -> dict[str, Any]:
    return {
        "id": broadcast.id,
        "environment": broadcast.environment,
        "name": broadcast.name,
        "state": broadcast.state,
        "reason": broadcast.reason,
        "origin": broadcast.origin,
        "parent_id": broadcast.parent_id,
        **{name: iso(getattr(broadcast, name)) for name in _TIMES},
    }


def whole(session: Session, broadcast: Broadcast) -> dict[str, Any]:
    """One with what describes it, and everything its page says of it."""
    stands, wanted = standing.of(session, broadcast.id), drafts.wanted_of(session, broadcast)
    return _head(broadcast) | {
        "version": drafts.version_of(wanted),
        "counts": stands.counts.as_dict(),
        "description": description.write(session, wanted),
        "wave_until": iso(stands.wave_until),
        "finish_at": iso(stands.finish_at),
        "per_s": stands.figures.per_s,
        "learned": learned(stands.learned),
        "waves": [{"name": each.name, "people": each.people, "standing": each.standing} for each in stands.waves],
        "variants": [_variant(each) for each in stands.variants],
        "failed": [_reason(each) for each in stands.failed],
        "skipped": [_reason(each) for each in stands.skipped],
        "retries": [{"id": each.id, "name": each.name, "state": each.state} for each in stands.children],
    }


def timeline(lines: Iterable[Line]) -> list[dict[str, Any]]:
    return [
        {
            "at": iso(each.transition.at),
            "from": each.transition.from_state,
            "to": each.transition.to_state,
            "who": each.who,
            "why": each.transition.why,
        }
        for each in lines
    ]


def recipient(each: Recipient, unmade: str) -> dict[str, Any]:
    """Whoever has no message has its times all empty, and is `unmade`."""
    message = each.message
    has_error = message is not None and (message.error_code is not None or message.error_text is not None)
    return {
        "person": person(each.person),
        "message_id": message and message.id,
        "to": message and message.to_address,
        "variant": None if each.variant is None else letter(each.variant),
        "language": each.language,
        "state": message.state if message else unmade,
        **{name: iso(getattr(message, name)) if message else None for name in _MESSAGE_TIMES},
        "replied_at": iso(each.replied_at),
        "opted_out_at": iso(each.opted_out_at),
        "error": {"code": message.error_code, "text": message.error_text} if message and has_error else None,
        "text": message and message.body,
    }


def unmade_state(broadcast: Broadcast) -> str:
    """How somebody stands who has no message."""
    return "cancelled" if broadcast.state == "cancelled" else "queued"


def person(found: Person) -> dict[str, Any]:
    return {"id": found.id, "distinct_id": found.distinct_id}


def readings(found: Person, told: Sequence[Reading]) -> dict[str, Any]:
    """What somebody would read of each variant."""
    return {"person": person(found), "readings": [_reading(each) for each in told]}


def test(child: Broadcast, people: Iterable[Row[Person, Message | None]]) -> dict[str, Any]:
    """A test send, with what became of it so far; `people` are rows of Person and Message."""
    return {
        "id": child.id,
        "template": {"name": child.template.name, "language": child.template.language},
        "people": [
            person(who) | {"message_id": message and message.id, "state": message.state if message else "queued"}
            for who, message in people
        ],
    }


def learned(found: Learned | None) -> dict[str, Any] | None:
    """The pace of a number that was told "too fast"."""
    if found is None:
        return None
    return {
        "per_s": found.per_s,
        "rate": found.rate,
        "since": iso(found.since),
        "whole_at": iso(found.whole_at),
    }


def iso(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()


def _reading(each: Reading) -> dict[str, Any]:
    text, version = each.text, each.version
    return {
        "variant": letter(version.variant),
        "template": {"name": version.template.name, "language": version.template.language},
        "header": {"format": text.header_format, "text": text.header},
        "body": text.body,
        "footer": text.footer,
        "buttons": list(text.buttons),
        "problem": each.problem,
    }


def _variant(each: Variant) -> dict[str, Any]:
    return {
        "variant": each.letter,
        "language": each.language,
        "template": each.template,
        "has_won": each.has_won,
        "counts": each.counts.as_dict(),
    }


def _reason(each: Explained) -> dict[str, Any]:
    return {"reason": each.reason, "code": each.code, "people": each.people, "remedy": each.remedy}
