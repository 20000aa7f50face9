"""Nobody forgets a translation: catalogues are complete and current, and no page says anything past `_()`."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message

from tests.harness import catalogues
from tests.harness.bare_texts import bare_texts
from tests.harness.catalogues import OTHERS, PACKAGES, ROOT

TEMPLATES = sorted(ROOT.glob("templates/**/*.html"))
EACH = [(package, code) for package in PACKAGES for code in OTHERS]
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%%")
TAG = re.compile(r"</?\w+[^>]*>")

NOT_YET: frozenset[str] = frozenset()
"""Templates whose texts are still English alone."""


@pytest.mark.parametrize("package, code", EACH)
def test_a_catalogue_holds_what_its_package_says_and_nothing_else(package: str, code: str) -> None:
    """Red: run `make translations`, then translate what it counts."""
    kept, said = texts(catalogues.read(package, code)), texts(catalogues.said(package))
    assert (said - kept, kept - said) == (set(), set())


@pytest.mark.parametrize("package, code", EACH)
def test_everything_is_translated_and_no_translation_is_a_guess(package: str, code: str) -> None:
    catalogue = catalogues.read(package, code)
    assert list(catalogues.untranslated(catalogue)) == []
    assert [message.id for message in catalogue if message.id and message.fuzzy] == []


@pytest.mark.parametrize("package, code", EACH)
def test_a_translation_has_the_placeholders_and_tags_of_its_source(package: str, code: str) -> None:
    assert [finding for message in catalogues.read(package, code) for finding in differences(message)] == []


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_template_says_nothing_past_the_translator(path: Path) -> None:
    if str(path.relative_to(ROOT / "templates")) not in NOT_YET:
        assert list(bare_texts(path.read_text())) == []


def test_what_a_page_flashes_is_translated() -> None:
    paths = [path for package in PACKAGES for path in sorted((ROOT / package).glob("**/*.py"))]
    assert [finding for path in paths for finding in bare_flashes(path)] == []


def bare_flashes(path: Path) -> Iterator[str]:
    """A text that is written into flash(), or into an abort() beside its status, instead of into `_()` there."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in {"flash", "abort"}:
            said = node.args[node.func.id == "abort" :][:1]
            if any(isinstance(part, ast.Constant | ast.JoinedStr) for argument in said for part in branches(argument)):
                yield f"{path.relative_to(ROOT)}:{node.lineno}: {ast.unparse(node)}"


def branches(said: ast.expr) -> Iterator[ast.expr]:
    if isinstance(said, ast.IfExp):
        yield from branches(said.body)
        yield from branches(said.orelse)
    else:
        yield said


def texts(catalogue: Catalog) -> set[str]:
    return {str(message.id) for message in catalogue if message.id}


def differences(message: Message) -> Iterator[str]:
    """A straight quotation mark of the translator's own would end an attribute."""
    sources = message.id if isinstance(message.id, tuple | list) else (message.id,)
    translations = message.string if isinstance(message.string, tuple | list) else (message.string,)
    wanted = marks(sources[-1])
    for text in (each or "" for each in translations) if message.id else ():
        lacks_count_only = len(sources) > 1 and marks(text) == marks(sources[0])
        if marks(text) != wanted and not lacks_count_only:
            yield f"{sources[-1]!r} has {wanted}, {text!r} has not"
        if text.count('"') > sources[-1].count('"') or ("<" in text) > ("<" in sources[-1]):
            yield f"{text!r} is not safe in an attribute"


def marks(text: str) -> list[str]:
    return sorted(PLACEHOLDER.findall(text) + TAG.findall(text))
