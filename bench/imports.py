"""Taking a list in, against the bare loop of phonenumbers and against the ORM row by row: make bench-import.

`python -m bench.imports --work` is the worker: it goes on with imports until none is due, and prints its peak memory.
"""

import argparse
import contextlib
import json
import os
import random
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import phonenumbers
from sqlalchemy import select
from sqlalchemy.orm import Session

from bench import crowd
from bot import ending, runtime
from bot import settings as configuration
from bot.models.imports import ImportRun
from bot.models.person import Address, Person
from bot.models.segment import Segment, SegmentMember
from bot.models.words import ImportState
from bot.runtime import Runtime
from broadcasts.imports import imports, pump
from tests.harness.runtimes import SECRET_KEY, live_runtime, make_settings
from tests.harness.servers import start

HEADER = "user_id,phone_number,first_name,city,score||NUMBER,born||DATE,vip||BOOLEAN,seen||DATETIME\n"
MANY = 1_000_000
_BAD = (
    "u{n},2010,Name{n},Cairo,7,1990-05-01,true,2026-01-31T12:00:00Z\n",
    "u {n},+20{phone},Name{n},Cairo,7,1990-05-01,true,2026-01-31T12:00:00Z\n",
    "u{n},+20{phone},Name{n},Cairo,seven,1990-05-01,true,2026-01-31T12:00:00Z\n",
    "u{n},+20{phone},Name{n},Cairo,7,1990-13-01,true,2026-01-31T12:00:00Z\n",
)


def main() -> None:
    arguments = _arguments()
    if arguments.work:
        _work()
        return
    with tempfile.TemporaryDirectory(prefix="backchat-bench-") as folder, start() as servers:
        with servers.fresh_database() as url, live_runtime(make_settings(Path(folder), url, servers.redis_url)) as rt:
            figures = _import(rt, Path(folder), arguments.rows, arguments.textbook)
        if not arguments.quick:
            with (
                servers.fresh_database() as url,
                live_runtime(make_settings(Path(folder), url, servers.redis_url)) as rt,
            ):
                figures |= _million(rt, Path(folder))
    print(json.dumps({"bench": "import", **figures}))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--textbook", type=int, default=2_000, help="rows of the ORM's way")
    parser.add_argument("--quick", action="store_true", help="leave out what needs a million people")
    parser.add_argument("--work", action="store_true", help="be the worker")
    return parser.parse_args()


def _import(rt: Runtime, folder: Path, rows: int, textbook: int) -> dict[str, Any]:
    """The list through the worker, its numbers through phonenumbers, and its first rows through the ORM."""
    crowd.make(rt, 1, rows // 5)
    crowd.settle(rt)
    file = _write(folder / "list.csv", rows)
    run, seconds, peak_mb = _take_in(rt, folder, file)
    assert run.failed == rows // 20, (run.state, run.problem, run.failed)
    assert run.created + run.updated + run.unchanged + run.failed == rows
    with file.open() as lines:
        bare_per_s = _bare([line.split(",", 2)[1] for line in lines][1:])
    textbook_per_s = _textbook(rt, file, textbook)
    per_s = rows / seconds
    return {
        "rows": rows,
        "rows_per_s": round(per_s),
        "phonenumbers_per_s": round(bare_per_s),
        "ratio_phonenumbers": round(per_s / bare_per_s, 3),
        "textbook_per_s": round(textbook_per_s),
        "ratio_textbook": round(per_s / textbook_per_s, 1),
        "peak_rss_mb": round(peak_mb),
    }


def _million(rt: Runtime, folder: Path) -> dict[str, Any]:
    """Memory of a list of a million rows; then search and count among the million people it made."""
    file = _write(folder / "million.csv", MANY)
    _, _, peak_mb = _take_in(rt, folder, file)
    file.unlink()
    crowd.settle(rt)
    return {
        "million_peak_rss_mb": round(peak_mb),
        "search_p95_ms_1m": round(crowd.search_p95_ms(rt), 1),
        "segment_count_p95_ms_1m": round(crowd.segment_count_p95_ms(rt), 1),
    }


def _write(path: Path, rows: int) -> Path:
    """Every twentieth row is bad in one of four ways; the order is one and the same every time."""
    draw = random.Random(7)
    order = list(range(1, rows + 1))
    draw.shuffle(order)
    with path.open("w") as file:
        file.write(HEADER)
        file.writelines(_line(n) for n in order)
    return path


def _line(n: int) -> str:
    phone = 1_000_000_000 + n
    if n % 20 == 0:
        return _BAD[n // 20 % len(_BAD)].format(n=n, phone=phone)
    city, born = crowd.CITIES[n % 10], f"{1960 + n % 45}-{1 + n % 12:02d}-{1 + n % 28:02d}"
    seen = f"2026-{1 + n % 9:02d}-{1 + n % 28:02d}T{n % 24:02d}:{n % 60:02d}:00Z"
    return f"u{n},+20{phone},Name{n % 5000},{city},{n % 100},{born},{'true' if n % 3 else 'false'},{seen}\n"


def _take_in(rt: Runtime, folder: Path, file: Path) -> tuple[ImportRun, float, float]:
    """The import, and seconds and peak memory of the worker that took it in, from the check to the last chunk."""
    with file.open("rb") as source, rt.transaction() as session:
        run_id = _start(session, file.name, source)
    environment = {
        **os.environ,
        "BACKCHAT_HOME": str(folder),
        "DATABASE_URL": rt.settings.database_url,
        "REDIS_URL": rt.settings.redis_url,
        "BACKCHAT_SECRET_KEY": SECRET_KEY,
        "BACKCHAT_IMPORT_SENDBIRD_ROWS": str(MANY),
    }
    command = [sys.executable, "-m", "bench.imports", "--work"]
    told = subprocess.run(command, check=True, env=environment, stdout=subprocess.PIPE, text=True)
    seconds, peak_mb = map(float, told.stdout.splitlines()[-1].split())
    with rt.transaction() as session:
        run = session.get_one(ImportRun, run_id)
    assert run.state == ImportState.FINISHED, run.problem
    return run, seconds, peak_mb


def _start(session: Session, name: str, source: IO[bytes]) -> int:
    return imports.start(
        session,
        environment=crowd.ENVIRONMENT,
        segment_name=name,
        dialect_name="sendbird",
        country=None,
        file_name=name,
        source=source,
    ).id


def _work() -> None:
    rt = runtime.build(configuration.load(os.environ), name="bench")
    began = time.perf_counter()
    while pump.work(rt, ending.is_told):
        pass
    seconds = time.perf_counter() - began
    print(seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def _bare(numbers: list[str]) -> float:
    """What the library that knows numbers takes alone."""
    began = time.perf_counter()
    for number in numbers:
        with contextlib.suppress(phonenumbers.NumberParseException):
            phonenumbers.is_valid_number(phonenumbers.parse(number))
    return len(numbers) / (time.perf_counter() - began)


def _textbook(rt: Runtime, file: Path, count: int) -> float:
    """The first rows of the list as most tutorials take them in: look up, save and commit each with the ORM."""
    with rt.transaction() as session:
        segment = Segment(environment="test", name="textbook")
        session.add(segment)
    began = time.perf_counter()
    with file.open() as lines, rt.sessions() as session:
        next(lines)
        for line in _first(lines, count):
            _save(session, segment.id, line.rstrip("\n").split(","))
            session.commit()
    return count / (time.perf_counter() - began)


def _save(session: Session, segment_id: int, cells: list[str]) -> None:
    name, number, first_name, city, score, born, vip, seen = cells
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return
    if not phonenumbers.is_possible_number(parsed) or not re.fullmatch(r"[\w.-]+", name) or not score.isdigit():
        return
    person = session.scalar(select(Person).where(Person.environment == "test", Person.distinct_id == name))
    if person is None:
        person = Person(environment="test", distinct_id=name)
        session.add(person)
    person.first_name = first_name
    person.attributes = {"city": city, "score": int(score), "born": born, "vip": vip == "true", "seen": seen}
    session.flush()
    value = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    if not session.scalar(select(Address).where(Address.person_id == person.id, Address.value == value)):
        session.add(Address(environment="test", person_id=person.id, kind="phone", value=value))
    if session.get(SegmentMember, (segment_id, person.id)) is None:
        session.add(SegmentMember(segment_id=segment_id, person_id=person.id, environment="test"))


def _first(lines: Iterator[str], count: int) -> Iterator[str]:
    return (line for line, _ in zip(lines, range(count), strict=False))


if __name__ == "__main__":
    main()
