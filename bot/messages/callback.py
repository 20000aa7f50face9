"""Our own mark on a message, echoed in its statuses: what settles a send whose answer was lost."""

import re

_FORM = re.compile(r"o1\.([1-9][0-9]{0,17})\.([1-9][0-9]{0,3})")


def token(message_id: int, attempt: int) -> str:
    """`o1.<message id>.<attempt>`: no personal data, for every app subscribed to the account can read it."""
    return f"o1.{message_id}.{attempt}"


def read(callback: str | None) -> tuple[int, int] | None:
    """(message id, attempt), or None if the text is not a mark of ours."""
    match = _FORM.fullmatch(callback or "")
    return (int(match[1]), int(match[2])) if match else None
