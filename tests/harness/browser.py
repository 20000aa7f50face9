import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, ConsoleMessage, Page, Playwright, expect, sync_playwright

from bot.models.words import Role
from bot.runtime import Runtime
from tests import factories


def find() -> str | None:
    """Path of the Chromium that is installed here, if any."""
    return shutil.which("chromium") or shutil.which("chromium-browser")


def launch(playwright: Playwright) -> Browser:
    """Draws as a browser without a graphics card does: to act one costs more than our pages."""
    return playwright.chromium.launch(executable_path=find(), args=["--no-sandbox", "--disable-gpu"])


def sign_in(page: Page, rt: Runtime, role: Role = Role.MARKETER) -> None:
    """As a new team member."""
    with rt.transaction() as session:
        email = factories.make_operator(session, role).email
    page.goto("/sign-in")
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(factories.PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_label("Password")).to_have_count(0)


@contextmanager
def open_page(base_url: str) -> Iterator[Page]:
    """A page in a browser without a window; it says yes to every question, and a script's error fails the test."""
    with open_pages(base_url, 1) as (page,):
        yield page


@contextmanager
def open_pages(base_url: str, count: int) -> Iterator[list[Page]]:
    """As open_page, for several people at once: each with cookies of their own."""
    errors: list[str] = []

    def note(message: ConsoleMessage) -> None:
        """That somebody else was first, 409, is an answer the page shows and no error of its script."""
        if message.type == "error" and "status of 409" not in message.text:
            errors.append(message.text)

    with sync_playwright() as playwright:
        browser = launch(playwright)
        pages = [browser.new_context(base_url=base_url).new_page() for _ in range(count)]
        for page in pages:
            page.on("dialog", lambda dialog: dialog.accept())
            page.on("pageerror", lambda error: errors.append(str(error)))
            page.on("console", note)
        try:
            yield pages
        finally:
            browser.close()
    assert errors == []
