"""python -m tests.harness.pump QUEUE: one run of a queue's pump in a process that may be killed."""

import importlib
import sys

from bot import failpoints, queue, runtime, settings


def main(name: str) -> None:
    told = settings.load()
    failpoints.arm(told.failpoint)
    runtime.build(told, name=f"pump-{name}")
    module, _, pump = queue.PUMPS[name].rpartition(".")
    getattr(importlib.import_module(module), pump)()


if __name__ == "__main__":
    main(sys.argv[1])
