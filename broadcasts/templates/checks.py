"""What WhatsApp would refuse of a template, said before it is submitted: each problem with its place and remedy.

Places are the fields of the form: name, header, header.example.1, body, footer, button.0.url, … The limits are those of
Meta, "Template components".
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from bot.language import _, figure, translated
from bot.messages.components import LONGEST_BODY, LONGEST_HEADER, Component, component_of, slots_of, variables, word
from broadcasts.templates import button_checks, codes
from broadcasts.templates.languages import LANGUAGES
from broadcasts.templates.templates import CATEGORIES, FORMATS

HEADERS: Final = ("TEXT", "IMAGE", "VIDEO", "DOCUMENT", "LOCATION")
LONGEST_FOOTER: Final = 60
_KNOWN: Final = ("HEADER", "BODY", "FOOTER", "BUTTONS")

_NAME = re.compile(r"[a-z0-9_]{1,512}")
_VARIABLE_NAME = re.compile(r"[a-z_][a-z0-9_]*")
_BROKEN = re.compile(r"\{\{|\}\}")
_HANDLE = re.compile(r"\d+:\S+|https?://\S+")

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Problem:
    place: str
    text: str


def of_document(document: Document, *, by_link: bool) -> list[Problem]:
    """`by_link`: the provider takes a file's address as the sample of a header."""
    named = document.get("parameter_format") == "NAMED"
    components: Sequence[Component] = document["components"]
    found = list(_of_identity(document))
    if codes.is_of(document):
        if named:
            found.append(Problem("parameter_format", _("The variable of a code is a number: choose POSITIONAL.")))
        return found + [Problem(place, text) for place, text in codes.problems(components)]
    found += [
        Problem("body", _("A component %(kind)s cannot be made here: leave it out.", kind=kind or _("without a type")))
        for kind in sorted({word(each, "type") for each in components} - set(_KNOWN))
    ]
    if header := component_of(components, "HEADER"):
        found += _of_header(header, named=named, by_link=by_link)
    found += _of_body(component_of(components, "BODY") or {}, named=named)
    if footer := component_of(components, "FOOTER"):
        found += _of_footer(str(footer.get("text") or ""))
    found += [Problem(place, text) for place, text in button_checks.of_buttons(components)]
    return found


def _of_identity(document: Document) -> Iterator[Problem]:
    if not _NAME.fullmatch(document["name"]):
        yield Problem("name", _("Use a-z, 0-9 and _ only, 512 at most, such as course_starts."))
    if document["language"] not in LANGUAGES:
        yield Problem("language", _("Choose a language that WhatsApp knows, such as en, pt_BR or ar."))
    if document["category"] not in CATEGORIES:
        yield Problem("category", _("Choose %(categories)s.", categories=" or ".join(CATEGORIES)))
    if document["parameter_format"] not in FORMATS:
        yield Problem("parameter_format", _("Choose %(formats)s.", formats=" or ".join(FORMATS)))


def _of_header(header: Component, *, named: bool, by_link: bool) -> Iterator[Problem]:
    format_ = word(header, "format")
    if format_ not in HEADERS:
        yield Problem("header.format", _("Choose one of %(headers)s.", headers=", ".join(HEADERS)))
    elif format_ == "TEXT":
        text = str(header.get("text") or "")
        yield from _of_text("header", "header", text, LONGEST_HEADER)
        if "\n" in text:
            yield Problem("header", _("A header is one line: take out the line break."))
        if len(variables(text)) > 1:
            yield Problem("header", _("A header takes one variable: put the others into the body."))
        yield from _of_variables("header", text, header, named=named)
    elif format_ != "LOCATION" and not _HANDLE.fullmatch(_sample(header)):
        want = _("Give the address of one, beginning with https://.") if by_link else _("Upload one.")
        yield Problem(
            "header.sample",
            _("WhatsApp wants to see a sample %(format)s. %(want)s", format=translated(format_.lower()), want=want),
        )


def _sample(header: Component) -> str:
    example = header.get("example")
    handles = example.get("header_handle") if isinstance(example, Mapping) else None
    return str(handles[0]) if isinstance(handles, list) and handles else ""


def _of_body(body: Component, *, named: bool) -> Iterator[Problem]:
    text = str(body.get("text") or "")
    yield from _of_text("body", "body", text, LONGEST_BODY)
    bare = text.strip()
    if bare.startswith("{{"):
        yield Problem("body", _("It begins with a variable, which WhatsApp refuses: write something before it."))
    if bare.endswith("}}"):
        yield Problem(
            "body", _("It ends with a variable, which WhatsApp refuses: write something after it, even a dot.")
        )
    if "\n\n\n" in text:
        yield Problem("body", _("It has more than one empty line in a row: take out all but one."))
    yield from _of_variables("body", text, body, named=named)


def _of_footer(text: str) -> Iterator[Problem]:
    yield from _of_text("footer", "footer", text, LONGEST_FOOTER)
    if variables(text) or _BROKEN.search(text):
        yield Problem("footer", _("A footer takes no variables: put them into the body."))


def _of_text(place: str, what: str, text: str, longest: int) -> Iterator[Problem]:
    if not text.strip():
        yield Problem(
            place,
            _("The body is empty: write it.")
            if place == "body"
            else _("The %(what)s is empty: write it, or choose none.", what=translated(what)),
        )
    if len(text) > longest:
        yield Problem(
            place,
            _(
                "The %(what)s has %(count)s characters, WhatsApp takes %(longest)s: shorten it.",
                what=translated(what),
                count=figure(len(text)),
                longest=figure(longest),
            ),
        )


def _of_variables(place: str, text: str, component: Component, *, named: bool) -> Iterator[Problem]:
    names = variables(text)
    if _BROKEN.search(re.sub(r"\{\{\s*\w+\s*\}\}", "", text)):
        yield Problem(place, _("Braces are open or hold something else: write a variable as {{1}} or {{first_name}}."))
    if named:
        if wrong := [name for name in names if not _VARIABLE_NAME.fullmatch(name)]:
            yield Problem(
                place, _("Name variables with a-z, 0-9 and _, a letter first: {{%(wrong)s}} is none.", wrong=wrong[0])
            )
    elif wrong := [name for name in names if not name.isdecimal()]:
        yield Problem(place, _("{{%(wrong)s}} has a name: choose named variables, or number them.", wrong=wrong[0]))
    elif set(names) != {str(number) for number in range(1, len(names) + 1)}:
        yield Problem(
            place, _("Number the variables from {{1}} without a gap: there are %(names)s.", names=", ".join(names))
        )
    examples = {slot.name: slot.example for slot in slots_of([{**component, "type": place.upper()}])}
    for name in names:
        if not (examples.get(f"{place}.{name}") or "").strip():
            yield Problem(
                f"{place}.example.{name}", _("Give an example for {{%(name)s}}: reviewers read it.", name=name)
            )
