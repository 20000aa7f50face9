"""What a body held, in the few words the event log filters by; and the words in it that nobody knows yet."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from bot.language import later
from bot.providers import events
from bot.providers.events import ONLY_NUMBER, Event, InboundMessage, Notice, OfNumber, StatusUpdate

KINDS: Mapping[type, str] = {
    events.InboundMessage: later("message"),
    events.Echo: later("echo"),
    events.MessageEdit: later("edit"),
    events.MessageRevoke: later("revoke"),
    events.ReactionChange: later("reaction"),
    events.IdentityChange: later("identity"),
    events.PreferenceChange: later("preference"),
    events.StatusUpdate: later("status"),
    events.TemplateChange: later("template"),
    events.NumberChange: later("number"),
    events.AccountAlert: later("account"),
    events.Notice: later("notice"),
    events.Unreadable: later("unreadable"),
}

STATUSES = frozenset({"sent", "delivered", "read", "played", "failed"})
TYPES = frozenset(
    {"audio", "button", "contacts", "document", "image", "interactive", "location", "order"}
    | {"reaction", "sticker", "system", "text", "unsupported", "video", "voice"}
)
"""Of inbound messages: those that the thread shows for what they are."""

WORD_LENGTH = 64


@dataclass(slots=True)
class Held:
    """What one body held."""

    items: int = 0
    kinds: set[str] = field(default_factory=set)
    number_ids: set[str] = field(default_factory=set)
    """The provider's ids of the business numbers."""

    def numbers(self, known: Mapping[str, int]) -> str:
        """Our ids of them, joined by commas; a body that names no number may mean any that is known."""
        if ONLY_NUMBER in self.number_ids:
            return ",".join(map(str, known.values()))
        return ",".join(str(known[name]) for name in self.number_ids if name in known)


@dataclass(slots=True)
class Summary:
    bodies: defaultdict[int, Held] = field(default_factory=lambda: defaultdict(Held))
    """By webhook event id."""
    words: Counter[tuple[int, str, str]] = field(default_factory=Counter)
    """(connection id, notice | type | status, word) → how often: what had no effect or is unknown."""


def summarise(found: Iterable[tuple[int, int, Event]]) -> Summary:
    """`found`: webhook event id, connection id, event."""
    summary = Summary()
    bodies, words = summary.bodies, summary.words
    for event_id, connection_id, event in found:
        held = bodies[event_id]
        held.items += 1
        held.kinds.add(KINDS[type(event)])
        if isinstance(event, OfNumber):
            held.number_ids.add(event.number_id)
            if isinstance(event, StatusUpdate) and event.status not in STATUSES:
                words[connection_id, "status", event.status[:WORD_LENGTH]] += 1
            elif isinstance(event, InboundMessage) and event.kind not in TYPES:
                words[connection_id, "type", event.kind[:WORD_LENGTH]] += 1
        elif isinstance(event, Notice):
            words[connection_id, "notice", event.field[:WORD_LENGTH]] += 1
    return summary
