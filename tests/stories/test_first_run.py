"""The first minute: one command on a machine where nothing is set up."""

import re
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from bot.demo import seed
from bot.host import lodging
from tests.harness.children import Child, wait_until
from tests.harness.house import free_port
from tests.harness.servers import make_home
from tests.harness.simulator import Simulator
from tests.harness.visitor import Visitor

BLOCK = re.compile(
    r"Backchat +(?P<page>http://\S+).*sign in +(?P<email>\S+).*password +(?P<password>\S+)"
    r".*a phone +(?P<phone>http://\S+).*Ctrl-C",
    re.DOTALL,
)


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Child]:
    """`backchat run` with a data folder and a port, and no other variable set."""
    home = make_home()
    child = Child("backchat", ["backchat", "run"], {"BACKCHAT_HOME": str(home), "PORT": str(free_port())}, tmp_path)
    try:
        yield child
    finally:
        child.stop()
        lodging.erase(home)
        shutil.rmtree(home)


def start(child: Child) -> dict[str, str]:
    """What the block says that is printed once the pages answer."""
    said = len(child.output())
    child.start()
    found = wait_until(lambda: is_alive(child) and BLOCK.search(child.output()[said:]), "the first page", timeout_s=150)
    return dict(found.groupdict())


def is_alive(child: Child) -> bool:
    assert child.alive(), child.output()
    return True


def end(child: Child, sign: signal.Signals, *, more_than: int) -> None:
    """Ask it to end, and see that nobody of all it had started is left."""
    family = child.family()
    assert len(family) > more_than
    assert child.process is not None
    child.process.send_signal(sign)
    assert child.process.wait(60) == 0
    _, left = psutil.wait_procs(family, timeout=20)
    assert left == []


@pytest.mark.timeout(400)
def test_one_command_shows_a_bot_that_answers_and_leaves_nothing_running(fresh: Child) -> None:
    told = start(fresh)
    home = Path(fresh.environment["BACKCHAT_HOME"])
    visitor = Visitor(told["page"])
    assert "Backchat" in visitor.sign_in(told["email"], told["password"])
    phone = Simulator(fresh, told["phone"].rstrip("/"), home / "demo/accepted.jsonl", seed.NUMBER_ID)
    assert phone.say("+4915735985002", "hi", name="Grace Hopper") == [200]
    wait_until(lambda: phone.accepted() >= 2, "the bot's answer")
    assert "demo" in phone.log()[0]["text"]

    worker = next(child for child in fresh.descendants() if child.cmdline()[-2:] == ["worker", "send"])
    worker.kill()
    end(fresh, signal.SIGINT, more_than=8)

    fresh.command += ["--scale", "intake=0,bulk=0,media=0,export=0"]
    again = start(fresh)
    assert told["password"] not in fresh.output()[fresh.output().rindex("Backchat ") :], "a password is shown once"
    visitor = Visitor(again["page"])
    visitor.sign_in(told["email"], told["password"])
    assert "Grace Hopper" in visitor.get("/inbox?environment=test&state=all")
    end(fresh, signal.SIGTERM, more_than=4)
