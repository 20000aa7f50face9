"""Files that a send names by their address, and addresses that it wants its statuses at."""

import mimetypes
from urllib.parse import urlsplit

from simulator.config import LOOPBACK


def kind_of(link: str) -> str:
    """What sort of media a link is taken for, by its ending."""
    told = mimetypes.guess_type(urlsplit(link).path)[0] or ""
    kind = told.partition("/")[0]
    return kind if kind in {"image", "video", "audio"} else "document"


def is_ours_to_call(url: str) -> bool:
    """Whether statuses can be sent there: this simulator calls loopback addresses only."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and parts.hostname in LOOPBACK
