"""A column name → where its cells go, and every reason why it cannot stand there."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.language import _
from bot.models.words import PropertyType
from bot.people.properties import BUILT_IN, LONGEST_NAME, RESERVED
from broadcasts.imports.reading.problems import ProblemKind

MOST_COLUMNS = 100
COMMENTS = "Comments"
FOUND_OUT = frozenset(name for each in BUILT_IN if not each.is_kept for name in (each.name, each.label.casefold()))
"""Columns of our own exports that no list can set."""

_NAME = re.compile(r"[A-Za-z0-9_.-]+")
_OTHER_SIGNS = re.compile(r"[^A-Za-z0-9_.-]+")

Problems = list[tuple[ProblemKind, str]]


class HeaderError(ValueError):
    """The first row does not fit the dialect; the text lists every problem, a sentence each, gravest first."""

    def __init__(self, problems: Sequence[tuple[ProblemKind, str]]) -> None:
        self.problems = sorted(problems, key=lambda problem: problem[0].rank)
        super().__init__(" ".join(sentence for _, sentence in self.problems))

    @property
    def kind(self) -> ProblemKind:
        return self.problems[0][0]


@dataclass(frozen=True, slots=True)
class Column:
    """Where a column's cells go: `distinct_id`, `phone`, `email`, a column of person, or an attribute."""

    header: str
    target: str
    is_attribute: bool = False
    kind: PropertyType = PropertyType.TEXT
    note: str = ""
    """What was understood otherwise than it was written."""


def attribute(header: str, name: str, kind: PropertyType | None, known: Mapping[str, PropertyType]) -> Column:
    """A column of the list's own; without a type of its own it has the attribute's, or else is TEXT."""
    return Column(header, name, is_attribute=True, kind=kind or known.get(name, PropertyType.TEXT))


def check(column: Column, place: int, kind: PropertyType | None, known: Mapping[str, PropertyType]) -> Problems:
    """What is wrong with an attribute's name and type, which was written as `kind`."""
    shown, name = column.header[:80], column.target
    if not name:
        return [
            (
                ProblemKind.COLUMN_NAMES,
                _("Column %(place)s has no name: give it one, or delete the column.", place=place),
            )
        ]
    if not _NAME.fullmatch(name):
        sentence = _(
            "Column name %(shown)s: only letters, digits, underscore, hyphen and period may stand there.",
            shown=repr(shown),
        )
        return [(ProblemKind.COLUMN_NAMES, sentence)]
    if len(name) > LONGEST_NAME:
        return [
            (
                ProblemKind.COLUMN_NAMES,
                _(
                    "Column name %(shown)s is longer than %(longest_name)s characters: shorten it.",
                    shown=repr(shown),
                    longest_name=LONGEST_NAME,
                ),
            )
        ]
    if name.casefold() in RESERVED:
        sentence = _(
            "Column %(shown)s: %(name)s has a meaning of its own; give the column another name.", shown=shown, name=name
        )
        return [(ProblemKind.COLUMN_NAMES, sentence)]
    if kind and known.get(name, kind) != kind:
        sentence = _(
            "Column %(shown)s: the attribute %(name)s is of type %(kind)s already; write "
            "%(name)s||%(kind)s, or give the column another name.",
            shown=shown,
            name=name,
            kind=known[name],
        )
        return [(ProblemKind.COLUMN_TYPES, sentence)]
    return []


def typed(header: str) -> tuple[str, PropertyType | None, Problems]:
    """`office.no||NUMBER` → its name and type; `user.` in front is left out."""
    name, marked, word = header.removeprefix("user.").partition("||")
    wanted = word.strip().upper()
    if marked and wanted not in set(PropertyType):
        sentence = _(
            "Column %(header)s: there is no type %(word)s; write one of %(types)s after ||, or nothing for TEXT.",
            header=header[:80],
            word=repr(word.strip()[:20]),
            types=", ".join(PropertyType),
        )
        return name.strip(), None, [(ProblemKind.COLUMN_TYPES, sentence)]
    return name.strip(), PropertyType(wanted) if marked else None, []


def doubles(columns: Sequence[Column | None]) -> Problems:
    """Columns that go to one place, among them two recipients in a row: nobody could say which is meant."""
    places: dict[str, list[str]] = {}
    for column in columns:
        if column is not None:
            places.setdefault(column.target, []).append(column.header)
    return [
        (ProblemKind.DOUBLE_COLUMNS, _double(target, headers)) for target, headers in places.items() if len(headers) > 1
    ]


def _double(target: str, headers: list[str]) -> str:
    if len({header.casefold() for header in headers}) == 1:
        return _("The column %(headers)s is there more than once: rename or delete one.", headers=headers[0][:80])
    shown = _(" and ").join(header[:80] for header in headers)
    return _(
        "The columns %(shown)s are there for one thing, %(target)s: it may be there only once. Rename or delete one.",
        shown=shown,
        target=target,
    )


def usable_name(name: str, place: int) -> str:
    """An attribute's name as like a column's as can be."""
    usable = _OTHER_SIGNS.sub("_", name).strip("_")[:LONGEST_NAME] or f"column_{place}"
    return f"{usable}_in_list"[-LONGEST_NAME:] if usable.casefold() in RESERVED else usable
