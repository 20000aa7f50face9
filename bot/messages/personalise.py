"""`<<user.first_name|default('there')>>` in texts; docs/personalisation.md tells authors what may stand there."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from jinja2 import Template, nodes

from bot.messages.placeholder import Placeholder, jinja, read
from bot.messages.placeholder import PlaceholderError as PlaceholderError

LONGEST_TEXT: Final = 4096
"""Characters WhatsApp takes in one text (Cloud API, text messages)."""

_FOUND = re.compile(
    r"<<(?P<angle>(?:(?!<<).)*?)>>|\{\{\s*(?P<curly>user\.(?:(?!\{\{).)*?)\}\}",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Rendered:
    text: str
    empty: tuple[str, ...]
    """Attributes that had neither a value nor a default, without `user.`."""


@dataclass(frozen=True, slots=True)
class _Compiled:
    template: Template
    variables: tuple[tuple[str, str], ...]
    """Variable of the template and the attribute it stands for."""
    required: frozenset[str]
    """Attributes that stand somewhere without a default."""


def check(text: str) -> None:
    """Raise PlaceholderError with every problem of the text, one a line."""
    if found := problems(text):
        raise PlaceholderError("\n".join(found))


def problems(text: str) -> list[str]:
    """One sentence for each placeholder that may not stand there; empty if the text can be rendered."""
    if trouble := _trouble(text):
        return [trouble]
    found = []
    for piece in _pieces(text):
        try:
            _read(piece)
        except PlaceholderError as error:
            found.append(str(error))
    return found


def placeholders(text: str) -> tuple[str, ...]:
    """The attributes a text reads, each once, without `user.`: ("first_name", "office.no")."""
    return tuple(dict.fromkeys(attribute for _, attribute in _compile(text).variables))


def required(text: str) -> frozenset[str]:
    """Those of them that stand somewhere without a default: whoever has no value for one leaves a gap."""
    return _compile(text).required


def render(text: str, values: Mapping[str, str]) -> Rendered:
    """Fill in the values of one person (bot.people.values); a result above 4,096 characters is a PlaceholderError."""
    if "<<" not in text and "{{" not in text and not _trouble(text):
        return Rendered(text, ())
    compiled = _compile(text)
    given: dict[str, str] = {}
    empty: dict[str, None] = {}
    for variable, attribute in compiled.variables:
        value = given[variable] = values.get(attribute, "")
        if len(value) > LONGEST_TEXT:
            raise PlaceholderError(_too_long("with this person's values"))
        if attribute in compiled.required and not value.strip():
            empty[attribute] = None
    rendered = compiled.template.render(given)
    if len(rendered) > LONGEST_TEXT:
        raise PlaceholderError(_too_long("with this person's values"))
    return Rendered(rendered, tuple(empty))


@lru_cache(maxsize=512)
def _compile(text: str) -> _Compiled:
    if trouble := _trouble(text):
        raise PlaceholderError(trouble)
    output: list[nodes.Expr] = []
    variables: list[tuple[str, str]] = []
    required: set[str] = set()
    for piece in _pieces(text):
        part = _read(piece)
        if isinstance(part, Placeholder):
            variable = f"v{len(variables)}"
            output.append(part.expression(variable))
            variables.append((variable, part.attribute))
            required.update([] if part.has_default else [part.attribute])
        elif part:
            output.append(nodes.TemplateData(part))
    tree = nodes.Template([nodes.Output(output, lineno=1)], lineno=1)
    tree.set_environment(jinja)
    return _Compiled(Template.from_code(jinja, jinja.compile(tree), {}), tuple(variables), frozenset(required))


def _trouble(text: str) -> str | None:
    if len(text) > LONGEST_TEXT:
        return _too_long("as it stands")
    if "\0" in text:
        return "The text holds a NUL character, which cannot be stored or sent. Remove it."
    return None


def _too_long(when: str) -> str:
    return f"The text is longer than {LONGEST_TEXT:,} characters {when}, which WhatsApp does not take. Shorten it."


def _pieces(text: str) -> Iterator[str]:
    """Cut the text; a placeholder is a piece of its own that begins with `<<`, `{{user.x}}` being `<<user.x>>`."""
    end = 0
    for found in _FOUND.finditer(text):
        yield text[end : found.start()]
        yield f"<<{found['curly'] if found['angle'] is None else found['angle']}>>"
        end = found.end()
    yield text[end:]


def _read(piece: str) -> str | Placeholder:
    """A placeholder, or plain text as it is; `<<` that is never closed is neither."""
    before, opened, rest = piece.partition("<<")
    return read(f"<<{rest}") if opened else before
