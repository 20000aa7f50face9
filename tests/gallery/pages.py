"""Every page there is, and the states that a page can be in; a test compares the first with the app's routes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from flask import Flask, url_for
from playwright.sync_api import Page, expect

from tests.gallery.school import School

NOT_LOOKED_AT = {
    "a file": (
        "alerts.export audit.export bootstrap.static erasure.export events.body events.export"
        " import_files.comments import_files.original import_files.rest inbox.export_report"
        " import_files.sample_file goals.export insights.export listing.export logs.export media.show quarantine.export"
        " rates.export raw_data.download recipients.broadcasts recipients.export reminders.export segments.download"
        " static templates.export"
    ),
    "leads to wherever the team said": "links.follow",
    "leads to the team's identity provider, and back to the sign-in": "single_sign_on.begin single_sign_on.finish",
    "a part of a page, looked at there": (
        "connections.live preflight_gaps.count drafts.tests imports.live imports.together_live inbox.contact"
        " inbox.count_mentions inbox.listen inbox.listen_mentions inbox.live inbox.mention_rows inbox.offer_canned"
        " inbox.preview_template inbox.rows inbox.stream ledger.live ledger.stream preflight.part"
        " raw_data.bigquery raw_data.live segments.live templates.live"
    ),
}

STRANGER = ""
HALF = "half signed in"
"""Noor, who has typed her password and not yet a code."""
NOBODY_YET = {"environment": "test"}
"""Nothing has happened in the school's test environment."""


@dataclass(frozen=True, slots=True)
class Look:
    """A page's name in a picture's file; `values` of its address are constants, or names in School.ids or .secrets."""

    name: str
    endpoint: str
    values: Mapping[str, str] = field(default_factory=dict)
    who: str = "Mara Lindqvist"
    do: Callable[[Page], None] | None = None
    """What brings the page into the state that is looked at."""
    language: str = "en"
    """What the browser asks for."""

    def address(self, app: Flask, school: School) -> str:
        known: Mapping[str, Any] = {**school.ids, **school.secrets}
        values = {name: known.get(value, value) for name, value in self.values.items()}
        with app.test_request_context():
            return url_for(self.endpoint, **values)


def ask_again(page: Page) -> None:
    """Send the form as it stands, past what the browser itself would say."""
    page.locator("main form[method=post]:not(.d-inline)").last.evaluate("form => { form.noValidate = true }")
    page.locator("main form[method=post]:not(.d-inline)").last.locator("button").last.click()
    page.wait_for_load_state()


def refuse_sign_in(page: Page) -> None:
    page.get_by_label("E-mail").fill("mara@lingua.example")
    page.get_by_label("Password").fill("not hers")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_be_visible()


def press(*keys: str) -> Callable[[Page], None]:
    def do(page: Page) -> None:
        for key in keys:
            page.keyboard.press(key)

    return do


def open_menu(words: str) -> Callable[[Page], None]:
    def do(page: Page) -> None:
        page.locator(".work-more > summary", has_text=words).click()
        expect(page.locator(".work-more[open] form")).to_be_visible()

    return do


def see_contact(page: Page) -> None:
    page.keyboard.press("p")
    expect(page.locator("#contact h2")).to_be_visible()


def offer_answers(page: Page) -> None:
    page.keyboard.press("/")
    expect(page.locator("#canned [role=option]").first).to_be_visible()


def unfold(page: Page) -> None:
    """All but menus, of which one is open at a time."""
    page.evaluate("for (const e of document.querySelectorAll('main details:not(.work-more)')) e.open = true")


LOOKS = (
    Look("start", "home.index"),
    Look("account", "account.index"),
    Look("second-factor", "factor.index"),
    Look("inbox", "inbox.index"),
    Look("inbox-closed", "inbox.index", {"state": "closed"}),
    Look("inbox-keys", "inbox.index", do=press("?")),
    Look("inbox-filters", "inbox.index", do=unfold),
    Look("thread", "inbox.thread", {"conversation_id": "conversation_id"}, who="Noor Haddad"),
    Look("thread-window-closed", "inbox.thread", {"conversation_id": "shut_id"}, who="Noor Haddad"),
    Look("thread-closed", "inbox.thread", {"conversation_id": "closed_id"}, who="Noor Haddad"),
    Look("thread-contact", "inbox.thread", {"conversation_id": "conversation_id"}, "Noor Haddad", see_contact),
    Look("thread-keys", "inbox.thread", {"conversation_id": "conversation_id"}, "Noor Haddad", press("?")),
    Look("thread-answers", "inbox.thread", {"conversation_id": "conversation_id"}, "Noor Haddad", offer_answers),
    Look("thread-unfolded", "inbox.thread", {"conversation_id": "conversation_id"}, "Noor Haddad", unfold),
    Look("thread-hand-over", "inbox.thread", {"conversation_id": "conversation_id"}, "Noor Haddad", open_menu("Hand")),
    Look("thread-label", "inbox.thread", {"conversation_id": "conversation_id"}, "Noor Haddad", open_menu("Label")),
    Look("thread-read-only", "inbox.thread", {"conversation_id": "conversation_id"}, who="Ben Adler"),
    Look("inbox-search", "inbox.search", {"q": "evening"}),
    Look("inbox-mentions", "inbox.mentions", who="Tomás Herrera"),
    Look("inbox-report", "inbox.report"),
    Look("inbox-labels", "inbox.tags"),
    Look("inbox-settings", "inbox.settings"),
    Look("answers-at-hand", "canned.index"),
    Look("people", "listing.index"),
    Look("people-nobody-found", "listing.index", {"search": "nobody is called this"}),
    Look("person-new", "listing.new"),
    Look("person-new-problems", "listing.new", do=ask_again),
    Look("person", "people.show", {"person_id": "person_id"}),
    Look("person-unfolded", "people.show", {"person_id": "person_id"}, do=unfold),
    Look("person-messages", "notifications.index", {"person_id": "person_id"}),
    Look("person-message", "notifications.show", {"person_id": "person_id", "message_id": "message_id"}),
    Look("person-why", "why.show", {"person_id": "person_id"}),
    Look("person-merge", "merging.show", {"person_id": "person_id", "with": "other_id"}),
    Look("person-erase", "erasure.show", {"person_id": "person_id"}),
    Look("person-contact", "reveal.ask", {"person_id": "person_id"}),
    Look("properties", "properties.index"),
    Look("topics", "topics.index"),
    Look("stop-words", "stop_words.index", do=unfold),
    Look("segments", "segments.index"),
    Look("segment", "segments.show", {"segment_id": "segment_id"}),
    Look("segment-by-rule", "segments.show", {"segment_id": "rule_id"}),
    Look("segment-new", "segments.new"),
    Look("segment-edit", "segments.edit", {"segment_id": "rule_id"}),
    Look("segment-of-broadcast", "segments.of_outcome", {"broadcast": "broadcast_id", "outcome": "failed"}),
    Look("imports", "imports.index"),
    Look("import-new", "imports.new"),
    Look("import-new-problems", "imports.new", do=ask_again),
    Look("import-preview", "imports.show", {"import_id": "import_id"}),
    Look("import-done", "imports.show", {"import_id": "done_import_id"}),
    Look("import-rows", "import_rows.show", {"import_id": "import_id"}),
    Look("imports-together", "imports.together", {"run": "import_id"}),
    Look("templates", "templates.index"),
    Look("template", "templates.show", {"template_id": "template_id"}),
    Look("template-rejected", "templates.show", {"template_id": "rejected_id"}),
    Look("template-new", "templates.new"),
    Look("template-new-problems", "templates.new", do=ask_again),
    Look("template-edit", "templates.edit", {"template_id": "rejected_id"}),
    Look("broadcasts", "broadcasts.index"),
    Look("broadcast", "broadcasts.show", {"broadcast_id": "broadcast_id"}),
    Look("broadcast-done", "broadcasts.show", {"broadcast_id": "finished_id"}),
    Look("broadcast-people", "recipients.index", {"broadcast_id": "broadcast_id"}),
    Look("broadcast-pace", "control.ask_pace", {"broadcast_id": "broadcast_id"}),
    Look("broadcast-retry", "control.ask_retry", {"broadcast_id": "finished_id"}),
    Look("draft", "broadcasts.show", {"broadcast_id": "draft_id"}),
    Look("draft-new", "drafts.new"),
    Look("draft-problems", "drafts.new", do=ask_again),
    Look("draft-edit", "drafts.edit", {"broadcast_id": "draft_id"}),
    Look("draft-unfolded", "drafts.edit", {"broadcast_id": "draft_id"}, do=unfold),
    Look("preflight", "preflight.show", {"broadcast_id": "draft_id"}),
    Look("preflight-people", "preflight_gaps.show", {"broadcast_id": "draft_id"}),
    Look("rates", "rates.index"),
    Look("policy", "policy.index"),
    Look("reminders", "reminders.index"),
    Look("journeys", "journeys.index"),
    Look("journey", "journeys.show", {"journey_id": "journey_id"}),
    Look("insights", "insights.index", do=unfold),
    Look("insights-refused", "insights.index", {"period": "dates"}),
    Look("insights-block", "insights.show", {"name": "authors-stack"}),
    Look("goals", "goals.index"),
    Look("goal", "goals.show", {"goal_id": "goal_id"}, do=unfold),
    Look("goal-people", "goals.people", {"goal_id": "goal_id", "group": "left"}),
    Look("goal-new", "goals.new"),
    Look("links", "links.index"),
    Look("goal-edit", "goals.edit", {"goal_id": "goal_id"}),
    Look("raw-data", "raw_data.index"),
    Look("summaries", "summaries.index"),
    Look("summary-stop", "summaries.leave", {"word": "stop_word"}, who=STRANGER),
    Look("log", "logs.index"),
    Look("connections", "connections.index"),
    Look("connection", "connections.show", {"slug": "lingua"}),
    Look("events", "events.index"),
    Look("event", "events.show", {"event_id": "event_id"}),
    Look("event-unread", "events.show", {"event_id": "odd_event_id"}),
    Look("quarantine", "quarantine.index"),
    Look("alerts", "alerts.index"),
    Look("team", "team.index"),
    Look("team-unfolded", "team.index", do=unfold),
    Look("member", "member.show", {"operator_id": "operator_id"}),
    Look("permission-sets", "sets.index", do=unfold),
    Look("tokens", "tokens.index", do=unfold),
    Look("audit", "audit.index"),
    Look("no-such-page", "people.show", {"person_id": "999999"}),
    Look("not-allowed", "team.index", who="Ben Adler"),
    Look("german-thread", "inbox.thread", {"conversation_id": "conversation_id"}, "Noor Haddad", unfold, "de"),
    Look(
        "german-label", "inbox.thread", {"conversation_id": "conversation_id"}, "Noor Haddad", open_menu("Label"), "de"
    ),
    Look("german-people", "listing.index", language="de"),
    Look("german-problems", "listing.new", do=ask_again, language="de"),
    Look("german-broadcast", "broadcasts.show", {"broadcast_id": "broadcast_id"}, language="de"),
    Look("empty-inbox", "inbox.index", NOBODY_YET),
    Look("empty-people", "listing.index", NOBODY_YET),
    Look("empty-segments", "segments.index", NOBODY_YET),
    Look("empty-broadcasts", "broadcasts.index", NOBODY_YET),
    Look("empty-templates", "templates.index", NOBODY_YET),
    Look("empty-reminders", "reminders.index", NOBODY_YET),
    Look("empty-journeys", "journeys.index", NOBODY_YET),
    Look("empty-insights", "insights.index", NOBODY_YET),
    Look("empty-goals", "goals.index", NOBODY_YET),
    Look("empty-raw-data", "raw_data.index", NOBODY_YET),
    Look("sign-in", "sign_in.form", who=STRANGER),
    Look("sign-in-refused", "sign_in.form", who=STRANGER, do=refuse_sign_in),
    Look("sign-in-code", "sign_in.ask_code", who=HALF),
    Look("join", "joining.show", {"secret": "join"}, who=STRANGER),
    Look("new-password", "joining.reset", {"secret": "reset"}, who=STRANGER),
    Look("link-gone", "joining.show", {"secret": "of last year"}, who=STRANGER),
)
