"""What somebody saw before they launched, as a word: whatever of it is another by now has a name.

People come and go all the time, so how many they are is asked for apart (`gate.check_count`); this is what others edit.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any, Final

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.language import _, later, translated
from bot.messages import policy
from bot.models.broadcast import Broadcast, Template
from bot.models.segment import Segment
from broadcasts.broadcasts import BroadcastError
from broadcasts.drafting import drafts
from broadcasts.drafting.wanted import Wanted
from broadcasts.preflight import rates
from broadcasts.templates import templates

PARTS: Final = {
    "audience": later("the audience: its segments, their rules, or the topic"),
    "template": later("a template"),
    "texts": later("the texts"),
    "schedule": later("the schedule"),
    "settings": later("the number, the name, limits or the trial"),
    "rates": later("the rates that the cost goes by"),
    "policy": later("the sending policy"),
}
_DIGITS: Final = 8
_DIGEST: Final = re.compile(r"[0-9a-f]{8}")


class SeenError(BroadcastError):
    """Something is not as it was in the preflight that was seen; the text says what."""


def of(session: Session, broadcast: Broadcast) -> str:
    """The same as long as none of the PARTS changes."""
    found = _parts(session, broadcast)
    return ".".join(_digest(found[name]) for name in PARTS)


def demand(session: Session, broadcast: Broadcast, seen: str | None) -> None:
    """Raises SeenError unless all is as it was in the preflight of that version; None was none."""
    if seen is None:
        return
    parts = seen.split(".")
    if len(parts) != len(PARTS) or not all(_DIGEST.fullmatch(each) for each in parts):
        raise SeenError(_("That is not the version of a preflight: look at the preflight, and launch from there."))
    both = zip(PARTS.values(), parts, of(session, broadcast).split("."), strict=True)
    changed = [translated(words) for words, then, now in both if then != now]
    if changed:
        raise SeenError(
            _(
                "Not launched: since you saw this preflight, somebody changed %(parts)s. Look at it as it is now.",
                parts="; ".join(changed),
            )
        )


def _parts(session: Session, broadcast: Broadcast) -> Mapping[str, Any]:
    wanted = drafts.wanted_of(session, broadcast)
    ids = [wanted.template_id, *(each.template_id for each in wanted.wordings)]
    found = [session.get_one(Template, each, populate_existing=True) for each in ids]
    prices = (each for each in rates.every(session) if each.category == found[0].category)
    return {
        "audience": [
            _segments(session, wanted.segment_ids),
            _segments(session, wanted.minus_ids),
            wanted.topic_id,
            wanted.trial.holdout_percent,
            wanted.care.skips_gaps,
        ],
        "template": [templates.frozen(each) for each in found],
        "texts": [wanted.template_id, wanted.slots, wanted.wordings],
        "schedule": wanted.schedule,
        "settings": _settings(wanted),
        "rates": [(each.country, str(each.price.normalize()), each.currency) for each in prices],
        "policy": asdict(policy.of(session, broadcast.environment)),
    }


def _segments(session: Session, ids: Any) -> list[Any]:  # noqa: ANN401 (of whatever kind the draft holds them)
    some = select(Segment.id, Segment.kind, Segment.rule).where(Segment.id.in_(ids)).order_by(Segment.id)
    return [tuple(each) for each in session.execute(some)]


def _settings(wanted: Wanted) -> list[Any]:
    care, trial = replace(wanted.care, skips_gaps=False), replace(wanted.trial, holdout_percent=0)
    return [wanted.number_id, wanted.name, care, trial]


def _digest(part: object) -> str:
    told = orjson.dumps(part, default=str, option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(told).hexdigest()[:_DIGITS]
