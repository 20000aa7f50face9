import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from flask import Flask
from flask.sessions import SecureCookieSessionInterface
from playwright.sync_api import Browser, ConsoleMessage, Page, Playwright, sync_playwright

from bot.dashboard import site
from bot.models.words import Role
from bot.runtime import Runtime
from bot.team import sign_ins
from tests import factories


def find() -> str | None:
    """Path of the Chromium that is installed here, if any."""
    return shutil.which("chromium") or shutil.which("chromium-browser")


def launch(playwright: Playwright) -> Browser:
    """Draws as a browser without a graphics card does: to act one costs more than our pages."""
    return playwright.chromium.launch(executable_path=find(), args=["--no-sandbox", "--disable-gpu"])


@contextmanager
def started() -> Iterator[Browser]:
    """A browser for all tests of a file: to start one costs more than many a page."""
    with sync_playwright() as playwright:
        browser = launch(playwright)
        try:
            yield browser
        finally:
            browser.close()


def sign_in(page: Page, rt: Runtime, role: Role = Role.MARKETER, *, url: str = "") -> int:
    """As a new team member, whose id is told, as if by the form: without an argon2id hash and two pages."""
    with rt.transaction() as session:
        operator_id = factories.make_operator(session, role).id
        secret = sign_ins.begin(session, operator_id)
    hold(page, url or rt.settings.base_url, site._cookie_key(rt.settings.secret_key), {"secret": secret})
    return operator_id


def hold(page: Page, url: str, key: bytes, held: Mapping[str, str]) -> None:
    """Let the browser have the cookie of the pages there, with what they would have put into it."""
    signing = Flask("signing")
    signing.secret_key = key
    serializer = SecureCookieSessionInterface().get_signing_serializer(signing)
    assert serializer is not None
    page.context.add_cookies([{"name": "backchat", "value": str(serializer.dumps(held)), "url": url}])


@contextmanager
def open_page(base_url: str, browser: Browser | None = None) -> Iterator[Page]:
    """A page in a browser without a window; it says yes to every question, and a script's error fails the test."""
    with open_pages(base_url, 1, browser) as (page,):
        yield page


@contextmanager
def open_pages(base_url: str, count: int, browser: Browser | None = None) -> Iterator[list[Page]]:
    """As open_page, for several people at once: each with cookies of their own."""
    if browser is None:
        with started() as own, open_pages(base_url, count, own) as pages:
            yield pages
        return
    errors: list[str] = []

    def note(message: ConsoleMessage) -> None:
        """That somebody else was first, 409, is an answer the page shows and no error of its script."""
        if message.type == "error" and "status of 409" not in message.text:
            errors.append(message.text)

    contexts = [browser.new_context(base_url=base_url) for _ in range(count)]
    pages = [context.new_page() for context in contexts]
    for page in pages:
        page.on("dialog", lambda dialog: dialog.accept())
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", note)
    try:
        yield pages
    finally:
        for context in contexts:
            context.close()
    assert errors == []
