"""Which language a page speaks."""

import re

import pytest

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


def test_machines_are_told_english_whatever_they_ask_for(visitor: Visitor) -> None:
    answer = visitor.client.get("/api/v1/people", headers={"Accept-Language": "de"})
    assert answer.json is not None
    assert answer.json["error"]["message"].startswith("Send a token")


def test_what_somebody_chose_for_themselves_outweighs_their_browser(coach: Visitor) -> None:
    english = {"Accept-Language": "en"}
    coach.post("/account/language", {"language": "de"})
    assert '<h2 id="language-title">Sprache</h2>' in coach.get("/account", headers=english).text
    coach.post("/account/language", {"language": ""})
    assert '<h2 id="language-title">Language</h2>' in coach.get("/account", headers=english).text
    refused = coach.post("/account/language", {"language": "tlh"})
    assert (refused.status_code, "English, Deutsch only." in refused.text) == (422, True)
