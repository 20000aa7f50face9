"""All routes of the inbox, put on its blueprint."""

from bot.dashboard.inbox import (
    answering,
    list,  # noqa: A004 (the room's word; nothing here needs the type)
    many,
    mentions,
    report,
    search,
    settings,
    tags,
    thread,
    work,
)
from bot.dashboard.inbox.door import pages

__all__ = ["answering", "list", "many", "mentions", "pages", "report", "search", "settings", "tags", "thread", "work"]
