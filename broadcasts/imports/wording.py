"""What pages say of imports: the kinds of file in plain words, and where a column goes."""

from collections.abc import Mapping
from dataclasses import dataclass

from bot.models.words import ImportState

MOVING = frozenset({ImportState.CHECKING, ImportState.WAITING, ImportState.RUNNING, ImportState.UNDOING})
"""States in which a worker does something, or will by itself."""


@dataclass(frozen=True, slots=True)
class Words:
    title: str
    explanation: str
    columns: str


DIALECTS: Mapping[str, Words] = {
    "auto": Words(
        "Find out by itself",
        "Any order of columns, common names for them, numbers with or without plus; you see what was recognised.",
        "Name;Mobile;E-mail;City",
    ),
    "sendbird": Words(
        "user_id and phone_number",
        "Both columns in every row, numbers with plus sign and country code.",
        "user_id,phone_number,first_name",
    ),
    "metahumans": Words(
        "user.username, user.phone_no, …",
        "Seven columns in this order, then your own; numbers are digits alone, and you choose their country.",
        "user.username,user.phone_no,user.email,user.first_name,user.last_name,user.title,user.account",
    ),
}
"""By the dialect's name, the default first."""

BECOMES: Mapping[str, str] = {
    "phone": "Phone number",
    "distinct_id": "User ID",
    "email": "E-mail",
    "first_name": "First name",
    "last_name": "Last name",
    "nickname": "Nickname",
    "language": "Language",
    "country": "Country",
    "time_zone": "Time zone",
    "name": "Full name",
    "ignored": "Passed over",
}
"""Where a column's cells go, for those that are no attribute."""
