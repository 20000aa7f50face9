"""What pages say of imports: the kinds of file in plain words, and where a column goes."""

from collections.abc import Mapping
from dataclasses import dataclass

from bot.models.imports import ImportRun
from bot.models.words import ImportState, RowVerdict

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

DAMAGE: Mapping[str, str] = {
    "rounded": "rounded to something like 9.2E+11: the last digits are gone, enter them anew from their source.",
    "lost_plus": "without their plus sign; it was put back.",
    "lost_zero": "without their leading zero; it was put back.",
    "dates": "taken for dates: enter them anew from where they came from.",
    "formulas": "with a formula that failed: put the value there instead.",
}

VERDICTS: Mapping[str, tuple[str, str]] = {
    RowVerdict.NEW: ("New", "good"),
    RowVerdict.CHANGED: ("Changes", "busy"),
    RowVerdict.UNCHANGED: ("As it was", "quiet"),
}

_ENCODINGS = {"cp1252": "Windows-1252", "cp1256": "Windows-1256", "utf-8-sig": "UTF-8"}
_DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}


def file_facts(run: ImportRun) -> list[tuple[str, str]]:
    """How the file turned out to be written."""
    findings = run.findings or {}
    words = DIALECTS.get(findings.get("dialect") or run.dialect)
    facts = [
        ("Recognised as", words.title if words and findings.get("dialect") != "auto" else "a list of its own kind")
    ]
    kind = findings.get("format") or run.format
    if kind == "xlsx":
        facts.append(("Format", "Excel workbook"))
    else:
        delimiter = findings.get("delimiter") or run.delimiter or ","
        facts.append(("Format", f"CSV with {_DELIMITERS.get(delimiter, delimiter)}"))
        encoding = str(findings.get("encoding") or run.encoding or "")
        facts.append(("Encoding", _ENCODINGS.get(encoding, encoding.upper())))
    facts.append(("Country", run.country or "none chosen"))
    return facts


def undo(run: ImportRun) -> str:
    """What undoing it will do, for whoever is asked whether they are sure."""
    return (
        f"Of the {run.created:,} people it made, those nobody has written to or changed since disappear; the "
        f"{run.updated:,} it changed get back what was known of them, except where somebody changed it again. "
        "All leave the segment unless they were in it before."
    )
