"""One `<<…>>`, parsed by Jinja2 and found to hold nothing but an attribute of the user and filters of the table.

Whatever else Jinja2 could do (calls, other names, arithmetic, loops) is refused here, on the tree, before anything is
compiled: the sandbox alone would let some of it through, and all of it could be made to run for minutes.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

from jinja2 import TemplateError, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from bot.language import _

LONGEST_PLACEHOLDER: Final = 300
LONGEST_ARGUMENT: Final = 200
LINK: Final = "link:"
"""What `<<link.course>>` reads begins with it, in the values of a person: see bot/people/links.py."""
_LINK_PARTS: Final = 2

FILTERS: Final[dict[str, Callable[..., str]]] = {
    "default": lambda value, instead: value if value.strip() else instead,
    "upper": str.upper,
    "lower": str.lower,
    "capitalize": str.capitalize,
    "title": str.title,
    "trim": str.strip,
}

_TYPOGRAPHIC_QUOTES = re.compile("[\u2018\u2019\u201c\u201d\u201e\u00ab\u00bb]")


class PlaceholderError(ValueError):
    """A text that cannot be personalised; the message names the placeholder and the remedy, never a value."""


@dataclass(frozen=True, slots=True)
class Placeholder:
    attribute: str
    """What it reads, without `user.`: "office.no"; of a tracked link "link:course"."""
    has_default: bool
    filters: tuple[nodes.Filter, ...]
    """Innermost first."""

    def expression(self, variable: str) -> nodes.Expr:
        """Its filters around a variable of its own: rendering is a flat look-up and never getattr."""
        tree: nodes.Expr = nodes.Name(variable, "load", lineno=1)
        for each in self.filters:
            tree = nodes.Filter(tree, each.name, each.args, [], None, None, lineno=1)
        return tree


def environment() -> ImmutableSandboxedEnvironment:
    """Jinja2 that knows `<<` `>>` only: no text holds a NUL, so what begins with one is never found."""
    made = ImmutableSandboxedEnvironment(
        variable_start_string="<<",
        variable_end_string=">>",
        block_start_string="\0{%",
        block_end_string="%}\0",
        comment_start_string="\0{#",
        comment_end_string="#}\0",
        autoescape=False,
    )
    made.filters = dict(FILTERS)
    made.tests = {}
    made.globals = {}
    return made


jinja = environment()


def read(source: str) -> Placeholder:
    """Check `<<…>>`, signs included; raises PlaceholderError."""
    _refuse_odd_characters(source)
    filters: list[nodes.Filter] = []
    tree = _parse(source)
    while isinstance(tree, nodes.Filter) and tree.node is not None:
        _check_filter(source, tree)
        filters.insert(0, tree)
        tree = tree.node
    return Placeholder(_attribute(source, tree), any(_is_default(each) for each in filters), tuple(filters))


def _refuse_odd_characters(source: str) -> None:
    trouble = None
    if not source.endswith(">>"):
        trouble = _("is opened and never closed. Add >>, or write < < for the two signs themselves.")
    elif len(source) > LONGEST_PLACEHOLDER:
        trouble = _("is longer than %(most)s characters. Shorten it.", most=LONGEST_PLACEHOLDER)
    elif _TYPOGRAPHIC_QUOTES.search(source):
        trouble = _("has typographic quotes. Use straight ones: default('there').")
    elif "\\" in source:
        trouble = _('has a backslash. For an apostrophe, write default("…").')
    if trouble:
        raise PlaceholderError(f"{_shown(source)} {trouble}")


def _parse(source: str) -> nodes.Expr:
    inner = source[2:-2].strip()
    try:
        body = jinja.parse(source).body
    except (TemplateError, RecursionError, ValueError):
        body = []
    match body:
        case [nodes.Output(nodes=[nodes.Expr() as expression])] if inner[:1] not in "+-" and inner[-1:] not in "+-":
            return expression
    raise PlaceholderError(_not_an_attribute(source))


def _attribute(source: str, tree: nodes.Expr) -> str:
    path: list[str] = []
    while isinstance(tree, nodes.Getattr):
        path.insert(0, tree.attr)
        tree = tree.node
    if isinstance(tree, nodes.Name) and tree.name == "link" and 0 < len(path) <= _LINK_PARTS:
        return LINK + ".".join(path)
    if not isinstance(tree, nodes.Name) or tree.name != "user" or not path:
        raise PlaceholderError(_not_an_attribute(source))
    if any(part.startswith("_") for part in path):
        told = _("%(placeholder)s: no attribute begins with an underscore. Leave it out.", placeholder=_shown(source))
        raise PlaceholderError(told)
    return ".".join(path)


def _not_an_attribute(source: str) -> str:
    word = source[2:-2].strip()
    example = f"user.{word}" if word.isidentifier() and word.lower() != "user" else "user.first_name"
    return _(
        "%(placeholder)s is not an attribute of the user. Write <<%(example)s>>,"
        " or <<%(example)s|default('there')>> for people without one.",
        placeholder=_shown(source),
        example=example,
    )


def _check_filter(source: str, tree: nodes.Filter) -> None:
    if tree.name not in FILTERS:
        near = get_close_matches(tree.name, FILTERS, 1)
        usual = _("For people without a value, write default('there').")
        remedy = _("Did you mean %(name)s?", name=near[0]) if near else usual
        told = _(
            "%(placeholder)s: there is no filter %(name)s. %(remedy)s The filters are %(known)s.",
            placeholder=_shown(source),
            name=tree.name[:40],
            remedy=remedy,
            known=", ".join(FILTERS),
        )
        raise PlaceholderError(told)
    if tree.kwargs or tree.dyn_args or tree.dyn_kwargs or not _arguments_fit(tree):
        is_text = tree.name == "default"
        takes = _("one short text in quotes: default('there')") if is_text else _("nothing in brackets")
        told = _("%(placeholder)s: %(name)s takes %(what)s.", placeholder=_shown(source), name=tree.name, what=takes)
        raise PlaceholderError(told)


def _arguments_fit(tree: nodes.Filter) -> bool:
    if tree.name != "default":
        return not tree.args
    match tree.args:
        case [nodes.Const(value=str() as instead)]:
            return len(instead) <= LONGEST_ARGUMENT
    return False


def _is_default(tree: nodes.Filter) -> bool:
    match tree:
        case nodes.Filter(name="default", args=[nodes.Const(value=str() as instead)]):
            return bool(instead.strip())
    return False


def _shown(source: str) -> str:
    """The placeholder as it stands in the text, cut to what a reader needs to find it."""
    line = " ".join(source.split())
    return line if len(line) <= 80 else f"{line[:77]}…"
