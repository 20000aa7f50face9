"""What the forms of a profile send → a change. Only what differs from what the page showed is one.

So two people who edit the same profile at once overwrite each other in no field that only one of them touched.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from bot.dashboard import times
from bot.language import _, figure
from bot.models.words import Channel, PropertyType
from bot.people import attributes
from bot.people.attributes import AttributeValueError
from bot.people.fields import ProfileError
from bot.people.preferences import Choice

GENERAL = ("distinct_id", "nickname", "first_name", "last_name", "country", "time_zone", "language")
EVERYTHING = "all"
"""Stands for no topic in the name of a field."""
LONGEST_EVIDENCE = 2000

Form = Mapping[str, str]

_TOPIC = re.compile(rf"{EVERYTHING}|[0-9]{{1,18}}", re.ASCII)


def general(form: Form) -> dict[str, Any]:
    return {name: text for name, text in _changed(form, "") if name in GENERAL}


def typed(form: Form, types: Mapping[str, PropertyType]) -> dict[str, Any]:
    """Attributes as their editors left them; one that was emptied goes."""
    texts = {name: text.strip() for name, text in _changed(form, "value.")}
    undeclared = {name: PropertyType.TEXT for name, text in texts.items() if text and name not in types}
    found = _read({name: (types.get(name, PropertyType.TEXT), text) for name, text in texts.items() if text})
    return {"attributes": found | {name: None for name, text in texts.items() if not text}, "types": undeclared}


def added(form: Form) -> dict[str, Any]:
    """One more attribute, of a type of its own choice."""
    name, text = form.get("name", "").strip().removeprefix("user."), form.get("value", "").strip()
    problems = {} if name else {"name": _("Give the attribute a name.")}
    if form.get("type") not in set(PropertyType):
        problems["type"] = _("Choose a type: %(types)s.", types=", ".join(PropertyType))
    if not text:
        problems["value"] = _("Write the value, too: an attribute without one is not kept.")
    if problems:
        raise ProfileError(problems)
    kind = PropertyType(form["type"])
    try:
        value = attributes.read(kind, text)
    except AttributeValueError as error:
        raise ProfileError({"value": _("The value %(problem)s", problem=error)}) from error
    return {"attributes": {name: value}, "types": {name: kind}}


def choices(form: Form) -> list[Choice]:
    """Of the grid of topics and channels: a box that is not ticked is not sent, what it was is."""
    found = []
    for name, was in form.items():
        topic, _, channel = name.removeprefix("was.").partition(".")
        if not name.startswith("was.") or channel not in set(Channel) or not _TOPIC.fullmatch(topic):
            continue
        wants = f"wants.{topic}.{channel}" in form
        if wants != (was == "yes"):
            found.append(Choice(Channel(channel), wants, None if topic == EVERYTHING else int(topic)))
    return found


def evidence(form: Form) -> tuple[str, str, datetime]:
    """(stop or resume, in which words, when) of an entry by hand."""
    problems = {}
    value, words = form.get("consent", ""), " ".join(form.get("words", "").replace("\x00", "").split())
    if value not in {"stop", "resume"}:
        problems["consent"] = _("Choose what they said: that they want marketing, or that they do not.")
    if not 0 < len(words) <= LONGEST_EVIDENCE:
        problems["words"] = _(
            "Write down how you know, in their own words, in at most %(most)s characters.",
            most=figure(LONGEST_EVIDENCE),
        )
    at = _time(form.get("at", ""))
    if at is None or at > datetime.now(UTC):
        problems["at"] = _("Say when they said it: a day and a time that is not to come.")
    if problems or at is None:
        raise ProfileError(problems)
    return value, words, at


def _changed(form: Form, prefix: str) -> Iterator[tuple[str, str]]:
    for name, text in form.items():
        field = name.removeprefix(prefix)
        was = form.get(f"was.{field}")
        if name.startswith(prefix) and was is not None and _lines(text).strip() != _lines(was).strip():
            yield field, _lines(text)


def _lines(text: str) -> str:
    """A browser sends line ends as CR LF."""
    return text.replace("\r\n", "\n")


def _read(texts: Mapping[str, tuple[PropertyType, str]]) -> dict[str, Any]:
    found, wrong = {}, {}
    for name, (kind, text) in texts.items():
        try:
            found[name] = attributes.read(kind, text)
        except AttributeValueError as error:
            wrong[f"value.{name}"] = f"{name} {error}"
    if wrong:
        raise ProfileError(wrong)
    return found


def _time(given: str) -> datetime | None:
    """A browser's local time, in the zone of BACKCHAT_TIME_ZONE."""
    try:
        return datetime.fromisoformat(given).replace(tzinfo=times.zone()).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
