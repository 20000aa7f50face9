"""python -m simulator: a WhatsApp on loopback that keeps a log and misbehaves on request."""

import argparse
import asyncio
import gc
import signal
import sys
from pathlib import Path

import uvloop

from simulator.config import Config, ConfigError
from simulator.dialects.table import DIALECTS
from simulator.reading import load_config
from simulator.server import serve
from simulator.world import World

EPILOG = """\
The page at the printed address is a phone: write to the business, tap its buttons, watch the ticks.
Everything a test needs is under /_control/. docs/simulator.md has the configuration, the control API
and the numbers that misbehave (+1500 NXX SSSS).
"""


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m simulator",
        description="A WhatsApp that runs on this machine: the Cloud API, or another provider's.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--port", type=int, default=8300, help="port on 127.0.0.1; 0 takes a free one (default: 8300)")
    parser.add_argument(
        "--log",
        type=Path,
        default=Path("accepted.jsonl"),
        metavar="FILE",
        help="accepted sends, one JSON object a line, kept over restarts (default: ./accepted.jsonl)",
    )
    parser.add_argument("--config", type=Path, metavar="FILE", help="accounts, numbers, templates, faults, as JSON")
    return parser.parse_args()


async def run(arguments: argparse.Namespace) -> None:
    world = World(load_config(arguments.config) if arguments.config else Config(), arguments.log, DIALECTS)
    serving = asyncio.create_task(serve(world, "127.0.0.1", arguments.port, announce))
    for sign in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(sign, serving.cancel)
    await asyncio.gather(serving, return_exceptions=True)
    if not serving.cancelled() and (error := serving.exception()):
        raise error


def announce(address: str) -> None:
    sys.stdout.write(f"simulator: {address}\n")
    sys.stdout.flush()


def main() -> int:
    arguments = read_arguments()
    # What is kept lives long; looking through it again and again would cost a tenth of the speed.
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)
    try:
        uvloop.run(run(arguments))
    except ConfigError as error:
        sys.stderr.write(f"simulator: {error}\n")
        return 2
    except OSError as error:
        sys.stderr.write(f"simulator: {error.strerror or error}; is another one on port {arguments.port}?\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
