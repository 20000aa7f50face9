import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Page, expect, sync_playwright

from bot.models.words import Role
from bot.runtime import Runtime
from tests import factories


def find() -> str | None:
    """Path of the Chromium that is installed here, if any."""
    return shutil.which("chromium") or shutil.which("chromium-browser")


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
    errors: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find(), args=["--no-sandbox"])
        page = browser.new_page(base_url=base_url)
        page.on("dialog", lambda dialog: dialog.accept())
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        try:
            yield page
        finally:
            browser.close()
    assert errors == []
