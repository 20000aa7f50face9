"""Places where a test may kill, stop or break the process; without BACKCHAT_FAILPOINT they do nothing.

`FP3:kill9:2` kills the process the second time it passes FP3, `IM1:raise:1` raises the first time,
`FP2:stop:8` stops it for 8 seconds the first time.
"""

import os
import signal
import subprocess
import sys
from collections import Counter

_passed: Counter[str] = Counter()
_plan: list[str] = []


class FailpointError(Exception):
    """Raised on purpose by a test's failpoint."""


def arm(plan: str) -> None:
    """Take the setting's text, `name:action:number`; an empty one disarms."""
    _plan[:] = plan.split(":") if plan else []


def armed(name: str | None = None) -> bool:
    """Whether any failpoint, or the one named, is set."""
    return bool(_plan) and name in {None, _plan[0]}


def hit(name: str) -> None:
    if not _plan or _plan[0] != name:
        return
    _, action, number = _plan
    _passed[name] += 1
    if action == "stop" and _passed[name] == 1:
        _sleep(float(number))
    elif action != "stop" and _passed[name] == int(number):
        _act(action)


def _act(action: str) -> None:
    if action == "kill9":
        os.kill(os.getpid(), signal.SIGKILL)
    if action == "exit":
        os._exit(1)
    raise FailpointError(action)


def _sleep(seconds: float) -> None:
    waker = f"import os, signal, time; time.sleep({seconds}); os.kill({os.getpid()}, signal.SIGCONT)"
    subprocess.Popen([sys.executable, "-c", waker])  # noqa: S603 (our own interpreter, our own text)
    os.kill(os.getpid(), signal.SIGSTOP)
