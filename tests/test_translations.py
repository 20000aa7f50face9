"""Nobody forgets a translation: catalogues are complete and current, and no page says anything past `_()`."""

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


def texts(catalogue: Catalog) -> set[str]:
    return {str(message.id) for message in catalogue if message.id}


def differences(message: Message) -> Iterator[str]:
    """A straight quotation mark of the translator's own would end an attribute."""
    sources = message.id if isinstance(message.id, tuple | list) else (message.id,)
    translations = message.string if isinstance(message.string, tuple | list) else (message.string,)
    wanted = marks(sources[-1])
    for text in translations if message.id else ():
        lacks_count_only = len(sources) > 1 and marks(text) == marks(sources[0])
        if marks(text) != wanted and not lacks_count_only:
            yield f"{sources[-1]!r} has {wanted}, {text!r} has not"
        if text.count('"') > sources[-1].count('"') or ("<" in text) > ("<" in sources[-1]):
            yield f"{text!r} is not safe in an attribute"


def marks(text: str) -> list[str]:
    return sorted(PLACEHOLDER.findall(text) + TAG.findall(text))
