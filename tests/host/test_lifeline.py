import signal
from pathlib import Path

import psutil
import pytest

from tests.host.stage import Stage, eventually, is_gone, said

FORK = """
import os, time
from bot.host import lifeline
child = os.fork()
if child == 0:
    lifeline.die_with_parent()
    print(os.getpid(), flush=True)
time.sleep(600)
"""
TOO_LATE = """
import os, time
from bot.host import lifeline
if os.fork() == 0:
    if os.fork() == 0:
        time.sleep(0.3)  # by now the parent has gone
        lifeline.die_with_parent()
        print("lives on", flush=True)
    os._exit(0)
os.wait()
time.sleep(0.6)
print("the end", flush=True)
"""
WRAP = """
import signal, subprocess, sys, time
from bot.host import lifeline
child = subprocess.Popen(lifeline.wrap(["sleep", "600"], signal.SIGTERM))
print(child.pid, flush=True)
time.sleep(600)
"""


@pytest.mark.parametrize("script", [FORK, WRAP])
def test_a_child_dies_within_a_second_when_its_parent_is_killed(stage: Stage, script: str) -> None:
    parent = stage.play(script)
    child = int(said(parent))
    assert eventually(lambda: psutil.Process(child).status() == psutil.STATUS_SLEEPING)
    parent.send_signal(signal.SIGKILL)
    assert eventually(lambda: is_gone(child), within_s=1)


def test_a_child_whose_parent_is_gone_before_it_could_ask_dies_too(stage: Stage) -> None:
    assert said(stage.play(TOO_LATE)) == "the end"


def test_a_command_that_does_not_exist_is_named(stage: Stage) -> None:
    parent = stage.play(WRAP.replace('"sleep"', '"no-such-command"'))
    said(parent)
    assert said(parent) == "no-such-command: No such file or directory"


def test_the_wrapper_imports_nothing_of_ours() -> None:
    source = (Path(__file__).parents[2] / "bot" / "host" / "lifeline.py").read_text()
    assert "from bot" not in source
    assert "import bot" not in source
