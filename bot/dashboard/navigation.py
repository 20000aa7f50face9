"""The navigation on the left: one table, of which everybody sees what their role may open."""

from collections.abc import Iterator
from dataclasses import dataclass

from flask import current_app, request, url_for

from bot.dashboard import access
from bot.language import later, translated
from bot.models.words import Environment
from bot.team import permissions


@dataclass(frozen=True, slots=True)
class Item:
    label: str
    icon: str
    endpoint: str
    prefixes: tuple[str, ...]
    """Addresses that belong to it, besides its own."""


ITEMS = (
    Item(later("Start"), "start", "home.index", ()),
    Item(later("Inbox"), "inbox", "inbox.index", ("/inbox",)),
    Item(later("People"), "people", "listing.index", ("/people",)),
    Item(later("Segments & imports"), "segments", "segments.index", ("/segments", "/imports")),
    Item(later("Broadcasts"), "broadcasts", "broadcasts.index", ("/broadcasts", "/templates")),
    Item(later("Reminders"), "reminders", "reminders.index", ("/reminders",)),
    Item(later("Journeys"), "journeys", "journeys.index", ("/journeys",)),
    Item(later("Insights"), "insights", "insights.index", ("/insights",)),
    Item(later("Goals"), "goals", "goals.index", ("/goals",)),
    Item(later("Logs"), "log", "logs.index", ("/logs",)),
    Item(
        later("Connections"), "connections", "connections.index", ("/connections", "/events", "/quarantine", "/alerts")
    ),
    Item(later("Team"), "team", "team.index", ("/team",)),
)


@dataclass(frozen=True, slots=True)
class Link:
    label: str
    icon: str
    href: str
    current: bool


def links() -> Iterator[Link]:
    operator = access.signed_in()
    if operator is None:
        return
    for item in ITEMS:
        if item.endpoint in current_app.view_functions and permissions.may(operator.role, item.endpoint):
            yield Link(translated(item.label), item.icon, url_for(item.endpoint), _is_current(item))


def environments() -> Iterator[Link]:
    """The same section in each environment; from the page of one thing, the list it is in."""
    section = next((item.endpoint for item in ITEMS if _is_current(item)), "home.index")
    for environment in Environment:
        href = url_for(section, environment=environment.value)
        yield Link(translated(environment.title()), environment, href, environment is access.environment())


def _is_current(item: Item) -> bool:
    return request.endpoint == item.endpoint or request.path.startswith(item.prefixes)
