"""All of Backchat as real processes, from the Procfile, on a database and a Redis of its own, with a simulator."""

import functools
import itertools
import json
import os
import signal
import socket
import sys
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
from sqlalchemy import text

from bot import queue
from bot import settings as configuration
from bot.connections import connections, numbers
from bot.host.procfile import read_procfile
from bot.host.server import Server
from bot.models.words import Environment
from bot.providers.registry import PROVIDERS
from bot.runtime import Runtime
from tests.harness import checker, network, simulator
from tests.harness.children import ROOT, Child, wait_until
from tests.harness.lines import CLOUD, Line
from tests.harness.lines import sections as configuration_of
from tests.harness.runtimes import SECRET_KEY, live_runtime
from tests.harness.servers import Servers, own_redis
from tests.harness.simulator import Simulator

SLUG = CLOUD.slug
QUICK = {
    "BACKCHAT_SEND_LEASE_S": "4",
    "BACKCHAT_PROVIDER_TIMEOUT_S": "3",
    "BACKCHAT_PUMP_S": "10",
    "BACKCHAT_WEB_THREADS": "16",
}
"""A crash is noticed within seconds instead of a minute; the protocol is the same."""

_ports = itertools.count(10_000 + os.getpid() % 200 * 100)
"""Each worker of a run has its own."""


@dataclass
class House:
    """`rt` is the test's own runtime on the house's database; it commits, and its rings are heard."""

    rt: Runtime
    redis: Server
    simulator: Simulator
    environment: dict[str, str]
    children: dict[str, Child]
    folder: Path
    number_id: int = 0
    numbers: dict[str, int] = field(default_factory=dict)
    """By provider; `number_id` is the first."""
    url: str = ""
    audience: set[int] = field(default_factory=set)

    def start(self, *names: str, **more: str) -> None:
        """Start processes of the Procfile (all of them unless named) and wait until each is at work."""
        wanted = names or tuple(self.children)
        for name in wanted:
            self.children[name].start(**more)
        for name in wanted:
            wait_until(functools.partial(self._is_at_work, name), f"{name} to be at work", timeout_s=120)

    def kill(self, *names: str) -> None:
        for name in names or tuple(self.children):
            self.children[name].kill()

    def lose_redis(self) -> None:
        """SIGKILL Redis, start it again, and throw away what it had kept."""
        os.kill(self.redis.pid, signal.SIGKILL)
        wait_until(lambda: not self.redis.alive(), "Redis to be gone")
        self.redis.revive()
        self.rt.redis.flushall()

    def run(self, *arguments: str) -> str:
        """What `backchat <arguments>` prints in this house; fails the test when it exits with an error."""
        printed = self.folder / "printed"
        printed.unlink(missing_ok=True)
        child = Child("command", ["backchat", *arguments], self.environment, self.folder, printed)
        child.start()
        assert child.process is not None
        try:
            code = child.process.wait(120)
        finally:
            child.kill()
        assert code == 0, f"backchat {' '.join(arguments)}: {child.output() or printed.read_text()}"
        return printed.read_text()

    def pump(self, name: str, **more: str) -> int:
        """Run a queue's pump once, without RQ; the exit code, -9 where a failpoint killed it."""
        child = Child(f"pump-{name}", [sys.executable, "-m", "tests.harness.pump", name], self.environment, self.folder)
        child.start(**more)
        assert child.process is not None
        try:
            return child.process.wait(60)
        finally:
            child.kill()

    def ask(self, query: str, **values: Any) -> Any:
        """The single value of an SQL query."""
        with self.rt.engine.connect() as connection:
            return connection.execute(text(query), values).scalar()

    def states(self) -> dict[str, int]:
        """Outbound messages by state."""
        with self.rt.engine.connect() as connection:
            query = "SELECT state, count(*) FROM message WHERE direction = 'out' GROUP BY state"
            return {state: count for state, count in connection.execute(text(query))}  # noqa: C416 - rows are no pairs

    def settle(self, timeout_s: float = 120.0) -> None:
        """Wait until no message is on its way, then until every status has come back and been applied."""
        wait_until(self._is_quiet, "the outbox to empty", timeout_s=timeout_s, every_s=0.2)
        self.simulator.drain()
        query = "SELECT count(*) FROM webhook_event WHERE state = 'new'"
        wait_until(lambda: self.ask(query) == 0, "the webhooks to be applied", timeout_s=timeout_s)

    def verdict(self) -> checker.Verdict:
        return checker.judge(self.rt.engine, self.simulator.log(), self.audience)

    def is_healthy(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/healthz", timeout=5) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def leaks(self, words: Iterable[str]) -> list[str]:
        """Which of the words (phone numbers, names, texts) stand in Redis or in a process's log, and where."""
        told = {child.log_path.name: child.log_path.read_bytes() for child in self.children.values()}
        told |= {f"redis {key}": value for key, value in checker.dump(self.rt.redis).items()}
        return [f"{word} in {place}" for word in words for place, content in told.items() if word.encode() in content]

    def _is_quiet(self) -> bool:
        states = self.states()
        return not any(states.get(state) for state in ("queued", "claimed", "wire"))

    def _is_at_work(self, name: str) -> bool:
        child = self.children[name]
        assert child.alive(), f"{name} ended:\n{child.output()[-3000:]}"
        if name == "web":
            return _answers(f"{self.url}/healthz")
        return name not in queue.PUMPS or queue.workers_seen(self.rt.redis)[name] > 0

    def remote_addresses(self) -> set[str]:
        """Where the house's processes are connected to, beyond this machine; must stay empty."""
        found = set()
        for child in [*self.children.values(), self.simulator.child]:
            for process in child.family():
                try:
                    connections_of = process.net_connections("inet")
                except psutil.Error:
                    continue
                found |= {c.raddr.ip for c in connections_of if c.raddr and not network.is_loopback(c.raddr.ip)}
        return found


@contextmanager
def open_house(
    servers: Servers,
    folder: Path,
    lines: Sequence[Line] = (CLOUD,),
    /,
    *,
    sections: dict[str, Any] | None = None,
    **more: str,
) -> Iterator[House]:
    """A house with a number a line, nothing started yet; `sections` configure the simulator, `more` the environment."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    configured = configuration_of(lines, f"{url}/webhooks") | (sections or {})
    with ExitStack() as stack:
        redis = stack.enter_context(own_redis())
        database = stack.enter_context(servers.fresh_database())
        sim = stack.enter_context(simulator.running(folder, **configured))
        environment = {
            "BACKCHAT_HOME": str(folder / "home"),
            "DATABASE_URL": database,
            "REDIS_URL": redis.url,
            "BACKCHAT_SECRET_KEY": SECRET_KEY,
            "PORT": str(port),
            "BACKCHAT_BASE_URL": url,
            **QUICK,
            **more,
        }
        rt = stack.enter_context(live_runtime(configuration.load(environment)))
        children = {
            process.name: Child(process.name, process.argv, environment, folder)
            for process in read_procfile(ROOT / "Procfile")
        }
        house = House(rt, redis, sim, environment, children, folder, url=url)
        house.numbers = {line.provider: _move_in(rt, sim, line) for line in lines}
        house.number_id = house.numbers[lines[0].provider]
        try:
            yield house
            assert house.remote_addresses() == set()
        finally:
            _stop_all(children)


def free_port() -> int:
    """Below those that the kernel hands out, so that nobody is given it while its owner is not listening."""
    while True:
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port := next(_ports)))
            return port


def _move_in(rt: Runtime, sim: Simulator, line: Line) -> int:
    with rt.transaction() as session:
        connection = connections.add(
            session,
            rt.settings.secret_key,
            slug=line.slug,
            provider=line.provider,
            account_id=line.waba_id,
            base_url=sim.url + line.base_path,
            secrets={name: line.secrets[name] for name in PROVIDERS[line.provider].secret_names},
        )
        number = numbers.add(
            session,
            connection,
            environment=Environment.LIVE,
            provider_number_id=line.told,
            phone=line.phone,
            name="Helpline",
            pace_per_s=5000,
        )
        return number.id


def _stop_all(children: dict[str, Child]) -> None:
    problems = []
    for child in children.values():
        child.ask_to_stop()
    for child in children.values():
        try:
            child.stop()
        except AssertionError as error:
            problems.append(str(error))
    assert not problems, problems


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            json.loads(answer.read())
    except urllib.error.HTTPError:  # a 503 is an answer too: the workers are yet to come
        return True
    except (urllib.error.URLError, OSError):
        return False
    return True
