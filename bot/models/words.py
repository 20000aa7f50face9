"""The closed vocabularies that columns hold, and the check constraint that keeps each column to its own."""

from enum import StrEnum

from sqlalchemy import CheckConstraint


class Environment(StrEnum):
    LIVE = "live"
    TEST = "test"


class Direction(StrEnum):
    IN = "in"
    OUT = "out"


class AuthorKind(StrEnum):
    """Who wrote an outbound message; `automation` is readable in history only, `app` is an echo from the phone."""

    STACK = "stack"
    COACH = "coach"
    REMINDER = "reminder"
    API = "api"
    BROADCAST = "broadcast"
    AUTOMATION = "automation"
    APP = "app"


class MessageState(StrEnum):
    """Where a message is on its way; docs/sending.md draws the arrows. Inbound messages are `received`."""

    RECEIVED = "received"
    QUEUED = "queued"
    CLAIMED = "claimed"
    WIRE = "wire"
    ACCEPTED = "accepted"
    FAILED = "failed"
    SUPPRESSED = "suppressed"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"
    PRESUMED_UNSENT = "presumed_unsent"


class AddressKind(StrEnum):
    PHONE = "phone"
    USER_ID = "user_id"
    PARENT_USER_ID = "parent_user_id"
    EMAIL = "email"
    SMS = "sms"
    PUSH = "push"
    WEB_PUSH = "web_push"
    SLACK = "slack"
    DISCORD = "discord"
    TEAMS = "teams"
    IN_APP = "in_app"


class ConversationState(StrEnum):
    OPEN = "open"
    CLOSED = "closed"


class Opener(StrEnum):
    """Who opened an episode."""

    PERSON = "person"
    COACH = "coach"


class Assigning(StrEnum):
    """Who gets a conversation that nobody looks after: nobody by itself, the next in turn, or whoever has the least."""

    BY_HAND = "by_hand"
    ROUND_ROBIN = "round_robin"
    LEAST_LOADED = "least_loaded"


class Telling(StrEnum):
    """What people are told while a coach is at their conversation; WhatsApp tells `typing` only with `read`."""

    NOTHING = "nothing"
    READ = "read"
    TYPING = "typing"


class EventState(StrEnum):
    NEW = "new"
    DONE = "done"
    QUARANTINED = "quarantined"


class Severity(StrEnum):
    """How much an alert matters: news, something to look at, something that keeps messages from flowing."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


class ChangeKind(StrEnum):
    """What somebody did to a message after it was sent."""

    EDIT = "edit"
    REVOKE = "revoke"


class MediaState(StrEnum):
    """`failed` may be tried again by hand; `refused` is too large or of a type we do not keep."""

    WAITING = "waiting"
    STORED = "stored"
    FAILED = "failed"
    REFUSED = "refused"


class PropertyType(StrEnum):
    """What a custom attribute holds; how each is written is bot/people/attributes.py."""

    TEXT = "TEXT"
    NUMBER = "NUMBER"
    DATE = "DATE"
    TIME = "TIME"
    DATETIME = "DATETIME"
    BOOLEAN = "BOOLEAN"
    ARRAY = "ARRAY"
    OBJECT = "OBJECT"
    LOCATION = "LOCATION"


class Channel(StrEnum):
    """Ways a person may want, or not want, to be reached; Backchat itself sends by WhatsApp."""

    WHATSAPP = "whatsapp"
    EMAIL = "email"
    SMS = "sms"
    PUSH = "push"
    WEB_PUSH = "web_push"
    SLACK = "slack"
    DISCORD = "discord"
    TEAMS = "teams"
    IN_APP = "in_app"


class SegmentKind(StrEnum):
    STATIC = "static"
    RULE = "rule"


class RowVerdict(StrEnum):
    """What becomes of a row of a list. `superseded`: a later row of the file is about the same person."""

    NEW = "new"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    FAILED = "failed"
    SUPERSEDED = "superseded"


class ImportState(StrEnum):
    """A list is checked, waits to be confirmed, is taken in, and can be undone; docs/imports.md draws the arrows."""

    CHECKING = "checking"
    READY = "ready"
    WAITING = "waiting"
    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"
    CANCELLED = "cancelled"
    UNDOING = "undoing"
    UNDONE = "undone"


class BroadcastState(StrEnum):
    """docs/broadcasts.md draws the arrows. `approval`: a second operator has to say yes."""

    DRAFT = "draft"
    APPROVAL = "approval"
    SCHEDULED = "scheduled"
    MATERIALISING = "materialising"
    RUNNING = "running"
    PAUSED = "paused"
    FINISHED = "finished"
    CANCELLED = "cancelled"


class BroadcastOrigin(StrEnum):
    NEW = "new"
    COPY = "copy"
    RETRY = "retry"
    TEST = "test"


class SegmentRole(StrEnum):
    """Whether a broadcast goes to a segment's people, or leaves them out."""

    TO = "to"
    MINUS = "minus"


class WinnerMetric(StrEnum):
    """By what share of those who accepted it a variant wins."""

    DELIVERED = "delivered"
    READ = "read"
    REPLIED = "replied"


class StopMeaning(StrEnum):
    """What somebody means who writes just this word; `nothing` switches off a word that is built in."""

    STOP = "stop"
    RESUME = "resume"
    NOTHING = "nothing"


class RunState(StrEnum):
    """A journey run either waits for an answer or has ended, one way or the other."""

    WAITING = "waiting"
    FINISHED = "finished"
    REPLACED = "replaced"
    FAILED = "failed"


class RawExportState(StrEnum):
    """`expired`: the file is deleted, after some days or since somebody was erased."""

    WAITING = "waiting"
    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"
    EXPIRED = "expired"


class SummaryRhythm(StrEnum):
    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"


class SummaryWay(StrEnum):
    EMAIL = "email"
    CHAT = "chat"


class ReminderState(StrEnum):
    SCHEDULED = "scheduled"
    FIRED = "fired"
    MISSED = "missed"
    CANCELLED = "cancelled"


class Role(StrEnum):
    ADMIN = "admin"
    COACH = "coach"
    MARKETER = "marketer"
    VIEWER = "viewer"


def one_of(column: str, words: type[StrEnum]) -> CheckConstraint:
    listed = ", ".join(f"'{word}'" for word in words)
    return CheckConstraint(f"{column} IN ({listed})", name=column)
