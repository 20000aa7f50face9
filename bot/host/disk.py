"""What has to be on the disk before anybody hears of it."""

import os
from pathlib import Path


def sync(path: Path) -> None:
    """Return once a file's content, or a folder's entries, would outlive a power cut; raises OSError."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
