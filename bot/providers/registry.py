from bot.providers.base import Provider
from bot.providers.cloud import Cloud

PROVIDERS: dict[str, Provider] = {"cloud": Cloud()}
"""A connection's `provider` column to the one that speaks for it."""
