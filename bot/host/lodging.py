"""Where PostgreSQL lives when we are root: under an account without privileges, in places it may already reach.

No folder that was there before is ever given other permissions or another owner.
"""

import importlib.metadata
import os
import shutil
from pathlib import Path

from bot.host import places
from bot.host.account import Account, owner, unprivileged
from bot.host.checks import HostError

BASE = Path("/var/lib/backchat")
NOTE = "WHERE-IS-POSTGRES.txt"


def settle(home: Path) -> tuple[Path, Account]:
    """The folder for data and socket, and the account it belongs to."""
    inside = home / "postgres"
    if os.geteuid() != 0:
        return places.private_folder(inside), Account("this account")
    outside = BASE / places.name_of(home)
    existing = next((place for place in (inside, outside) if place.exists()), None)
    account = owner(existing) if existing and existing.stat().st_uid != 0 else unprivileged()
    place = existing or (inside if account.may_enter(home) else outside)
    if place == outside:
        _make_base(account)
        _check_note(home / NOTE, outside)
    places.private_folder(place, account)
    if not account.may_enter(place):
        raise HostError(f"The account {account.name}, which owns {place}, cannot get there: give its parents o+x.")
    return place, account


def reachable(source: Path, account: Account, wheel: str) -> Path:
    """The binaries where `account` can run them: in the venv itself, or else copied once per version."""
    if account.uid < 0 or account.may_run(source / "postgres"):
        return source
    _make_base(account)
    package = source.parent.parent
    target = BASE / f"{wheel}-{importlib.metadata.version(wheel)}"
    install = Path(package.name, source.parent.name)
    if not target.exists():
        fresh = target.with_name(f"{target.name}.{os.getpid()}")
        for part in (install / "bin", install / "lib", install / "share", f"{package.name}.libs"):
            if (package.parent / part).exists():
                shutil.copytree(
                    package.parent / part, fresh / part, symlinks=True, ignore=shutil.ignore_patterns("*.a")
                )
        _open_to_all(fresh)
        try:
            fresh.rename(target)
        except OSError:  # another Backchat was quicker
            shutil.rmtree(fresh)
    return target / install / "bin"


def erase(home: Path) -> None:
    """Delete what lies outside of `home` for it; its server must be stopped, and home itself is the caller's."""
    outside = BASE / places.name_of(home.expanduser().resolve())
    if os.geteuid() == 0 and outside.is_dir():
        shutil.rmtree(outside)


def _make_base(account: Account) -> None:
    """The folder below which root keeps what other accounts use: readable by all, written by root alone."""
    try:
        BASE.mkdir(mode=0o755)
        BASE.chmod(0o755)  # ours, just made: a strict umask had narrowed it
    except FileExistsError:
        pass
    except OSError as error:
        raise HostError(
            f"PostgreSQL cannot run as root, and {BASE} cannot be made for the account {account.name} "
            f"({error.strerror}): start Backchat as an ordinary user or set DATABASE_URL."
        ) from error
    status = BASE.lstat()
    if status.st_uid != 0 or status.st_mode & 0o170022 != 0o040000 or not account.may_enter(BASE):
        raise HostError(f"{BASE} must belong to root with mode 755 for the account {account.name}: set it right.")


def _check_note(note: Path, place: Path) -> None:
    """Leave word in home; a home that was moved would otherwise begin with an empty database without a word."""
    if note.exists():
        told = Path(note.read_text().splitlines()[-1])
        if told != place and told.exists():
            raise HostError(
                f"The database of this folder lies in {told}, made when the folder was elsewhere: "
                f"rename it to {place} to keep the data, or delete {note} to begin empty."
            )
    note.write_text(
        "PostgreSQL does not run as root, and its account cannot enter this folder.\nSo the database's files are in\n"
        f"{place}\n"
    )


def _open_to_all(fresh: Path) -> None:
    """Undo a strict umask on our own copy."""
    for folder, _, files in os.walk(fresh):
        Path(folder).chmod(0o755)
        for file in files:
            path = Path(folder, file)
            if not path.is_symlink():
                path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)
