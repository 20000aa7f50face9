"""How are they engaging? How much people write and when, and what becomes of what they are sent."""

from collections.abc import Sequence

from bot.insights import volume
from bot.insights.asking import Question
from bot.insights.blocks.shapes import Answer, Block, Column, Figure, Kind, Part, Picture, Unit
from bot.language import later

_DAY = Column("day", later("Day"), Unit.DAY)
_SHARES = (
    ("delivered", later("Delivered"), later("Share delivered")),
    ("read", later("Read"), later("Share read")),
    ("replied", later("Replied"), later("Share replied")),
    ("failed", later("Failed"), later("Share failed")),
)


def _per_person(question: Question) -> Answer:
    told = volume.per_person(question)
    return Answer(
        [Figure("average", later("Messages per person and day"), Unit.AVERAGE, told.average)],
        [
            _DAY,
            Column("received", later("Received"), Unit.MESSAGES),
            Column("people", later("Active people"), Unit.PEOPLE),
            Column("average", later("Per person"), Unit.AVERAGE),
        ],
        [(row.day, row.received, row.people, row.average) for row in told.rows],
    )


def _hours(question: Question) -> Answer:
    told = volume.hours(question)
    busiest, quietest = _extremes([row.received for row in told])
    return Answer(
        [
            Figure("most", later("Most active"), Unit.WEEK_HOUR, busiest),
            Figure("least", later("Least active"), Unit.WEEK_HOUR, quietest),
        ],
        [
            Column("weekday", later("Weekday"), Unit.WEEKDAY),
            Column("hour", later("Hour"), Unit.HOUR),
            Column("received", later("Received"), Unit.MESSAGES),
            Column("sent", later("Sent"), Unit.MESSAGES),
        ],
        [(row.weekday, row.hour, row.received, row.sent) for row in told],
    )


def _extremes(counts: Sequence[int]) -> tuple[int | None, int | None]:
    """The first hour of the week with the most messages and the first with the fewest; None where nobody wrote."""
    if not any(counts):
        return None, None
    return counts.index(max(counts)), counts.index(min(counts))


def _volume(question: Question) -> Answer:
    told = volume.volume(question)
    return Answer(
        [
            Figure("received", later("Received"), Unit.MESSAGES, told.received),
            Figure("sent", later("Sent"), Unit.MESSAGES, told.sent),
            Figure(
                "sent_per_received",
                later("Sent for each received"),
                Unit.AVERAGE,
                told.sent / told.received if told.received else None,
            ),
        ],
        [
            _DAY,
            Column("received", later("Received"), Unit.MESSAGES),
            Column("sent", later("Sent"), Unit.MESSAGES),
        ],
        [(row.day, row.received, row.sent) for row in told.rows],
    )


def _sides(question: Question) -> Answer:
    told = volume.sides(question)
    automatic, by_hand = sum(row.automatic for row in told), sum(row.by_hand for row in told)
    return Answer(
        [
            Figure(
                "automatic_share",
                later("Automatic"),
                Unit.SHARE,
                automatic / (automatic + by_hand) if automatic + by_hand else None,
            ),
            Figure("automatic", later("Sent automatically"), Unit.MESSAGES, automatic),
            Figure("by_hand", later("Sent by hand"), Unit.MESSAGES, by_hand),
        ],
        [
            _DAY,
            Column("automatic", later("Automatic"), Unit.MESSAGES),
            Column("by_hand", later("By hand"), Unit.MESSAGES),
        ],
        [(row.day, row.automatic, row.by_hand) for row in told],
    )


def _outcomes(question: Question) -> Answer:
    told = volume.shares(question)
    return Answer(
        [Figure(f"{name}_share", label, Unit.SHARE, told["all"].share(name)) for name, label, _share in _SHARES],
        [
            Column("side", later("Who sent"), Unit.SIDE),
            Column("sent", later("Sent"), Unit.MESSAGES),
            *(Column(name, label, Unit.MESSAGES) for name, label, _share in _SHARES),
            Column("refused", later("Refused at once"), Unit.MESSAGES),
            *(Column(f"{name}_share", share, Unit.SHARE) for name, _label, share in _SHARES),
        ],
        [
            (
                side,
                fate.sent,
                *(getattr(fate, name) for name, *_words in _SHARES),
                fate.refused,
                *(fate.share(name) for name, *_words in _SHARES),
            )
            for side, fate in told.items()
        ],
    )


BLOCKS = (
    Block(
        "per-person",
        Part.ENGAGEMENT,
        later("Messages per person and day"),
        volume.PER_PERSON_EXPLANATION,
        Picture(Kind.DAYS, ("average",)),
        _per_person,
    ),
    Block(
        "hours",
        Part.ENGAGEMENT,
        later("When people write"),
        volume.HOURS_EXPLANATION,
        Picture(Kind.CLOCK, ("received",)),
        _hours,
    ),
    Block(
        "volume",
        Part.ENGAGEMENT,
        later("Received and sent"),
        volume.EXPLANATION,
        Picture(Kind.BESIDE, ("received", "sent")),
        _volume,
    ),
    Block(
        "sides",
        Part.ENGAGEMENT,
        later("Bot or helpdesk"),
        volume.SIDES_EXPLANATION,
        Picture(Kind.DAYS, ("automatic", "by_hand")),
        _sides,
    ),
    Block(
        "outcomes",
        Part.ENGAGEMENT,
        later("Delivered, read, replied"),
        volume.SHARES_EXPLANATION,
        Picture(Kind.METERS, tuple(f"{name}_share" for name, *_words in _SHARES)),
        _outcomes,
    ),
)
