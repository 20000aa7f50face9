"""The gallery, open: the school's rows in a database of their own, and its pages served to a browser here."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from flask import Flask
from sqlalchemy import select
from werkzeug.serving import WSGIRequestHandler, make_server

from app import create_app
from bot import runtime
from bot.dashboard import pushing
from bot.insights import jobs as insights
from bot.models.connection import Number
from bot.models.journey import Reminder
from bot.models.team import ApiToken
from bot.runtime import Runtime
from tests.gallery import campaigns, hopes, lines, school, talks
from tests.gallery.school import School
from tests.harness.runtimes import live_runtime, make_settings
from tests.harness.servers import Servers


class Quiet(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing."""


@dataclass(frozen=True)
class Gallery:
    rt: Runtime
    app: Flask
    school: School
    url: str


@contextmanager
def opened(servers: Servers, folder: Path) -> Iterator[Gallery]:
    with (
        servers.fresh_database() as database,
        live_runtime(make_settings(folder, database, servers.redis_url)) as rt,
    ):
        runtime.use(rt)
        app = create_app(rt)
        app.config["SEND_FILE_MAX_AGE_DEFAULT"] = 3600  # no page asks whether what the one before it had is still so
        school = furnish(rt, app)
        server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Quiet)
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        try:
            yield Gallery(rt, app, school, f"http://127.0.0.1:{server.port}")
        finally:
            pushing.hub_of(app).end()
            server.shutdown()
            serving.join()
            server.server_close()


def furnish(rt: Runtime, app: Flask) -> School:
    number_id = lines.connect(rt)
    with rt.transaction() as session:
        number = session.get_one(Number, number_id)
        number.connection  # noqa: B018 - loaded while there is a session
        made = school.found(session, number, rt.settings)
    campaigns.plan(rt, made)
    with rt.transaction() as session:
        token_id = session.scalars(select(ApiToken.id).limit(1)).one()
        reminder_id = session.scalars(select(Reminder.id).limit(1)).one()
        talks.hold(session, made, made.ids["finished_id"], token_id, reminder_id)
    lines.ring(rt, app, made)
    insights.sweep(rt)
    hopes.hope(rt, made)
    return made
