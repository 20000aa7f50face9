"""All routes of the inbox, put on its blueprint."""

from bot.dashboard.inbox import (
    answering,
    list,  # noqa: A004 (the room's word; nothing here needs the type)
    many,
    report,
    search,
    settings,
    tags,
    thread,
    work,
)
from bot.dashboard.inbox.door import pages

__all__ = ["answering", "list", "many", "pages", "report", "search", "settings", "tags", "thread", "work"]
