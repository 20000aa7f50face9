"""What pages say, found in the code and written into the catalogues: `make translations` runs it, the guards ask it."""

import functools
import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po, write_po

from bot.language import LANGUAGES, SOURCE

ROOT = Path(__file__).parents[2]
PACKAGES = {
    "bot": ("bot/**/*.py", "templates/*.html", "templates/dashboard/**/*.html", "templates/dashboard/**/*.txt"),
    "broadcasts": ("broadcasts/**/*.py", "templates/broadcasts/**/*.html"),
    "webhooks": ("webhooks/**/*.py", "templates/webhooks/**/*.html"),
}
"""Package → where it says something. What `bot` says already is not translated again by the others."""
OTHERS = tuple(code for code in LANGUAGES if code != SOURCE)

_METHODS = {".py": "python", ".html": "jinja2.ext.babel_extract", ".txt": "jinja2.ext.babel_extract"}
_KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2), "later": None, "pgettext": ((1, "c"), 2)}
_OPTIONS = {"trimmed": "true", "newstyle_gettext": "true", "silent": "false", "trim_blocks": "true"}
_WIDTH = 120


def path_of(package: str, code: str) -> Path:
    return ROOT / package / "translations" / code / "LC_MESSAGES" / "messages.po"


def read(package: str, code: str) -> Catalog:
    with path_of(package, code).open("rb") as file:
        return read_po(file, locale=code)


@functools.cache
def said(package: str) -> Catalog:
    """What the package's code and pages say, as a catalogue without translations."""
    found = Catalog(project="Backchat", charset="utf-8")
    known = said("bot") if package != "bot" else Catalog()
    for path in _files(package):
        name = str(path.relative_to(ROOT))
        for line, message, _, context in extract_from_file(
            _METHODS[path.suffix], path, keywords=_KEYWORDS, options={} if path.suffix == ".py" else _OPTIONS
        ):
            if known.get(message, context) is None:
                found.add(message, None, [(name, line)], context=context)
    return found


def update(package: str, code: str) -> int:
    """Write into the catalogue what is new, take out what is gone; returns how many have no translation."""
    catalogue, template = read(package, code), said(package)
    template.creation_date = catalogue.creation_date
    catalogue.update(template, no_fuzzy_matching=True)
    catalogue.obsolete.clear()
    written = BytesIO()
    write_po(written, catalogue, width=_WIDTH, include_lineno=False)
    path_of(package, code).write_bytes(written.getvalue())
    return len(list(untranslated(catalogue)))


def untranslated(catalogue: Catalog) -> Iterator[str]:
    for message in catalogue:
        parts = message.string if isinstance(message.string, tuple | list) else (message.string,)
        if message.id and not all(parts):
            yield str(message.id)


def _files(package: str) -> Iterator[Path]:
    for pattern in PACKAGES[package]:
        yield from sorted(ROOT.glob(pattern))


if __name__ == "__main__":
    for each in PACKAGES:
        for other in OTHERS:
            sys.stdout.write(f"{each}, {LANGUAGES[other]}: {update(each, other)} without a translation\n")
