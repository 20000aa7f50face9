"""Which language a page speaks: the one its reader chose, else their browser's, else English; machines hear English."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from babel import Locale
from babel.dates import format_date, format_datetime
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations
from flask import Flask, current_app, g, has_app_context, has_request_context, request
from flask_babel import Babel, Domain, force_locale, get_locale, get_translations

from bot import language
from bot.language import LANGUAGES, SOURCE
from bot.team import permissions
from bot.team.sign_ins import SignedIn


class Catalogues(Domain):  # type: ignore[misc]  # flask_babel has no types
    """Catalogues as translators write them, compiled in memory on the first question: no build, nothing to forget."""

    def get_translations(self) -> NullTranslations:
        spoken_now = get_locale()
        code = spoken_now.language if spoken_now else SOURCE  # its name as a text is made anew at each question
        if code not in self.cache:
            self.cache[code] = self._read(code)
        found: NullTranslations = self.cache[code]
        return found

    def _read(self, code: str) -> NullTranslations:
        if code == SOURCE:
            return NullTranslations()
        found: Translations | None = None
        for folder in self.translation_directories:
            compiled = io.BytesIO()
            with Path(folder, code, "LC_MESSAGES", "messages.po").open("rb") as file:
                write_mo(compiled, read_po(file, locale=code))
            compiled.seek(0)
            package = Translations(compiled)
            found = package if found is None else found.add(package, merge=True)
        return found or NullTranslations()


def init(app: Flask) -> None:
    """Expects BABEL_TRANSLATION_DIRECTORIES, one folder per package that says something on pages."""
    babel = Babel(app, locale_selector=chosen)
    babel.domain_instance = Catalogues()
    app.jinja_env.policies["ext.i18n.trimmed"] = True
    app.jinja_env.filters.update(translated=language.translated, number=language.figure)
    app.jinja_env.globals.update(locale=locale, languages=LANGUAGES)
    language.follow(_of_reader)


def _of_reader() -> NullTranslations:
    """The webhooks' own small app beside ours, which providers are answered by, knows no languages."""
    if has_app_context() and "babel" not in current_app.extensions:
        return NullTranslations()
    found: NullTranslations = get_translations()
    return found


def chosen() -> str:
    """Asks nobody: an error page must find its language without a database."""
    if not has_request_context() or permissions.is_for_machines(request.endpoint):
        return SOURCE
    me: SignedIn | None = g.get("signed_in")
    if me is not None and me.language in LANGUAGES:
        return me.language
    return next(_asked_for(), SOURCE)


def _asked_for() -> Iterator[str]:
    """Of what the browser asks for, best first, what there is: somebody from Vienna (de-AT) reads German."""
    for tag, quality in request.accept_languages:
        code = tag.replace("_", "-").partition("-")[0].lower()
        if quality > 0 and code in LANGUAGES:
            yield code


@contextmanager
def speaking(app: Flask, code: str) -> Iterator[None]:
    """For what is written to nobody's request, such as a mail."""
    with app.test_request_context(), force_locale(code):
        yield


def locale() -> Locale:
    return get_locale() or Locale.parse(SOURCE)


def written(at: date, pattern: str) -> str:
    """A date, or a local date and time, by a pattern of Unicode's: each language has its own in the catalogue."""
    make = format_datetime if hasattr(at, "hour") else format_date
    return make(at, pattern, locale=locale())
