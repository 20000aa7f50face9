"""Recorded requests as data files: tests/providers/recorded/<provider>/<case>.json."""

from pathlib import Path

from webhooks import cases
from webhooks.cases import Case

FOLDER = Path(__file__).parents[1] / "providers" / "recorded"


def every() -> list[Case]:
    return [cases.read(path) for path in sorted(FOLDER.glob("*/*.json"))]
