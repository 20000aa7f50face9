"""All routes of the inbox, put on its blueprint."""

from bot.dashboard.inbox import answering, list, thread  # noqa: A004 (the room's word; nothing here needs the type)
from bot.dashboard.inbox.door import pages

__all__ = ["answering", "list", "pages", "thread"]
