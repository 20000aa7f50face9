"""How are we guiding them? Conversations, how soon they are answered, and who wrote what was sent."""

from collections.abc import Sequence
from functools import partial

from bot.insights import authors, conversations
from bot.insights.asking import Question
from bot.insights.authors import ByAuthor
from bot.insights.blocks.shapes import Answer, Block, Column, Figure, Kind, Part, Picture, Unit, Value
from bot.insights.volume import Fate
from bot.language import later
from bot.models.words import AuthorKind

_COUNTED = (
    ("opened", later("Opened")),
    ("reopened", later("Of them reopened")),
    ("closed", later("Closed by coaches")),
    ("closed_without_reply", later("Of them without a reply")),
    ("closed_by_rule", later("Closed by the rule")),
)
_FATE = (
    Column("sent", later("Sent"), Unit.MESSAGES),
    Column("delivered_share", later("Delivered"), Unit.SHARE),
    Column("read_share", later("Read"), Unit.SHARE),
    Column("replied_share", later("Replied"), Unit.SHARE),
    Column("failed_share", later("Failed"), Unit.SHARE),
)


def _conversations(question: Question) -> Answer:
    told = conversations.conversations(question)
    counted = [(name, label, sum(getattr(row, name) for row in told.rows)) for name, label in _COUNTED]
    return Answer(
        [
            Figure("open", later("Open now"), Unit.CONVERSATIONS, told.open, is_now=True),
            Figure("waiting", later("Of them waiting"), Unit.CONVERSATIONS, told.waiting, is_now=True),
            Figure("closed_now", later("Closed now"), Unit.CONVERSATIONS, told.closed, is_now=True),
            *(Figure(name, label, Unit.CONVERSATIONS, count) for name, label, count in counted),
        ],
        [
            Column("day", later("Day"), Unit.DAY),
            *(Column(name, label, Unit.CONVERSATIONS) for name, label in _COUNTED),
        ],
        [(row.day, *(getattr(row, name) for name, _label in _COUNTED)) for row in told.rows],
    )


def _responses(question: Question) -> Answer:
    told, steps = conversations.responses(question), conversations.response_steps(question)
    return Answer(
        [
            Figure("median", later("Half were quicker than"), Unit.SECONDS, told.median),
            Figure("p90", later("9 of 10 were quicker than"), Unit.SECONDS, told.p90),
            Figure("count", later("First answers"), Unit.CONVERSATIONS, told.count),
        ],
        [
            Column("from_s", later("From"), Unit.SECONDS),
            Column("under_s", later("Below"), Unit.SECONDS),
            Column("count", later("First answers"), Unit.CONVERSATIONS),
        ],
        [(step.from_s, step.under_s, step.count) for step in steps],
    )


def _kinds(question: Question) -> Answer:
    told = authors.kinds(question)
    return Answer(
        [Figure("sent", later("Sent"), Unit.MESSAGES, sum(row.fate.sent for row in told))],
        [Column("kind", later("Author"), Unit.AUTHOR), *_FATE],
        [(row.kind, *_fate(row.fate)) for row in told],
    )


def _authors(question: Question, *, kind: str) -> Answer:
    told = _visible(question, authors.named(question, kind))
    return Answer(
        [Figure("sent", later("Sent"), Unit.MESSAGES, sum(row.fate.sent for row in told))],
        [Column("author_id", later("Number"), Unit.ID), Column("name", later("Name"), Unit.NAME), *_FATE],
        [(row.author_id, row.name, *_fate(row.fate)) for row in told],
    )


def _visible(question: Question, told: Sequence[ByAuthor]) -> Sequence[ByAuthor]:
    """Whoever does not lead the team sees of coaches themselves, and the others as one, as in the team's report."""
    me = question.which.as_coach
    if me is None or not told or told[0].kind != AuthorKind.COACH:
        return told
    others = sum((row.fate for row in told if row.author_id != me), Fate())
    rest = [ByAuthor(AuthorKind.COACH, 0, "", others)] if others != Fate() else []
    return [*(row for row in told if row.author_id == me), *rest]


def _fate(fate: Fate) -> tuple[Value, ...]:
    return fate.sent, fate.share("delivered"), fate.share("read"), fate.share("replied"), fate.share("failed")


_DEEPER = (
    (AuthorKind.STACK, later("Sent by journeys"), authors.STACK_EXPLANATION),
    (AuthorKind.COACH, later("Sent by coaches"), authors.COACH_EXPLANATION),
    (AuthorKind.REMINDER, later("Sent by reminders"), authors.REMINDER_EXPLANATION),
    (AuthorKind.API, later("Sent by programs"), authors.API_EXPLANATION),
    (AuthorKind.BROADCAST, later("Sent by broadcasts"), authors.BROADCAST_EXPLANATION),
)

BLOCKS = (
    Block(
        "conversations",
        Part.GUIDANCE,
        later("Conversations"),
        conversations.EXPLANATION,
        Picture(Kind.BESIDE, ("opened", "closed", "closed_by_rule")),
        _conversations,
    ),
    Block(
        "responses",
        Part.GUIDANCE,
        later("How soon people are answered"),
        conversations.RESPONSE_EXPLANATION,
        Picture(Kind.DAYS, ("count",)),
        _responses,
    ),
    Block(
        "authors",
        Part.GUIDANCE,
        later("Sent by author"),
        authors.EXPLANATION,
        Picture(Kind.RANKS, ("sent",)),
        _kinds,
    ),
    *(
        Block(
            f"authors-{kind}",
            Part.GUIDANCE,
            title,
            said,
            Picture(Kind.RANKS, ("sent",)),
            partial(_authors, kind=kind),
            above="authors",
        )
        for kind, title, said in _DEEPER
    ),
)
