"""What the form of a draft offers: numbers, templates, segments, topics, and the slots of every wording."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.connections import numbers
from bot.language import _, later, translated
from bot.messages.components import Slot
from bot.messages.templates import slots_of
from bot.models.broadcast import Template
from bot.models.connection import Connection, Number
from bot.models.words import WinnerMetric
from bot.people import topics
from bot.people.rules.schema import RuleError
from bot.people.values import load_values
from broadcasts.drafting import hints, unknown, whom
from broadcasts.drafting.form import Read
from broadcasts.drafting.typed import SLOT, Typed
from broadcasts.drafting.wanted import LETTERS
from broadcasts.segments import segments
from broadcasts.templates import templates
from broadcasts.templates.templates import APPROVED

_COMMON = ("first_name", "last_name", "nickname")
_SAMPLED = 20
METRICS = {
    WinnerMetric.READ: later("most are read"),
    WinnerMetric.REPLIED: later("most are replied to"),
    WinnerMetric.DELIVERED: later("most are delivered"),
}


@dataclass(frozen=True, slots=True)
class Part:
    """A wording as the form shows it: `prefix` begins the names of its fields."""

    prefix: str
    title: str
    language: str | None
    template: Template | None
    texts: Mapping[str, str]
    is_on: bool = True
    languages: Sequence["Part"] = field(default=())

    @property
    def slots(self) -> Sequence[Any]:
        return slots_of(self.template.components) if self.template else ()

    def hint(self, slot: Slot) -> str:
        return hints.of(self.template, slot) if self.template else ""


def choices(session: Session, environment: str, typed: Typed, read: Read) -> dict[str, Any]:
    """Everything the form's page shows."""
    ours = session.scalars(select(Number).where(Number.environment == environment).order_by(Number.id)).all()
    chosen = next((number for number in ours if number.id == read.wanted.number_id), None)
    known = sendable(session, {number.connection_id for number in ([chosen] if chosen else ours)})
    return {
        "typed": typed,
        "numbers": [(number.id, f"{number.name} {number.phone}") for number in ours],
        "templates": [
            (each.id, f"{each.name} · {each.language} · {translated(each.category.lower())}") for each in known
        ],
        "segments": segments.every(session, environment),
        "topics": [(topic.id, topic.name) for topic in topics.every(session, environment, archived=False)],
        "parts": _parts(session, typed, known),
        "may_add": len(typed.variants()) + 1 < len(LETTERS),
        "metrics": [("", _("choose")), *((name, translated(label)) for name, label in METRICS.items())],
        "names": _names(session, environment, read),
        "notes": notes(session, environment, typed),
        "elsewhere": None if ours else numbers.elsewhere(session, environment),
    }


def notes(session: Session, environment: str, typed: Typed) -> dict[str, str]:
    """What is no mistake for certain, and should be seen: by the field of a slot, the attributes that nobody has."""
    texts = {name: words[0] for name, words in typed.items() if SLOT.search(name) and words}
    told = unknown.of(session, environment, texts.values())
    found = {field: [told[name] for name in unknown.read(text) if name in told] for field, text in texts.items()}
    return {field: " ".join(some) for field, some in found.items() if some}


def settle(session: Session, typed: Typed) -> Typed:
    """Where another template was chosen, what belonged to the former one goes, and what both have stays."""
    settled = Typed(typed)
    for prefix in ["", *typed.variants()]:
        chosen, was = typed.id(f"{prefix}template"), typed.id(f"{prefix}template.was")
        if was not in (0, chosen):
            _follow(session, settled, prefix, session.get(Template, chosen))
    return settled


def sendable(session: Session, connection_ids: set[int]) -> list[Template]:
    """Approved, and of a kind that Backchat can fill."""
    found = session.execute(
        select(Template, Connection.provider)
        .join(Connection, Connection.id == Template.connection_id)
        .where(Template.connection_id.in_(connection_ids), Template.status == APPROVED)
        .order_by(Template.name, Template.language)
    )
    return [template for template, provider in found if not templates.obstacles(provider, template)]


def _follow(session: Session, typed: Typed, prefix: str, template: Template | None) -> None:
    fitting = {slot.name for slot in slots_of(template.components)} if template else set()
    for name in typed.slots(prefix):
        if name not in fitting:
            del typed[f"{prefix}slot.{name}"]
    known = sendable(session, {template.connection_id}) if template else []
    kin = {each.language: each for each in _kin(known, template)} if template else {}
    for language in typed.languages(prefix):
        start = f"{prefix}lang.{language}."
        if language in kin:
            typed[f"{start}template"] = [str(kin[language].id)]
        else:
            for name in [each for each in typed if each.startswith(start)]:
                del typed[name]


def _kin(known: Sequence[Template], own: Template) -> list[Template]:
    """The same template in other languages."""
    alike = (own.connection_id, own.name)
    return [each for each in known if (each.connection_id, each.name) == alike and each.language != own.language]


def _parts(session: Session, typed: Typed, known: Sequence[Template]) -> list[Part]:
    """The draft's own wording and those of its variants, each with its languages."""
    variants = ["", *typed.variants()]
    return [
        Part(
            prefix,
            _("Variant %(letter)s", letter=LETTERS[at]) if len(variants) > 1 else "",
            None,
            template := session.get(Template, typed.id(f"{prefix}template")),
            typed.slots(prefix),
            languages=_languages(session, typed, prefix, template, known),
        )
        for at, prefix in enumerate(variants)
    ]


def _languages(
    session: Session, typed: Typed, prefix: str, own: Template | None, known: Sequence[Template]
) -> list[Part]:
    """Those the template is approved in, and those that somebody has chosen already."""
    offered = {each.language: each for each in _kin(known, own)} if own else {}
    for language in typed.languages(prefix):
        chosen = session.get(Template, typed.id(f"{prefix}lang.{language}.template"))
        if chosen is not None:
            offered[language] = chosen
    return [
        Part(start, language, language, template, typed.slots(start), is_on=bool(typed.one(f"{start}on")))
        for language, template in sorted(offered.items())
        for start in [f"{prefix}lang.{language}."]
    ]


def _names(session: Session, environment: str, read: Read) -> list[str]:
    """What `<<user.…>>` can read, going by some people of the audience."""
    try:
        sample = [each.id for each in whom.few(session, environment, read.wanted, limit=_SAMPLED)]
    except RuleError:
        sample = []
    known = {name for values in load_values(session, sample).values() for name in values}
    return [*_COMMON, *sorted(known - set(_COMMON))]
