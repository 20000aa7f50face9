"""What a browser calls itself, in two words that its owner recognises."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from bot.language import _
from bot.models.team import SignIn

# The first that is named counts: most browsers also name those they descend from.
_NAMES = (
    *(("Edg", "Edge"), ("OPR/", "Opera"), ("SamsungBrowser", "Samsung Internet"), ("Firefox/", "Firefox")),
    *(("FxiOS", "Firefox"), ("CriOS", "Chrome"), ("Chrome/", "Chrome"), ("Safari/", "Safari")),
)
_SYSTEMS = (
    *(("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Windows", "Windows")),
    *(("Mac OS X", "macOS"), ("CrOS", "ChromeOS"), ("Linux", "Linux")),
)


@dataclass(frozen=True, slots=True)
class Session:
    """A signed-in browser as a page shows it."""

    id: int
    browser: str
    address: str
    began_at: datetime
    seen_at: datetime


def listed(found: Iterable[SignIn]) -> list[Session]:
    return [Session(each.id, name(each.browser), each.address, each.created_at, each.seen_at) for each in found]


def name(agent: str) -> str:
    browser = next((said for mark, said in _NAMES if mark in agent), "")
    system = next((said for mark, said in _SYSTEMS if mark in agent), "")
    if browser and system:
        return _("%(browser)s on %(system)s", browser=browser, system=system)
    return browser or system or _("A browser that does not say which")
