"""Who PostgreSQL runs as: this account, or, since it refuses root, one without privileges."""

import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path

from bot.host.checks import HostError

CANDIDATES = ("postgres", "nobody")


@dataclass(frozen=True)
class Account:
    """An account to change to; uid and gid are -1 where no change is needed."""

    name: str
    uid: int = -1
    gid: int = -1

    def may_enter(self, folder: Path) -> bool:
        """Whether the account may already pass through every parent of `folder` and into it; asked of the kernel."""
        try:
            return self.run(["/bin/sh", "-c", 'cd "$1"', "sh", str(folder)]).returncode == 0
        except PermissionError as error:
            raise HostError(
                f"PostgreSQL refuses to run as root, and this root may not change to the account {self.name}: "
                "start Backchat as an ordinary user or set DATABASE_URL."
            ) from error

    def may_run(self, binary: Path) -> bool:
        """Whether the account can start `binary`, tried with --version."""
        try:
            return self.run([str(binary), "--version"]).returncode == 0
        except OSError:
            return False

    def run(self, command: list[str], **environment: str) -> subprocess.CompletedProcess[str]:
        """Run `command` to its end under this account with `environment` alone; its output comes back as text."""
        user, group = (self.uid, self.gid) if self.uid >= 0 else (None, None)
        return subprocess.run(  # noqa: S603 -- commands are built here, never from input
            command,
            cwd="/",
            env={"PATH": os.defpath, **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            user=user,
            group=group,
            extra_groups=None if user is None else [],
        )


def unprivileged() -> Account:
    """The first of CANDIDATES that exists."""
    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    for name in CANDIDATES:
        if name in known and known[name].pw_uid != 0:
            return Account(name, known[name].pw_uid, known[name].pw_gid)
    raise HostError(
        "PostgreSQL refuses to run as root and there is no account postgres or nobody here: "
        "start Backchat as an ordinary user or set DATABASE_URL."
    )


def owner(folder: Path) -> Account:
    """The account that owns `folder`, so that data made under one account is never opened under another."""
    status = folder.stat()
    try:
        name = pwd.getpwuid(status.st_uid).pw_name
    except KeyError:
        name = str(status.st_uid)
    return Account(name, status.st_uid, status.st_gid)
