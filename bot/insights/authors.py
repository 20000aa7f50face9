"""How are people guided? Who wrote what was sent, by kind, and one deeper by the concrete author."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import select, text
from sqlalchemy.orm import InstrumentedAttribute

from bot.insights import sources
from bot.insights.asking import Question
from bot.insights.volume import FATE, Fate
from bot.language import later
from bot.models.broadcast import Broadcast
from bot.models.journey import Journey, Reminder
from bot.models.team import ApiToken, Operator
from bot.models.words import AuthorKind

EXPLANATION: Final = later(
    "Every message that was sent has one author. Stack: a journey said it. Coach: somebody of the team typed it here."
    " Reminder: it was due. API: a program or a form asked for it. Broadcast: it went to many. App: it was typed in the"
    " phone app. Automation is from before 30 June 2024, and shown where history has it. Choose a kind to see which"
    " journey, coach, reminder, token or broadcast."
)

STACK_EXPLANATION: Final = later(
    "What journeys said by themselves, by the journey that said it, all its versions together: in answer to a word, a"
    " tap or an opening. What a journey had a reminder say later counts there."
)
COACH_EXPLANATION: Final = later(
    "What somebody of the team typed here, templates and files among it. Whoever does not lead the team sees themselves"
    " and the others together. What was typed in the phone app names nobody, so it stands beside."
)
REMINDER_EXPLANATION: Final = later(
    "What was scheduled for people and then was due, by the name of the reminder: those of one name count together."
)
API_EXPLANATION: Final = later(
    "What programs and opt-in forms asked for, by the token they used: one token for each program tells them apart."
)
BROADCAST_EXPLANATION: Final = later(
    "What went to many at once, by the broadcast; on the day WhatsApp took each message, so that a broadcast may have"
    " sent some before the period and some after it."
)

NAMES: Final[Mapping[str, tuple[InstrumentedAttribute[int], InstrumentedAttribute[str]]]] = {
    AuthorKind.STACK: (Journey.id, Journey.name),
    AuthorKind.COACH: (Operator.id, Operator.name),
    AuthorKind.REMINDER: (Reminder.id, Reminder.name),
    AuthorKind.API: (ApiToken.id, ApiToken.name),
    AuthorKind.BROADCAST: (Broadcast.id, Broadcast.name),
}

_ONE_BY_NAME: Final = frozenset({AuthorKind.STACK, AuthorKind.REMINDER})

_SUMS = ", ".join(f"sum({name}) AS {name}" for name in FATE)
_KINDS = sources.on(
    "days",
    f"SELECT author_kind, {_SUMS} FROM {{source}} WHERE author_kind <> '' GROUP BY 1",  # noqa: S608 (ours)
)
_AUTHORS = sources.on(
    "authors",
    f"""SELECT author_id, {_SUMS} FROM {{source}} WHERE author_kind = :kind
         GROUP BY 1 HAVING sum(sent) + sum(failed) > 0 ORDER BY sum(sent) DESC, author_id""",  # noqa: S608 (ours)
)
_LEGACY = text("""
    SELECT EXISTS (SELECT FROM message_day
                    WHERE generation = :generation AND environment = :environment
                      AND number_id = ANY(CAST(:numbers AS bigint[])) AND level = 0 AND author_kind = 'automation'
                      AND sent > 0)
""")


@dataclass(frozen=True, slots=True)
class ByKind:
    kind: str
    fate: Fate


@dataclass(frozen=True, slots=True)
class ByAuthor:
    kind: str
    author_id: int
    name: str
    fate: Fate


def kinds(question: Question) -> Sequence[ByKind]:
    """All kinds in their own order, whether or not they sent something; the legacy one where history has it."""
    found = {row.author_kind: _fate(row) for row in question.ask(_KINDS(question))}
    shown = [kind for kind in AuthorKind if kind in found or kind != AuthorKind.AUTOMATION or _has_legacy(question)]
    return [ByKind(kind, found.get(kind, Fate())) for kind in shown]


def named(question: Question, kind: str) -> Sequence[ByAuthor]:
    """As `authors`, with those of a name as one, under the newest's id: versions of a journey, a reminder for each."""
    told = authors(question, kind)
    if kind not in _ONE_BY_NAME:
        return told
    one: dict[str, ByAuthor] = {}
    for each in told:
        known = one.get(each.name, ByAuthor(kind, 0, each.name, Fate()))
        newest = max(known.author_id, each.author_id)
        one[each.name] = ByAuthor(kind, newest, each.name, known.fate + each.fate)
    return sorted(one.values(), key=lambda each: (-each.fate.sent, each.author_id))


def authors(question: Question, kind: str) -> Sequence[ByAuthor]:
    """Who of the kind sent, the most first."""
    rows = question.ask(_AUTHORS(question), {"kind": kind})
    names = _names(question, kind, [row.author_id for row in rows])
    return [ByAuthor(kind, row.author_id, names.get(row.author_id, ""), _fate(row)) for row in rows]


def _has_legacy(question: Question) -> bool:
    return bool(question.ask(_LEGACY)[0][0])


def _names(question: Question, kind: str, ids: Sequence[int]) -> Mapping[int, str]:
    if kind not in NAMES:
        return {}
    id_, name = NAMES[kind]
    return dict(question.session.execute(select(id_, name).where(id_.in_(ids))).all())


def _fate(row: Any) -> Fate:  # noqa: ANN401 (a row with these sums)
    return Fate(*(int(getattr(row, name)) for name in FATE))
