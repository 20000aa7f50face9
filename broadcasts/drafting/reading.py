"""What one person would read of a draft that is being made: each variant, in the language that would be theirs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from bot.language import _
from bot.messages import personalise
from bot.messages.personalise import PlaceholderError
from bot.messages.templates import PreviewText, fill, preview_of
from bot.models.broadcast import Template
from bot.models.person import Person
from bot.people.rules.schema import RuleError
from bot.people.terms import SearchError
from bot.people.values import load_values
from broadcasts.audience import wordings
from broadcasts.drafting import whom
from broadcasts.drafting.wanted import LETTERS, Wanted, Wording
from broadcasts.templates.templates import frozen


@dataclass(frozen=True, slots=True)
class Version:
    """One text that people may get."""

    variant: int
    language: str | None
    template: Template
    slots: Mapping[str, str]
    title: str
    """`Variant B · pt_BR`; without variants the language alone."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A version as one person would read it; `problem` says why they would get nothing."""

    version: Version
    text: PreviewText
    problem: str | None


@dataclass(frozen=True, slots=True)
class Look:
    """The draft through the eyes of one person; `note` says what was asked for and cannot be shown."""

    person: Person | None = None
    name: str = ""
    readings: Sequence[Reading] = ()
    note: str | None = None


def versions(session: Session, wanted: Wanted) -> list[Version]:
    """Its own first; without those whose template is not chosen yet."""
    own = Wording(template_id=wanted.template_id, slots=wanted.slots)
    found = [(each, session.get(Template, each.template_id)) for each in (own, *wanted.wordings)]
    has_variants = any(each.variant for each in wanted.wordings)
    return [
        Version(
            each.variant, each.language, template, each.slots,
            _("Variant %(letter)s · %(language)s", letter=LETTERS[each.variant], language=template.language)
            if has_variants
            else template.language,
        )
        for each, template in found
        if template
    ]  # fmt: skip


def look(session: Session, environment: str, wanted: Wanted, *, who: str = "", person: int = 0, go: str = "") -> Look:
    """As whoever `who` names; else as `person` or, with `go` next, as somebody after them; else as anybody of them."""
    try:
        found, note = _choose(session, environment, wanted, who, person, go)
    except (RuleError, SearchError) as error:
        return Look(note=str(error))
    if found is None:
        return Look(note=note)
    values = load_values(session, [found.id]).get(found.id, {})
    told = [read_as(each, values) for each in theirs(versions(session, wanted), found.language)]
    return Look(found, _name(found), told, note)


def theirs(known: Sequence[Version], language: str | None) -> list[Version]:
    """Of each variant the version in their language, chosen as the launch does."""
    listed = [
        wordings.Wording(
            at, each.variant, (each.language or each.template.language).replace("-", "_").lower(),
            is_fallback=each.language is None,
        )
        for at, each in enumerate(known)
    ]  # fmt: skip
    chosen = [wordings.choose(listed, variant, language) for variant in sorted({each.variant for each in known})]
    return [known[at] for at in chosen if at is not None]


def read_as(version: Version, values: Mapping[str, str]) -> Reading:
    """A value that is missing is shown where it is missing."""
    plan = frozen(version.template)
    try:
        done = fill(plan, version.slots, values)
        lacking = [_("nothing known for %(missing)s", missing=", ".join(done.missing))] if done.missing else []
        lacking += (
            [_("%(empty)s would be empty", empty=", ".join(done.empty))] if done.empty and not done.missing else []
        )
    except PlaceholderError as error:
        lacking = [str(error).rstrip(".")]
    texts = {slot: _render(words, values) for slot, words in version.slots.items()}
    return Reading(
        version,
        preview_of(plan, texts),
        _("Would not be sent: %(lacking)s.", lacking="; ".join(lacking)) if lacking else None,
    )


def _choose(
    session: Session, environment: str, wanted: Wanted, who: str, person: int, go: str
) -> tuple[Person | None, str | None]:
    if who:
        found, is_among = whom.find(session, environment, wanted, who)
        if found is None:
            return None, _("Nobody is found by “%(who)s”: try a name, a phone number or an id.", who=who[:60])
        return found, None if is_among else _("%(name)s is not in the audience.", name=_name(found))
    if person and go != "next":
        found = session.get(Person, person)
        if found is not None and found.environment == environment and not found.erased_at:
            is_among = whom.is_among(session, environment, wanted, found.id)
            if is_among:
                return found, None
    some = whom.few(session, environment, wanted, below=person or None) or whom.few(session, environment, wanted)
    return (some[0], None) if some else (None, _("Nobody to show it as: choose a segment that holds somebody."))


def _name(person: Person) -> str:
    full = " ".join(part for part in (person.first_name, person.last_name) if part)
    return full or person.nickname or person.distinct_id


def _render(words: str, values: Mapping[str, str]) -> str:
    try:
        done = personalise.render(words, values)
        gaps: dict[str, Any] = {name: _("[%(name)s: unknown]", name=name) for name in done.empty}
        return personalise.render(words, {**values, **gaps}).text if gaps else done.text
    except PlaceholderError:
        return words
