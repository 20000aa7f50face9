"""What pages say of imports: the kinds of file in plain words, and where a column goes."""

from collections.abc import Mapping
from dataclasses import dataclass

from bot.language import _, figure, later, translated
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
        later("Find out by itself"),
        later(
            "Any order of columns, common names for them, numbers with or without plus; you see what was recognised."
        ),
        "Name;Mobile;E-mail;City",
    ),
    "sendbird": Words(
        later("user_id and phone_number"),
        later("Both columns in every row, numbers with plus sign and country code."),
        "user_id,phone_number,first_name",
    ),
    "metahumans": Words(
        "user.username, user.phone_no, …",
        later("Seven columns in this order, then your own; numbers are digits alone, and you choose their country."),
        "user.username,user.phone_no,user.email,user.first_name,user.last_name,user.title,user.account",
    ),
}
"""By the dialect's name, the default first."""

BECOMES: Mapping[str, str] = {
    "phone": later("Phone number"),
    "distinct_id": later("User ID"),
    "email": later("E-mail"),
    "first_name": later("First name"),
    "last_name": later("Last name"),
    "nickname": later("Nickname"),
    "language": later("Language"),
    "country": later("Country"),
    "time_zone": later("Time zone"),
    "name": later("Full name"),
    "ignored": later("Passed over"),
}
"""Where a column's cells go, for those that are no attribute."""

DAMAGE: Mapping[str, str] = {
    "rounded": later("rounded to something like 9.2E+11: the last digits are gone, enter them anew from their source."),
    "lost_plus": later("without their plus sign; it was put back."),
    "lost_zero": later("without their leading zero; it was put back."),
    "dates": later("taken for dates: enter them anew from where they came from."),
    "formulas": later("with a formula that failed: put the value there instead."),
}

VERDICTS: Mapping[str, tuple[str, str]] = {
    RowVerdict.NEW: (later("New"), "good"),
    RowVerdict.CHANGED: (later("Changes"), "busy"),
    RowVerdict.UNCHANGED: (later("As it was"), "quiet"),
}

_ENCODINGS = {"cp1252": "Windows-1252", "cp1256": "Windows-1256", "utf-8-sig": "UTF-8"}
_DELIMITERS = {",": later("commas"), ";": later("semicolons"), "\t": later("tabs"), "|": later("bars")}


def file_facts(run: ImportRun) -> list[tuple[str, str]]:
    """How the file turned out to be written."""
    findings = run.findings or {}
    words = DIALECTS.get(findings.get("dialect") or run.dialect)
    facts = [
        (
            _("Recognised as"),
            translated(words.title) if words and findings.get("dialect") != "auto" else _("a list of its own kind"),
        )
    ]
    kind = findings.get("format") or run.format
    if kind == "xlsx":
        facts.append((_("Format"), _("Excel workbook")))
    else:
        delimiter = findings.get("delimiter") or run.delimiter or ","
        facts.append(
            (_("Format"), _("CSV with %(delimiter)s", delimiter=translated(_DELIMITERS.get(delimiter, delimiter))))
        )
        encoding = str(findings.get("encoding") or run.encoding or "")
        facts.append((_("Encoding"), _ENCODINGS.get(encoding, encoding.upper())))
    facts.append((_("Country"), run.country or _("none chosen")))
    return facts


def undo(run: ImportRun) -> str:
    """What undoing it will do, for whoever is asked whether they are sure."""
    return _(
        "Of the %(created)s people it made, those nobody has written to or changed since disappear; "
        "the %(updated)s it changed get back what was known of them, except where somebody changed "
        "it again. All leave the segment unless they were in it before.",
        created=figure(run.created),
        updated=figure(run.updated),
    )
