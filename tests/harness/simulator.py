"""The simulator as a process of its own, and what a test tells and asks it."""

import json
import re
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.harness.children import Child, wait_until

WABA_ID = "100200300400500"
NUMBER_ID = "200300400500600"
ACCESS_TOKEN = "simulated-access-token"
APP_SECRET = "simulated-app-secret"
VERIFY_TOKEN = "simulated-verify-token"
BUSINESS_PHONE = "+201000000000"

CALLBACK = re.compile(r"o1\.(\d+)\.(\d+)")


@dataclass
class Simulator:
    """`log_path` is the fsynced list of accepted sends: what happened, whatever our database believes."""

    child: Child
    url: str
    log_path: Path
    number_id: str = NUMBER_ID
    _read: list[dict[str, Any]] = field(default_factory=list)
    _at: int = 0

    def control(self, name: str, body: Mapping[str, Any] | None = None, *, method: str = "") -> Any:
        """Answer of /_control/<name>: POST when there is a body, else GET, unless told otherwise."""
        method = method or ("GET" if body is None else "POST")
        data = None if method == "GET" else json.dumps(body or {}).encode()
        request = urllib.request.Request(f"{self.url}/_control/{name}", data=data, method=method)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.loads(answer.read())

    def configure(self, **sections: Any) -> None:
        self.control("config", sections, method="PUT")

    def set_faults(self, **sections: Any) -> None:
        self.control("faults", sections, method="PUT")

    def say(self, phone: str, text: str = "", **more: Any) -> list[int]:
        """A person writes `text`, or something else that `more` says; the statuses our webhook answered."""
        answer = self.control("inbound", {"number_id": self.number_id, "from": phone, "text": text} | more)
        return list(answer["statuses"])

    def drain(self) -> None:
        """All statuses that wait go out now, and are acknowledged or given up when this returns."""
        self.control("drain", method="POST")

    def log(self) -> list[dict[str, Any]]:
        """Every accepted send, oldest first, read from the file on the disk."""
        with self.log_path.open("rb") as lines:
            lines.seek(self._at)
            for line in lines:
                if not line.endswith(b"\n"):
                    break
                self._at += len(line)
                self._read.append(json.loads(line))
        return self._read

    def accepted(self) -> int:
        return len(self.log())


def message_of(entry: Mapping[str, Any]) -> int | None:
    """The id of the outbound row that a log entry says it is, if its mark can be read."""
    match = CALLBACK.fullmatch(entry.get("callback") or "")
    return int(match[1]) if match else None


def document(callback_url: str = "", **sections: Any) -> dict[str, Any]:
    """The simulator's configuration: one account with one number, quick statuses, and what `sections` lays over."""
    account = {
        "waba_id": WABA_ID,
        "access_token": ACCESS_TOKEN,
        "app_secret": APP_SECRET,
        "verify_token": VERIFY_TOKEN,
        "callback_url": callback_url,
    }
    number = {
        "id": NUMBER_ID,
        "waba_id": WABA_ID,
        "display_phone_number": BUSINESS_PHONE,
        "pace_per_s": 0,
    }
    quick = {"sent_ms": 20, "delivered_ms": 40, "read_ms": 80}
    patient = {"window_ms": 50, "tries": 50, "first_retry_ms": 100, "max_retry_ms": 1000}
    return {"accounts": [account], "numbers": [number], "statuses": quick, "delivery": patient} | sections


@contextmanager
def running(folder: Path, callback_url: str = "", **sections: Any) -> Iterator[Simulator]:
    """A simulator on a free port with its files in `folder`, configured as `document` says."""
    config, log = folder / "simulator.json", folder / "accepted.jsonl"
    config.write_text(json.dumps(document(callback_url, **sections)))
    command = [sys.executable, "-m", "simulator", "--port", "0", "--log", str(log), "--config", str(config)]
    child = Child("simulator", command, {}, folder)
    child.start()
    try:
        yield Simulator(child, wait_until(lambda: _address(child), "the simulator's first line"), log)
    finally:
        child.stop()


def _address(child: Child) -> str:
    assert child.alive(), child.output()
    return next((line.split()[1] for line in child.output().splitlines() if line.startswith("simulator: http")), "")
