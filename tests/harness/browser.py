import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Page, sync_playwright


def find() -> str | None:
    """Path of the Chromium that is installed here, if any."""
    return shutil.which("chromium") or shutil.which("chromium-browser")


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
