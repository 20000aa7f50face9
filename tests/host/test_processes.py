"""`backchat run`'s supervisor as its user meets it: started in a terminal, signalled, killed."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from bot.host.checks import HostError
from bot.host.procfile import read_procfile
from tests.host.stage import CHECKOUT, Stage, eventually, said

SUPERVISE = r"""
import sys; from pathlib import Path
from bot.host import processes, procfile
processes.GRACE_S = float(sys.argv[2])
found = procfile.read_procfile(Path(sys.argv[1]), sys.argv[3])
sys.exit(processes.run(found, on_ready=lambda: sys.stdout.write("ready\n")))
"""
# Ends on SIGTERM, but has a child of a child in a session of its own that holds the output and does not.
OBEDIENT = """
import os, signal, sys, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        time.sleep(600)
    os._exit(0)
os.wait()
signal.signal(signal.SIGTERM, lambda *_: (print("goodbye", flush=True), os._exit(0)))
print("at work", flush=True)
time.sleep(600)
"""
STUBBORN = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("at work", flush=True)
time.sleep(600)
"""


class Run:
    """A supervisor with one process `web` that runs the given script."""

    def __init__(self, stage: Stage, folder: Path, script: str, *, grace_s: float = 20, scale: str = "") -> None:
        self.stage = stage
        (folder / "web.py").write_text(script)
        (folder / "Procfile").write_text(
            f"# all there is\nrelease: false\n\nweb: {sys.executable} {folder / 'web.py'}\n"
        )
        self.process = stage.play(SUPERVISE, folder / "Procfile", grace_s, scale)

    def read_until(self, ending: str) -> list[str]:
        lines: list[str] = []
        while not lines or not lines[-1].endswith(ending):
            lines.append(said(self.process))
            assert lines[-1], f"it ended before it said {ending!r}: {lines}"
        return lines

    def web(self) -> int:
        """The pid of `web` itself: the supervisor's child, not its child's."""
        return next(p.pid for p in self.stage.cast("web.py") if p.ppid() == self.process.pid)


@pytest.mark.parametrize("sig", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_everybody_in_good_order_and_leaves_nobody(stage: Stage, tmp_path: Path, sig: int) -> None:
    run = Run(stage, tmp_path, OBEDIENT)
    run.read_until("at work")
    assert len(stage.cast("web.py")) == 2
    run.process.send_signal(sig)
    rest, _ = run.process.communicate(timeout=15)
    assert "web      | goodbye" in rest
    assert run.process.returncode == 0
    assert stage.cast() == []


def test_a_killed_child_is_started_again_its_orphans_are_not_left(stage: Stage, tmp_path: Path) -> None:
    run = Run(stage, tmp_path, OBEDIENT)
    run.read_until("at work")
    before = {process.pid for process in stage.cast("web.py")}
    os.kill(run.web(), signal.SIGKILL)
    told = run.read_until("at work")
    assert "backchat | web ended (signal SIGKILL); starting it again in 0.5 s" in told
    assert len(stage.cast("web.py")) == 2
    assert before.isdisjoint(process.pid for process in stage.cast("web.py"))
    os.kill(run.web(), signal.SIGKILL)
    run.process.terminate()
    run.process.communicate(timeout=15)
    assert stage.cast() == []


def test_nobody_outlives_a_supervisor_that_was_killed(stage: Stage, tmp_path: Path) -> None:
    run = Run(stage, tmp_path, OBEDIENT)
    run.read_until("at work")
    for janitor in stage.cast("bot.host.janitor"):
        janitor.kill()  # and its replacement does the work
    run.read_until("janitor ended; starting it again")
    assert eventually(lambda: stage.cast("bot.host.janitor"))
    run.process.kill()
    assert stage.empties(within_s=10)


def test_who_ignores_sigterm_is_killed_when_its_time_is_up(stage: Stage, tmp_path: Path) -> None:
    run = Run(stage, tmp_path, STUBBORN, grace_s=0.5)
    run.read_until("at work")
    run.process.terminate()
    rest, _ = run.process.communicate(timeout=15)
    assert "web has not stopped by itself and is killed" in rest
    assert stage.cast() == []


def test_a_second_ctrl_c_does_not_wait(stage: Stage, tmp_path: Path) -> None:
    run = Run(stage, tmp_path, STUBBORN, grace_s=600)
    run.read_until("at work")
    run.process.send_signal(signal.SIGINT)
    run.read_until("stopping …")
    run.process.send_signal(signal.SIGINT)
    run.process.communicate(timeout=15)
    assert stage.cast() == []


def test_who_fails_again_and_again_is_tried_later_and_later(stage: Stage, tmp_path: Path) -> None:
    run = Run(stage, tmp_path, "raise SystemExit(3)")
    run.read_until("web ended (exit code 3); starting it again in 0.5 s")
    run.read_until("web ended (exit code 3); starting it again in 1.0 s")
    run.read_until("web ended (exit code 3); starting it again in 2.0 s")
    run.process.terminate()
    run.process.communicate(timeout=5)
    assert run.process.returncode == 0


def test_every_line_bears_a_name_and_two_of_a_kind_are_told_apart(stage: Stage, tmp_path: Path) -> None:
    script = (
        "import sys, time; print('x' * 200_000); sys.stdout.write('unfinished'); sys.stdout.flush(); time.sleep(.3)"
    )
    run = Run(stage, tmp_path, script, scale="web=2")
    lines = [run.read_until("unfinished")[-1] for _ in range(2)]
    assert sorted(lines) == ["web.1    | unfinished", "web.2    | unfinished"]


def test_its_output_may_be_cut_off(stage: Stage, tmp_path: Path) -> None:
    run = Run(stage, tmp_path, OBEDIENT)
    run.read_until("at work")
    assert run.process.stdout is not None
    run.process.stdout.close()
    os.kill(run.web(), signal.SIGKILL)
    assert eventually(lambda: len(stage.cast("web.py")) == 2)
    run.process.terminate()
    assert run.process.wait(15) == 0
    assert stage.empties()


def test_the_supervisor_says_when_all_are_started(stage: Stage, tmp_path: Path) -> None:
    run = Run(stage, tmp_path, STUBBORN)
    assert "ready" in run.read_until("ready")


def test_the_procfile_of_backchat_names_one_process_per_queue() -> None:
    names = [process.name for process in read_procfile(CHECKOUT / "Procfile")]
    assert names == ["web", "intake", "send", "bulk", "media", "export", "clock"]


def test_a_scale_says_how_many_of_each() -> None:
    scaled = read_procfile(CHECKOUT / "Procfile", "web=0, send=2")
    assert [process.name for process in scaled] == ["intake", "send.1", "send.2", "bulk", "media", "export", "clock"]


@pytest.mark.parametrize(
    "text, scale, sentence",
    [
        ("web: sleep 1\nworker\n", "", "line 2: write `name: command`"),
        ("web: sleep 1", "send=2", "has no process send: scale only what it lists"),
        ("web: sleep 1", "web=many", "Cannot read the scale 'web=many': write it as send=2"),
        ("web: sleep '1", "", "line 1: No closing quotation"),
    ],
)
def test_a_procfile_or_scale_that_cannot_be_read_is_named(tmp_path: Path, text: str, scale: str, sentence: str) -> None:
    (tmp_path / "Procfile").write_text(text)
    with pytest.raises(HostError, match=sentence):
        read_procfile(tmp_path / "Procfile", scale)


def test_plain_make_explains_every_target() -> None:
    told = subprocess.run(["make", "--silent"], cwd=CHECKOUT, capture_output=True, text=True, check=True).stdout
    rules = re.findall(r"^([a-z-]+):", (CHECKOUT / "Makefile").read_text(), re.MULTILINE)
    targets = [target for target in rules if target != "help"]
    assert {"setup", "run", "test", "check", "lint", "migration"} <= set(targets)
    assert [target for target in targets if f"make {target} " not in told] == []
