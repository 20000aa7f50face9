"""Where a server's folders may lie, so that no folder of anybody else is ever touched."""

import contextlib
import functools
import hashlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from bot.host.account import Account
from bot.host.checks import HostError

SOCKET_PATH_LIMIT = 103  # bytes: sun_path holds 104 on macOS and 108 on Linux, with the closing zero


def private_folder(folder: Path, account: Account | None = None) -> Path:
    """Make `folder` with mode 0700 for `account` (default: ours); an existing one must already be exactly that."""
    uid = os.geteuid() if account is None or account.uid < 0 else account.uid
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        status = folder.lstat()
        if status.st_uid != uid or status.st_mode & 0o170077 != 0o040000:
            raise HostError(
                f"{folder} must be a folder that only its own account (uid {uid}) can open: "
                f"chmod 700 it, or move it away, and try again."
            ) from None
    except OSError as error:
        raise HostError(f"Cannot make {folder} ({error.strerror}): free the way or set BACKCHAT_HOME.") from error
    else:
        if uid != os.geteuid() and account is not None:
            os.chown(folder, account.uid, account.gid, follow_symlinks=False)
    return folder


def name_of(home: Path) -> str:
    """A short name for a home, for folders that must lie outside of it."""
    return hashlib.sha256(str(home).encode()).hexdigest()[:16]


def runtime_folder(
    home: Path, preferred: Path, socket_name: str, account: Account | None = None
) -> tuple[Path, Callable[[], None] | None]:
    """A 0700 folder whose socket path is short enough for the kernel, and what removes it if it is not in home."""
    if len(os.fsencode(preferred / socket_name)) <= SOCKET_PATH_LIMIT:
        return private_folder(preferred, account), None
    for parent in (os.environ.get("XDG_RUNTIME_DIR"), tempfile.gettempdir(), "/tmp"):  # noqa: S108 -- made 0700, and refused if somebody else's
        folder = Path(parent or "/nowhere") / f"backchat-{os.geteuid()}-{name_of(preferred)}"
        fits = len(os.fsencode(folder / socket_name)) <= SOCKET_PATH_LIMIT
        if fits and os.access(folder.parent, os.W_OK | os.X_OK):
            return private_folder(folder, account), functools.partial(_remove, folder)
    raise HostError(f"The path of {home} is too long for a socket: set BACKCHAT_HOME to a shorter one.")


def _remove(folder: Path) -> None:
    with contextlib.suppress(OSError):
        for left in folder.iterdir():
            left.unlink()
        folder.rmdir()
