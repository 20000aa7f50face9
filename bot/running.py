"""`backchat run`: everything on this machine, from an empty folder to an address to open."""

import functools
import itertools
import os
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import click
from sqlalchemy.orm import Session

from bot import runtime, schema, settings
from bot.connections.secrets import SealError
from bot.demo import seed
from bot.host import lodging, processes
from bot.host.checks import HostError, check_port, ensure_folder
from bot.host.house import open_house
from bot.host.procfile import Process, read_procfile
from bot.settings import Settings
from bot.team import operators

_READY_WITHIN_S = 60.0


def run(*, scale: str, with_demo: bool, ready_database: Callable[[Session], None]) -> int:
    """Open the house, bring the schema up, seed the demo, supervise the Procfile; the exit code.

    `ready_database` runs after the migrations (partitions belong to webhooks, which this room may not know).
    """
    home, host, port = (settings.read_one(name) for name in ("home", "host", "port"))
    check_port(host, port)
    if spool := settings.read_one("spool"):  # else it is in the home, which is tried in any case
        ensure_folder(spool, "BACKCHAT_SPOOL")
    given = {name: settings.read_one(name) for name in ("database_url", "redis_url")}
    with open_house(home, given["database_url"], given["redis_url"]) as house:
        os.environ.update(BACKCHAT_HOME=str(home), DATABASE_URL=house.database_url, REDIS_URL=house.redis_url)
        told = settings.load()
        rt = runtime.build(told, name="run")
        schema.upgrade(rt.engine)
        with rt.transaction() as session:
            ready_database(session)
            password = operators.ensure_first_admin(session)
        family = read_procfile(schema.ROOT / "Procfile", scale)
        phone = _add_demo(rt, family) if with_demo else None
        rt.engine.dispose()
        announce = functools.partial(_announce, told, password, phone)
        return processes.run(family, servers=house.servers, on_ready=announce)


def _add_demo(rt: runtime.Runtime, family: list[Process]) -> tuple[str, Path]:
    """Seed the demo and put the simulator among the processes; its page's address and the CSV to try."""
    told = rt.settings
    port = _free_port(told.port + 300)
    address = f"http://127.0.0.1:{port}"
    with rt.transaction() as session:
        connection = seed.seed(session, told.secret_key, address)
        webhook = f"http://127.0.0.1:{told.port}/webhooks/{seed.SLUG}"
        try:
            left = seed.write_files(told.home / "demo", connection, told.secret_key, webhook)
        except SealError as error:
            raise HostError(
                f"The database was made with another secret key, by an earlier {told.home} perhaps: set it as "
                "BACKCHAT_SECRET_KEY, put that folder's file secret-key back, or begin with an empty database"
                f"{_place_of(told.home)}."
            ) from error
    log = told.home / "demo" / "accepted.jsonl"
    command = [sys.executable, "-m", "simulator", "--port", str(port), "--log", str(log)]
    family.append(Process("simulator", [*command, "--config", str(left.simulator_config)]))
    return address, left.people


def _place_of(home: Path) -> str:
    """Where the files of our own PostgreSQL are, if it does not keep them in `home`."""
    note = home / lodging.NOTE
    return f" (the files of this one are in {note.read_text().splitlines()[-1]})" if note.exists() else ""


def _free_port(first: int) -> int:
    for port in itertools.count(first):
        try:
            check_port("127.0.0.1", port)
        except HostError:
            if port >= first + 100:
                raise
        else:
            return port
    raise AssertionError("count never ends")


def _announce(told: Settings, password: str | None, demo: tuple[str, Path] | None) -> None:
    if _wait_for_web(told):
        click.echo(_block(told, password, demo))


def _wait_for_web(told: Settings) -> bool:
    address = f"http://{told.host}:{told.port}/healthz"
    end = time.monotonic() + _READY_WITHIN_S
    while time.monotonic() < end:
        try:
            urllib.request.urlopen(address, timeout=2).close()
        except urllib.error.HTTPError:
            return True  # it answers; what it complains of is on the page
        except OSError:
            time.sleep(0.2)
        else:
            return True
    return False


def _block(told: Settings, password: str | None, demo: tuple[str, Path] | None) -> str:
    secret = password or "the one shown at the first start (forgotten? backchat operator password admin@localhost)"
    lines = [f"Backchat   {told.base_url}", f"sign in    {operators.FIRST_ADMIN}", f"password   {secret}"]
    if demo is not None:
        phone, people = demo
        lines += [
            "",
            f"a phone    {phone}",
            "try first  1. Open the phone, write “hi”, and see the bot answer and ask.",
            "           2. In the inbox answer as a coach and close the conversation; write again: it reopens.",
            f"           3. Import {people}",
            "              and send its segment the template course_starts, with <<user.first_name>>.",
        ]
    rule = "─" * 78
    return "\n".join(["", rule, *lines, "", "Ctrl-C stops everything.", rule, ""])
