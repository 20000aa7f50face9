"""Which language a page speaks."""

import re

import pytest
from flask import Flask

from bot import language
from bot.language import _
from bot.models.words import AddressKind
from bot.people import fields
from bot.people.fields import FieldError
from bot.providers import legacy_codes
from bot.why import remedies
from tests.dashboard.visitor import Visitor


@pytest.mark.parametrize(
    "asked, spoken",
    [("de-AT,de;q=0.9,en;q=0.5", "de"), ("en-GB,de;q=0.5", "en"), ("fr,ar", "en"), (";;=,\x7f", "en"), ("", "en")],
)
def test_before_anybody_signs_in_a_page_speaks_the_browser_s_language_or_english(
    visitor: Visitor, asked: str, spoken: str
) -> None:
    page = visitor.get("/sign-in", headers={"Accept-Language": asked})
    assert re.search(rf'<html lang="{spoken}"\s+dir="ltr"', page.text)
    assert ("<h1>Anmelden</h1>" in page.text) == (spoken == "de")


@pytest.mark.parametrize("path, said", [("/people", "Gespeichert."), ("/api/v1/people", "Saved.")])
def test_the_domain_speaks_as_the_page_that_asks_and_english_to_machines(app: Flask, path: str, said: str) -> None:
    """What a page looks at later, in a thread without its request, is said in its language, too."""
    with app.test_request_context(path, headers={"Accept-Language": "de"}):
        work = language.keep(lambda: _("Saved."))
        assert _("Saved.") == said
    assert (work(), _("Saved.")) == (said, "Saved.")


def test_an_app_that_knows_no_languages_speaks_english_beside_one_that_does(app: Flask) -> None:
    """The webhooks are answered by an app of their own in the same process."""
    assert app.extensions["babel"]
    with Flask("doors").test_request_context("/webhooks/x", headers={"Accept-Language": "de"}):
        assert _("Saved.") == "Saved."


def test_what_somebody_chose_for_themselves_outweighs_their_browser(coach: Visitor) -> None:
    english = {"Accept-Language": "en"}
    coach.post("/account/language", {"language": "de"})
    assert '<h2 id="language-title">Sprache</h2>' in coach.get("/account", headers=english).text
    coach.post("/account/language", {"language": ""})
    assert '<h2 id="language-title">Language</h2>' in coach.get("/account", headers=english).text
    refused = coach.post("/account/language", {"language": "tlh"})
    assert (refused.status_code, "English, Deutsch only." in refused.text) == (422, True)


def test_why_a_message_failed_is_said_in_the_reader_s_language_and_kept_in_english(app: Flask) -> None:
    kept = legacy_codes.MEANINGS[131026]
    with app.test_request_context("/inbox", headers={"Accept-Language": "de"}):
        assert (
            remedies.words(131026, kept)
            == "die Nachricht kann an diese Adresse nicht zugestellt werden (Fehler 131026)"
        )
    assert remedies.words(131026, kept) == "the message cannot be delivered to this address (error 131026)"


def test_a_role_is_called_by_its_name_in_the_reader_s_language(marketer: Visitor) -> None:
    assert "· Marketing" in marketer.get("/account", headers={"Accept-Language": "de"}).text
    assert "· marketer" in marketer.get("/account", headers={"Accept-Language": "en"}).text


def test_what_cannot_be_kept_of_somebody_is_refused_in_the_reader_s_language(app: Flask) -> None:
    """By the rules that programs and imports are told of in English, too."""
    told = {}
    for path, reader in (("/people", "page"), ("/api/v1/people", "program")):
        with app.test_request_context(path, headers={"Accept-Language": "de"}), pytest.raises(FieldError) as refused:
            fields.addresses(AddressKind.PHONE, "+49 30", None)
        told[reader] = str(refused.value)
    assert "lässt sich nicht verwenden, weil ihre Ortsvorwahl fehlt: Schreiben Sie Plus" in told["page"]
    assert "cannot be used because its area code is missing: write plus" in told["program"]
