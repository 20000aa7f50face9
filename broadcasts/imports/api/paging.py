"""Numbers in the query of an address of the API."""

from flask import request

from bot.api.refusals import RefusalError
from bot.api.requests import LARGEST_ID


def number_of(name: str, default: int, *, most: int = LARGEST_ID) -> int:
    """The number that the query gives, at least 0 and `most` at most; raises RefusalError."""
    given = request.args.get(name)
    if given is None:
        return default
    if not (given.isascii() and given.isdecimal()) or len(given) > len(str(LARGEST_ID)) or int(given) > most:
        raise RefusalError(422, "invalid_field", f"{name} must be a whole number, {most:,} at most.", name)
    return int(given)
