"""What may be sent as a file, by its bytes, and how large it may be (Meta, "Supported media types")."""

from collections.abc import Mapping
from pathlib import Path

from bot.language import _, figure, later, translated
from bot.media import kinds

_OFFICE = "application/vnd.openxmlformats-officedocument."
SENDABLE: Mapping[str, str] = {
    **dict.fromkeys(("image/jpeg", "image/png"), "image"),
    **dict.fromkeys(("audio/aac", "audio/amr", "audio/mpeg", "audio/mp4", "audio/ogg"), "audio"),
    **dict.fromkeys(("video/mp4", "video/3gpp"), "video"),
    **dict.fromkeys(
        (
            *("application/pdf", "text/plain", "application/msword", "application/vnd.ms-excel"),
            "application/vnd.ms-powerpoint",
            *(f"{_OFFICE}{part}" for part in ("wordprocessingml.document", "spreadsheetml.sheet")),
            f"{_OFFICE}presentationml.presentation",
        ),
        "document",
    ),
}
"""Type → kind of the message it becomes."""
_SAME: Mapping[str, str] = {"audio/m4a": "audio/mp4", "audio/x-m4a": "audio/mp4", "video/x-m4v": "video/mp4"}
WORDS: Mapping[str, str] = {
    "image": later("A photo"),
    "audio": later("An audio file"),
    "video": later("A video"),
    "document": later("A document"),
}


class FileError(ValueError):
    """The file cannot be sent; the text says what would do."""


def judge(name: str, draft: Path, cap: int) -> tuple[str, str]:
    """(kind, type) of a file; raises FileError, with the limit."""
    size = draft.stat().st_size
    with draft.open("rb") as file:
        head = file.read(kinds.HEAD_BYTES)
    mime_type = kinds.recognise(head)
    mime_type = _SAME.get(mime_type, mime_type)
    if mime_type == kinds.UNKNOWN and _is_text(name, head):
        mime_type = "text/plain"
    if mime_type not in SENDABLE:
        raise FileError(_("WhatsApp takes JPEG, PNG, MP4, MP3, AAC, AMR, OGG, PDF, plain text and Office files."))
    kind = SENDABLE[mime_type]
    most = kinds.most_bytes(kind, cap)
    if not 0 < size <= most:
        raise FileError(
            _(
                "%(what)s has between 1 byte and %(most)s MB; this one has %(size)s bytes.",
                what=translated(WORDS[kind]),
                most=f"{most / kinds.MB:g}",
                size=figure(size),
            )
        )
    return kind, mime_type


def _is_text(name: str, head: bytes) -> bool:
    if not name.lower().endswith((".txt", ".csv", ".md")) or b"\x00" in head:
        return False
    try:
        head[:-4].decode()  # a character may be cut at the end of what was read
    except UnicodeDecodeError:
        return False
    return True
