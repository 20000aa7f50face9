"""The language journeys are written in: journey.schema.json, and what a schema cannot say; see docs/journeys.md."""

import json
from collections.abc import Iterator
from importlib import resources
from typing import Any, Final, TypedDict

from jsonschema import Draft202012Validator

from bot.journeys.complaints import told
from bot.journeys.source import Document, Problem, read
from bot.journeys.source import JourneyError as JourneyError
from bot.journeys.triggers import normalise
from bot.messages import personalise
from bot.people.values import OWN_NAMES

SCHEMA: Final[dict[str, Any]] = json.loads(resources.files("bot.journeys").joinpath("journey.schema.json").read_text())
_validator = Draft202012Validator(SCHEMA)


class Step(TypedDict, total=False):
    """Either `say`, or `ask` with `buttons`, `save_as` and perhaps `otherwise`."""

    say: str
    ask: str
    buttons: list[str]
    save_as: str
    otherwise: str


class Start(TypedDict):
    first_message: bool
    keywords: list[str]


class Spec(TypedDict):
    """A checked journey, as it is kept in `journey.spec`."""

    journey: str
    start: Start
    steps: list[Step]


def check(text: str, filename: str) -> Spec:
    """The journey a file tells, or JourneyError with every problem of it."""
    document = read(text, filename)
    problems = list(document.problems)
    for error in _validator.iter_errors(document.data):
        problems += told(error, document)
    problems += _beyond_schema(document)
    if problems:
        raise JourneyError(filename, problems)
    start = document.data["start"]
    return {
        "journey": document.data["journey"],
        "start": {"first_message": start.get("first_message", False), "keywords": start.get("keywords", [])},
        "steps": document.data["steps"],
    }


def _beyond_schema(document: Document) -> Iterator[Problem]:
    """Looks only at what has the right shape: the schema has told of the rest."""
    data = document.data if isinstance(document.data, dict) else {}
    if isinstance(start := data.get("start"), dict):
        yield from _start_problems(start, document)
    steps = data.get("steps")
    for index, step in enumerate(steps if isinstance(steps, list) else []):
        if isinstance(step, dict):
            yield from _step_problems(index, step, document)


def _start_problems(start: dict[str, Any], document: Document) -> Iterator[Problem]:
    if start and not start.get("keywords") and start.get("first_message") is False:
        line = document.line_of(("start",))
        yield Problem(line, "Nothing ever starts this journey. Add keywords, or first_message: true.")
    claimed: dict[str, str] = {}
    for index, keyword in _texts(start.get("keywords")):
        line = document.line_of(("start", "keywords", index))
        if not keyword.strip():
            yield Problem(line, "A keyword is blank. Remove it.")
        elif (first := claimed.setdefault(normalise(keyword), keyword)) is not keyword:
            yield Problem(line, f"The keywords {first!r} and {keyword!r} are the same to a reader. Remove one of them.")


def _step_problems(index: int, step: dict[str, Any], document: Document) -> Iterator[Problem]:
    for key in ("say", "ask", "otherwise"):
        line = document.line_of(("steps", index, key))
        if isinstance(text := step.get(key), str):
            yield from (Problem(line, f"{key}: {problem}") for problem in personalise.problems(text))
            if text and not text.strip():
                yield Problem(line, f"{key} is blank. Write what the person will read.")
    if step.get("save_as") in OWN_NAMES:
        line = document.line_of(("steps", index, "save_as"))
        yield Problem(line, f"save_as: {step['save_as']} is the person's own. Choose another name for the answer.")
    yield from _button_problems(index, step, document)


def _button_problems(index: int, step: dict[str, Any], document: Document) -> Iterator[Problem]:
    titles: dict[str, str] = {}
    for place, title in _texts(step.get("buttons")):
        line = document.line_of(("steps", index, "buttons", place))
        if not title.strip() or "\n" in title:
            yield Problem(line, "A button's title must be one line that is not blank.")
        elif "<<" in title or "{{" in title:
            yield Problem(line, f"{title}: a button's title is the same for everybody. Put the placeholder into ask.")
        elif (first := titles.setdefault(normalise(title), title)) is not title:
            yield Problem(line, f"The buttons {first!r} and {title!r} are the same to a reader. Rename one of them.")


def _texts(given: object) -> Iterator[tuple[int, str]]:
    yield from (
        (place, text) for place, text in enumerate(given if isinstance(given, list) else []) if isinstance(text, str)
    )
