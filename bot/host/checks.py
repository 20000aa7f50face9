"""What can be wrong with a machine, each told in one sentence that says what to do."""

import os
from pathlib import Path


class HostError(Exception):
    """A sentence for the person at the terminal; commands print it without a traceback and exit with 1."""


def ensure_folder(folder: Path) -> Path:
    """Create `folder` (0700) when missing and prove that it takes a file, else HostError; an existing mode is kept."""
    folder = folder.expanduser().absolute()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        proof = folder / f".writable-{os.getpid()}"
        proof.touch()
        proof.unlink()
    except OSError as error:
        raise HostError(
            f"Cannot write to {folder} ({error.strerror}): make it writable or set BACKCHAT_HOME to a folder that is."
        ) from error
    return folder
