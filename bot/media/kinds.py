"""What a file may weigh, what it is by its bytes, and which types a browser may show beside a conversation."""

import filetype

MB = 1024 * 1024
MOST_BYTES = {
    "image": 5 * MB,
    "audio": 16 * MB,
    "voice": 16 * MB,
    "video": 16 * MB,
    "document": 100 * MB,
    "sticker": MB // 2,
}
"""By the kind of the message: WhatsApp's own limits, so that what is larger is not what it says it is."""

INLINE = {
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/webp": "webp",
    "image/gif": "gif",
    "audio/aac": "aac",
    "audio/amr": "amr",
    "audio/mp4": "m4a",
    "audio/mpeg": "mp3",
    "audio/ogg": "ogg",
    "video/3gpp": "3gp",
    "video/mp4": "mp4",
}
"""Types that hold no script, and the ending their file gets. All others, SVG, HTML and PDF too, are downloads."""

UNKNOWN = "application/octet-stream"

HEAD_BYTES = 8192
"""So much of a file's beginning says what it is."""


def most_bytes(kind: str, cap: int) -> int:
    return min(MOST_BYTES.get(kind, cap), cap)


def recognise(head: bytes) -> str:
    """The type that the first bytes of a file prove; what a header or a name claims counts for nothing."""
    return str(filetype.guess_mime(head) or UNKNOWN)


def player(mime_type: str | None) -> str | None:
    """The element that shows it: image, audio or video; None for what is only ever downloaded."""
    return mime_type.partition("/")[0] if mime_type in INLINE else None
