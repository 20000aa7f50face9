"""The files behind the media ids of the sample messages, made here so that nothing binary is kept."""

import base64
import hashlib
import struct
import zlib


def _picture(side: int = 96) -> bytes:
    """A PNG with a green slope."""
    rows = b"".join(
        b"\x00" + b"".join(bytes((24 + x, 120 + y, 96 + (x + y) // 3)) for x in range(side)) for y in range(side)
    )
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks
    )


def _letter() -> bytes:
    """A PDF of one empty page."""
    return (
        b"%PDF-1.1\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
        b"2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
        b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 200]>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
    )


def _tone() -> bytes:
    """Bytes that open like an Ogg file; nobody decodes them here."""
    return b"OggS\x00\x02" + bytes(58)


_SCRIPT = b"<script>alert(document.domain)</script>"
_DRAWING = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(document.domain)"/>'

SAMPLES: dict[str, tuple[str, bytes]] = {
    "sample-image": ("image/png", _picture()),
    "sample-video": ("video/mp4", struct.pack(">I", 24) + b"ftypmp42\x00\x00\x00\x00mp42isom"),
    "sample-audio": ("audio/mpeg", b"ID3\x04\x00\x00\x00\x00\x00\x00" + bytes(54)),
    "sample-voice": ("audio/ogg; codecs=opus", _tone()),
    "sample-document": ("application/pdf", _letter()),
    "sample-sticker": (
        "image/webp",
        base64.b64decode("UklGRhoAAABXRUJQVlA4TA0AAAAvAAAAEAcQERGIiP4HAA=="),
    ),
    "sample-svg": ("image/svg+xml", _DRAWING),
    "sample-html": ("image/jpeg", b"<!DOCTYPE html>" + _SCRIPT),
    "sample-polyglot": ("text/html", b"GIF89a/*" + _SCRIPT + b"*/=1"),
    **{
        f"sample-{name}": ("image/png", _picture())
        for name in ("endless", "slow", "short", "redirect", "moved", "packed")
    },
}
"""Media id: type as told, and content. The three after the sticker are not what they say they are, or hold a script;
the last six do as they are called when they are downloaded (simulator.media_faults)."""


def describe_sample(media_id: str) -> dict[str, str]:
    """What a webhook says of the file; its sha256 is base64 there, though hexadecimal in the media API."""
    mime_type, content = SAMPLES[media_id]
    digest = base64.b64encode(hashlib.sha256(content).digest()).decode()
    return {"id": media_id, "mime_type": mime_type, "sha256": digest}
