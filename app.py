"""The composition root: settings → Runtime → the Flask app and the commands. It alone knows everyone.

It meets them late: each process imports what it does and no more, and so is at work the sooner.
"""
# ruff: noqa: PLC0415 (the imports within functions, that is)

import pkgutil
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING

import rich_click as click
import structlog
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import configure_mappers

from bot import logs, queue, runtime, settings
from bot.commands import console
from bot.commands.root import make_cli
from bot.host.checks import HostError, ensure_folder
from bot.runtime import Runtime
from bot.settings import SettingsError

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment
    from flask import Flask
    from flask.typing import ResponseReturnValue

log = structlog.get_logger()

WEB_CONNECTIONS = 10
WORKER_CONNECTIONS = 5
CLOCK_CONNECTIONS = 2

STOP_S = 10
"""A request that is still unanswered so long after SIGTERM is broken off; its sender comes again."""


ERASING_S = 1.0
"""Of one sweep: reminders wait for it."""

SPEAKING = ("bot", "broadcasts", "webhooks")
"""Packages with pages, each with its catalogues of translations; the first wins."""

COMMANDS = {
    "webhooks": ("webhooks.commands",),
    **dict.fromkeys(("broadcast", "import", "imports", "segment", "template"), ("broadcasts.commands",)),
}
"""Command → the modules that make it, as in bot.commands.root."""


def create_app(rt: Runtime | None = None) -> "Flask":
    """The web application; without a runtime it builds one from the environment, as a server's factory does."""
    from flask import Flask

    import broadcasts.api.control_api
    import broadcasts.api.draft_api
    import broadcasts.api.launch_api
    import broadcasts.api.result_api
    import broadcasts.api.trial_api
    import broadcasts.imports.api.api
    import broadcasts.imports.api.row_api
    import broadcasts.pages
    import broadcasts.segments.api
    import broadcasts.templates.api
    import webhooks.pages
    import webhooks.routes
    from bot import live
    from bot.api import (
        erasure,
        events,
        goals,
        insights,
        links,
        listing,
        merging,
        profiles,
        raw_data,
        report,
        routes,
        why,
        wishes,
    )
    from bot.api import log as api_log
    from bot.dashboard import pushing, site

    app = Flask(__name__)
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = ";".join(f"{name}/translations" for name in SPEAKING)
    if rt is None:
        rt = enter("web", WEB_CONNECTIONS)
        ensure_folder(rt.settings.spool, "BACKCHAT_SPOOL")
        live.end_with_process(pushing.hub_of(app))
    app.register_blueprint(webhooks.routes.routes)
    for noun in (
        routes,
        broadcasts.segments.api,
        broadcasts.templates.api,
        broadcasts.api.draft_api,
        broadcasts.api.trial_api,
        broadcasts.api.launch_api,
        broadcasts.api.control_api,
        broadcasts.api.result_api,
        broadcasts.imports.api.api,
        broadcasts.imports.api.row_api,
        listing,
        api_log,
        why,
        merging,
        profiles,
        wishes,
        erasure,
        report,
        raw_data,
        insights,
        goals,
        events,
        links,
    ):
        app.register_blueprint(noun.api)
    for blueprint in (*broadcasts.pages.BLUEPRINTS, *webhooks.pages.BLUEPRINTS):
        app.register_blueprint(blueprint)
    app.add_url_rule("/healthz", view_func=healthz)
    site.init(app, rt.settings)
    _open_doors(app)
    return app


def _open_doors(app: "Flask") -> None:
    """Providers' calls go past sessions, permissions and headers of the pages, and past their three hundred routes."""
    from flask import Flask

    import webhooks.routes
    from bot.dashboard import errors

    doors = Flask("doors", static_folder=None)
    doors.extensions = app.extensions
    doors.register_blueprint(webhooks.routes.routes)
    errors.init(doors)
    pages, machines = app.wsgi_app, doors.wsgi_app

    def choose(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        is_call = environ["PATH_INFO"].startswith("/webhooks/")
        return (machines if is_call else pages)(environ, start_response)

    app.wsgi_app = choose  # type: ignore[method-assign]  # as Flask's documentation has it for middleware


def healthz() -> "ResponseReturnValue":
    from flask import jsonify

    from bot import health
    from webhooks import spool

    rt = runtime.current()
    told, is_well = health.report(rt, asdict(spool.measure(rt.settings.spool)))
    return jsonify(told), 200 if is_well else 503


def sweeps() -> dict[Callable[[Runtime], object], float]:
    """What the clock does → every so many seconds."""
    import bot.conversations.rounds
    import bot.dashboard.summaries.jobs
    import bot.goals.jobs
    import bot.insights.bigquery.jobs
    import bot.insights.export.jobs
    import bot.insights.jobs
    import bot.journeys.jobs
    import bot.media.jobs
    import bot.messages.jobs
    import broadcasts.imports.keeping
    import broadcasts.jobs
    import webhooks.inbox
    import webhooks.jobs

    return {
        bot.conversations.rounds.share_out: 1.0,
        bot.conversations.rounds.close_idle: 60.0,
        bot.journeys.jobs.fire_reminders: 1.0,
        bot.insights.jobs.sweep: 1.0,
        bot.insights.export.jobs.sweep: 5.0,
        bot.goals.jobs.sweep: 1.0,
        bot.dashboard.summaries.jobs.sweep: 5.0,
        webhooks.jobs.sweep: 2.0,
        webhooks.inbox.sweep_spool: 2.0,
        bot.messages.jobs.sweep: 5.0,
        broadcasts.jobs.sweep: 2.0,
        broadcasts.jobs.watch: 5.0,
        broadcasts.jobs.keep_quiet: 60.0,
        bot.media.jobs.sweep: 5.0,
        go_on_erasing: 2.0,
        keep_partitions: 3600.0,
        broadcasts.imports.keeping.tidy: 3600.0,
        bot.insights.bigquery.jobs.sweep: 15.0,
    }


def go_on_erasing(rt: Runtime) -> None:
    """Erase again whoever a restored database has brought back, then look for the erased where no column names them."""
    from bot.erasure import reapplying
    from bot.people.ledger import LedgerError

    try:
        reapplying.reapply(rt)
    except LedgerError as error:
        log.error("ledger.unreadable", problem=str(error))  # noqa: TRY400 (the sentence says it all)
    search_erased(rt, ERASING_S)


def search_erased(rt: Runtime, for_s: float) -> None:
    """Look for the erased besides the tables that name them."""
    import broadcasts.imports.erasing
    import webhooks.erasing
    from bot.erasure import rounds

    rounds.go_on(rt, {"webhooks": webhooks.erasing.search, "lists": broadcasts.imports.erasing.search}, for_s)


def keep_partitions(rt: Runtime) -> None:
    from webhooks import partitions

    with rt.transaction() as session:
        partitions.ensure(session)
        partitions.retire(session, rt.settings.retention_days)


@contextmanager
def refusing() -> Iterator[None]:
    """What is wrong with the machine or the environment becomes one sentence and exit code 1."""
    try:
        yield
    except (HostError, SettingsError) as error:
        console.fail(str(error))


def enter(name: str, pool_size: int) -> Runtime:
    told = settings.load()
    logs.configure(told.log_level)
    return runtime.build(told, name=name, pool_size=pool_size)


@click.command("run", panel=console.RUN)
@click.option("--scale", default="", metavar="NAME=N,…", help="More or fewer of a process: send=2,bulk=0.")
@click.option("--demo/--no-demo", default=True, help="A simulated WhatsApp with a phone to play with.  [default: yes]")
def run(scale: str, *, demo: bool) -> None:
    """Start everything on this machine: servers, web, workers, clock and demo; Ctrl-C stops it all."""
    from bot import running
    from webhooks import partitions

    with refusing():
        logs.configure(settings.read_one("log_level"))
        sys.exit(running.run(scale=scale, with_demo=demo, ready_database=partitions.ensure))


@click.command("web", panel=console.RUN)
def web() -> None:
    """Serve pages, API and webhooks at BACKCHAT_HOST and PORT."""
    from granian.constants import Interfaces
    from granian.log import LogLevels

    from bot.host.web import WebServer

    with refusing():
        told = settings.load()
        logs.configure(told.log_level)
        ensure_folder(told.spool, "BACKCHAT_SPOOL")
    WebServer(
        "app:create_app",
        factory=True,
        interface=Interfaces.WSGI,
        address=told.host,
        port=told.port,
        workers=told.web_processes,
        blocking_threads=told.web_threads,
        backlog=2048,
        http="1",  # type: ignore[arg-type]  # its enum takes the plain word
        log_level=LogLevels.error,  # it overrules the level in the configuration
        log_dictconfig={"handlers": {}, "formatters": {}, "loggers": logs.GRANIAN},
        respawn_failed_workers=True,
        workers_kill_timeout=STOP_S,
    ).serve()


@click.command("worker", panel=console.RUN)
@click.argument("name", metavar="QUEUE", type=click.Choice(sorted(queue.PUMPS)))
def worker(name: str) -> None:
    """Run the jobs of one queue: intake, send, bulk, media or export."""
    from bot.worker import run_worker

    with refusing():
        rt = enter(f"worker-{name}", pool_size=1)
    pump = pkgutil.resolve_name(queue.PUMPS[name])
    configure_mappers()  # once, and not in every work-horse
    run_worker(rt.redis, name, pump, lambda: runtime.after_fork(name, WORKER_CONNECTIONS))


@click.command("clock", panel=console.RUN)
def clock() -> None:
    """Fire reminders and sweep up what crashed workers and lost rings left; any number may run."""
    with refusing():
        rt = enter("clock", CLOCK_CONNECTIONS)
    wanted = sweeps()
    due = dict.fromkeys(wanted, 0.0)
    while True:
        for sweep, every_s in wanted.items():
            if time.monotonic() >= due[sweep]:
                due[sweep] = time.monotonic() + every_s
                try:
                    sweep(rt)
                except (SQLAlchemyError, RedisError) as error:
                    log.warning("clock.failed", sweep=_name_of(sweep), error=type(error).__name__)
                except Exception:  # whatever it is, the other sweeps go on
                    log.exception("clock.failed", sweep=_name_of(sweep))
        time.sleep(0.25)


def _name_of(sweep: Callable[[Runtime], object]) -> str:
    return f"{sweep.__module__}.{sweep.__name__}"


@click.group("db", panel=console.RUN)
def database() -> None:
    """The schema: upgrade, check, migration."""


@database.command("upgrade")
def upgrade() -> None:
    """Bring the database to this version's shape; safe to run again and from several hosts."""
    from bot import schema
    from webhooks import partitions

    with refusing():
        rt = enter("upgrade", pool_size=1)
        schema.upgrade(rt.engine)
        with rt.transaction() as session:
            partitions.ensure(session)


@database.command("check")
def check() -> None:
    """Say whether the migrations make what the models ask for."""
    from bot import schema

    with refusing():
        schema.check(enter("check", pool_size=1).engine)


@database.command("migration")
@click.argument("what")
def migration(what: str) -> None:
    """Write a numbered migration from the database as it is to the models."""
    from bot import schema

    with refusing():
        schema.write(enter("migration", pool_size=1).engine, what)


cli = make_cli((run, web, worker, clock, database), COMMANDS)
