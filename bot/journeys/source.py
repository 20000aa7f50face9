"""YAML as journeys use it: plain data with the line of every value, and nothing a small file could blow up with.

Words stay words: `no`, `07` and `1.50` are text, as their author sees them; only `true` and `false` are more.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import yaml
from yaml.events import CollectionEndEvent, CollectionStartEvent, Event, ScalarEvent
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

LARGEST_FILE: Final = 65_536
DEEPEST: Final = 8
MOST_VALUES: Final = 2_000

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    line: int
    text: str


class JourneyError(ValueError):
    """A journey file that cannot be used: every problem, each with file and line and, as a rule, the remedy."""

    def __init__(self, filename: str, problems: list[Problem]) -> None:
        self.filename = filename
        self.problems = tuple(sorted(set(problems)))
        super().__init__("\n".join(f"{filename}:{each.line}: {each.text}" for each in self.problems))


@dataclass(slots=True)
class Document:
    data: Any = None
    lines: dict[Path, int] = field(default_factory=dict)
    """Where each value stands, by its path: ("steps", 0, "say")."""
    problems: list[Problem] = field(default_factory=list)

    def line_of(self, path: Path) -> int:
        """Line of a value or, where it is missing, of what should hold it."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


def read(text: str, filename: str) -> Document:
    """Data and lines; duplicate keys are left in `problems`, and what is not YAML at all raises JourneyError."""
    if len(text.encode(errors="replace")) > LARGEST_FILE:
        largest = f"{LARGEST_FILE:,}"
        raise JourneyError(filename, [Problem(1, f"The file is larger than {largest} bytes. Split it up.")])
    try:
        _guard(text)
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except _RefusedError as error:
        raise JourneyError(filename, [error.problem]) from None
    except yaml.MarkedYAMLError as error:
        raise JourneyError(filename, [_not_yaml(error)]) from None
    except yaml.YAMLError:
        raise JourneyError(filename, [Problem(1, "The file holds a character YAML does not allow.")]) from None
    if root is None:
        raise JourneyError(filename, [Problem(1, "The file is empty. Start with: journey: welcome")])
    document = Document()
    document.data = _data(root, (), document)
    return document


class _RefusedError(Exception):
    def __init__(self, event: Event, text: str) -> None:
        self.problem = Problem(_line(event.start_mark), text)


def _guard(text: str) -> None:
    """Count before anything is built: aliases are how a few lines of YAML become gigabytes."""
    depth = values = 0
    for event in _events(text):
        if getattr(event, "anchor", None):
            raise _RefusedError(event, "Anchors (&) and aliases (*) have no place here. Write the text out, in quotes.")
        if isinstance(event, CollectionStartEvent | ScalarEvent) and event.tag is not None and event.tag != "!":
            raise _RefusedError(event, "Tags (!) have no place here. Put the text in quotes.")
        values += isinstance(event, CollectionStartEvent | ScalarEvent)
        depth += isinstance(event, CollectionStartEvent) - isinstance(event, CollectionEndEvent)
        if depth > DEEPEST or values > MOST_VALUES:
            raise _RefusedError(event, "The file is nested too deeply or holds too much for a journey. Split it up.")


def _events(text: str) -> Iterator[Event]:
    yield from yaml.parse(text, Loader=yaml.SafeLoader)


def _not_yaml(error: yaml.MarkedYAMLError) -> Problem:
    line = _line(error.problem_mark or error.context_mark)
    return Problem(line, f"Not readable as YAML: {error.problem or 'broken off'}. Does a text need quotes around it?")


def _line(mark: Any) -> int:  # noqa: ANN401 - PyYAML's marks come from two modules, and may be missing
    return mark.line + 1 if mark else 1


def _data(node: Node, path: Path, document: Document) -> Any:  # noqa: ANN401 - what YAML holds is anybody's guess
    document.lines.setdefault(path, _line(node.start_mark))
    match node:
        case MappingNode():
            return _mapping(node, path, document)
        case SequenceNode():
            return [_data(each, (*path, index), document) for index, each in enumerate(node.value)]
        case ScalarNode(style=None, value="true" | "false" as word):
            return word == "true"
        case ScalarNode(style=None, value="" | "~" | "null"):
            return None
    return node.value


def _mapping(node: MappingNode, path: Path, document: Document) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in node.value:
        line = _line(key.start_mark)
        if not isinstance(key, ScalarNode):
            document.problems.append(Problem(line, "A key must be one word. Does a text need quotes around it?"))
        elif key.value in found:
            document.problems.append(Problem(line, f"{key.value} stands here twice. Remove one of them."))
        else:
            document.lines[*path, key.value] = line
            found[key.value] = _data(value, (*path, key.value), document)
    return found
