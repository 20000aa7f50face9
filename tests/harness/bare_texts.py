"""Finds what a template says without asking the translator."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser

from jinja2 import Environment, nodes

SPOKEN = {"title", "aria-label", "aria-description", "placeholder", "alt", "label", "summary"}
"""Attributes that people read or hear; of data-… those whose value is a sentence."""
OURS = {"Backchat", "WhatsApp"}

_ENVIRONMENT = Environment(extensions=["jinja2.ext.i18n"], trim_blocks=True, lstrip_blocks=True)
_ASKING = {"_", "gettext", "ngettext", "pgettext"}
_CLASSES, _ENDS = "body_class", {"endtrans", "endblock"}
_ATTRIBUTE = re.compile(r'[\w-]+="[^"]*"')
"""As a macro writes it that is called within a tag."""
_WORD = re.compile(r"[^\W\d_]{2,}")
_SENTENCE = re.compile(r"[A-Z][a-z']*(?: |$|[,.:…]).*|[^.]*[a-z]{2,}[,.:?!…] .*|.* [a-z]+ .*|.* [A-Z]?[a-z]{3,}")
_DRAWING = re.compile(r"[Mm][\d\s.,-][MmLlHhVvAaCcZzSsQqTt\d\s.,-]+")


class Texts(HTMLParser):
    """What is read of a page: its text, and the attributes that are spoken."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._silent += tag in {"script", "style", "code", "kbd", "samp"}
        self.found += [value for name, value in attrs if value and is_spoken(name, value)]

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in {"script", "style", "code", "kbd", "samp"}

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.found.append(_ATTRIBUTE.sub("", data))


def is_spoken(name: str, value: str) -> bool:
    return name in SPOKEN or (name.startswith("data-") and " " in value.strip())


def bare_texts(source: str) -> Iterator[str]:
    """Each text of the page, and each string in an expression that reads like one, outside of `_()`."""
    reader = Texts()
    reader.feed(_html(source))
    reader.close()
    yield from (text.strip() for text in reader.found if _is_text(text))
    yield from _in_expressions(_ENVIRONMENT.parse(source), asked=False)


def _is_text(text: str) -> bool:
    return any(word not in OURS for word in _WORD.findall(text))


def _html(source: str) -> str:
    """The template with its expressions as a digit each: what stands between them is the page."""
    kept, is_left_out = [], False
    tokens = list(_ENVIRONMENT.lex(source))
    for place, (_, kind, value) in enumerate(tokens):
        if kind == "block_begin":
            words = [text for _, sort, text in tokens[place + 1 : place + 5] if sort == "name"]
            is_left_out = (
                words[0] == "trans" or words[:2] == ["block", _CLASSES] or (is_left_out and words[0] not in _ENDS)
            )
            kept.append(" ")
        elif kind == "variable_begin" and not is_left_out:
            kept.append("0")
        elif kind == "data" and not is_left_out:
            kept.append(value)
    return "".join(kept)


def _in_expressions(node: nodes.Node, *, asked: bool) -> Iterator[str]:
    if isinstance(node, nodes.Call) and isinstance(node.node, nodes.Name) and node.node.name in _ASKING:
        if not isinstance(node.args[0] if node.args else None, nodes.Const):
            yield f"line {node.lineno}: _() takes a written text; a word of a table goes through |translated"
        asked = True
    if isinstance(node, nodes.Name) and node.name == "_" and node.ctx == "store":
        yield f"line {node.lineno}: _ is the translator; give what is not needed another name"
    if isinstance(node, nodes.Compare | nodes.TemplateData | nodes.Extends | nodes.Include | nodes.FromImport):
        return
    if isinstance(node, nodes.Const) and isinstance(node.value, str) and not asked and _reads_like_text(node.value):
        yield node.value
    for child in node.iter_child_nodes():
        yield from _in_expressions(child, asked=asked and not isinstance(node, nodes.Keyword))


def _reads_like_text(value: str) -> bool:
    """Not a name, a class, a method or a drawing: it begins as a sentence does, or has words and their signs."""
    return (
        bool(_SENTENCE.fullmatch(value)) and not _DRAWING.fullmatch(value) and not value.isupper() and _is_text(value)
    )
