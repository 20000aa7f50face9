"""A folder of exports holds complete ones alone, each going on where the last ended; views show the newest."""

import fcntl
import re
from collections.abc import Callable, Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import duckdb
import orjson
import pyarrow.parquet
import pytest
from click.testing import CliRunner, Result
from sqlalchemy import delete, text

from bot.commands.root import make_cli
from bot.erasure import erasing
from bot.goals import links
from bot.insights.export import folders
from bot.insights.export.files import Wanted
from bot.insights.export.shapes import Progress
from bot.insights.export.tables import TABLES
from bot.models.goals import LinkClick, PersonEvent
from bot.models.message import Message
from bot.models.schema import metadata
from bot.people import merge
from bot.runtime import Runtime
from bot.team.audit import COMMAND
from tests import factories as make
from tests.insights.export import dictionary

Export = Callable[..., Result]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "exports"


@pytest.fixture
def export(live_rt: Runtime, folder: Path) -> Export:
    """`backchat export` into the folder, with these words more."""
    return lambda *words: CliRunner().invoke(make_cli(), ["export", str(folder), *words])


@pytest.fixture
def duck(folder: Path) -> Iterator[Callable[[str], list[Any]]]:
    with duckdb.connect() as opened:

        def ask(query: str) -> list[Any]:
            opened.execute(f"SET file_search_path = '{folder}'")
            opened.execute((folder / "views.sql").read_text())
            return opened.execute(query).fetchall()

        yield ask


def kept(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))


def test_the_second_export_holds_what_changed_and_the_views_show_what_is(
    live_rt: Runtime, export: Export, duck: Callable[[str], list[Any]], folder: Path
) -> None:
    with live_rt.transaction() as tx:
        number = make.make_number(tx)
        ada, twin, gone, erased = (make.make_person(tx) for _ in range(4))
        segment = make.make_segment(tx, [ada, twin])
        link = links.create(tx, "live", "course", "https://x.example", COMMAND)
        for person in (ada, twin, gone, erased):
            tx.add(
                LinkClick(environment="live", link_id=link.id, person_id=person.id, at=text("now()"), is_preview=False)
            )
            tx.add(PersonEvent(environment="live", person_id=person.id, name="joined", at=text("now()"), key="1"))
        tx.add(PersonEvent(environment="live", person_id=twin.id, name="paid", at=text("now()")))
        sent = make.make_outbound(tx, ada, number, state="accepted", accepted_at=text("now()"))
        make.make_inbound(tx, twin, number)
        dropped = make.make_inbound(tx, ada, number)
        make.make_conversation(tx, ada, number)
        make.make_conversation(tx, twin, number)
    first = orjson.loads(export("--json").stdout)
    assert (first["is_whole"], first["rows"]["messages"], first["rows"]["people"]) == (True, 3, 4)
    with live_rt.transaction() as tx:
        tx.execute(text("UPDATE message SET delivery_level = 2 WHERE id = :id"), {"id": sent.id})
        tx.execute(delete(Message).where(Message.id == dropped.id))
        tx.execute(text("DELETE FROM person WHERE id = :id"), {"id": gone.id})
        merge.merge(tx, [ada.id, twin.id], "they are one")
        erasing.erase(tx, live_rt.settings, erased.id, erasing.Actor())
    second = orjson.loads(export("--json").stdout)
    assert (second["is_whole"], second["rows"]["segments"]) == (False, 1)
    assert second["rows"]["numbers"] == 1
    assert duck("SELECT count(*), count(DISTINCT person_id), max(delivery_level) FROM messages") == [(2, 1, 2)]
    assert duck("SELECT person_id FROM people WHERE erased_at IS NULL") == [(str(ada.id),)]
    assert second["rows"]["link_clicks"] == 1
    assert duck("SELECT link_id, person_id FROM link_clicks") == [(link.id, str(ada.id))] * 2
    assert second["rows"]["person_events"] == 1, "the twin's, who is somebody else now"
    assert duck("SELECT name, person_id FROM person_events ORDER BY 1") == [
        (n, str(ada.id)) for n in ("joined", "paid")
    ]
    assert duck("SELECT segment_id, person_id FROM segment_members") == [(segment.id, str(ada.id))]
    assert duck("SELECT count(*) FROM conversations") == [(1,)]
    assert duck("SELECT count(*) FROM exports e JOIN exports f ON f.changed_since = e.exported_at") == [(1,)]
    assert duck("SELECT count(*) FROM episodes") == [(1,)]
    told = duck("SELECT person_id, reason, into_person_id FROM people_gone ORDER BY reason")
    ways = [("erased", erased, None), ("merged", twin, str(ada.id)), ("removed", gone, None)]
    assert told == [(str(person.id), reason, into) for reason, person, into in ways]
    assert [name.rpartition("-")[2] for name in kept(folder)] == ["whole", "changes", "views.sql"]
    assert orjson.loads(export("--whole", "--json").stdout)["is_whole"]
    assert duck("SELECT count(*) FROM messages") == [(2,)]


def test_an_export_that_breaks_off_leaves_nothing_and_the_next_one_is_as_if_it_had_not_been(
    live_rt: Runtime, export: Export, folder: Path
) -> None:
    with live_rt.transaction() as tx:
        make.make_person(tx)

    def die(_: Progress) -> None:
        assert list(folder.glob("*/*.parquet")) == []  # what a reader's pattern meets
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        folders.export(live_rt, folder, Wanted("live"), anew=False, told=die)
    assert kept(folder) == []
    left = folder / folders.UNFINISHED / "export"  # as of a run that was killed with -9
    left.mkdir(parents=True)
    (left / "people.parquet").write_bytes(b"half")
    assert export().exit_code == 0
    assert len(kept(folder)) == 2
    assert not left.exists()


def test_files_say_what_they_hold(live_rt: Runtime, export: Export, folder: Path) -> None:
    place = Path(orjson.loads(export("--pseudonymised", "--json").stdout)["folder"])
    schema = pyarrow.parquet.read_schema(place / "messages.parquet")
    told = {name.decode(): value.decode() for name, value in schema.metadata.items()}
    assert told["backchat.version"] == "3"
    assert told["backchat.time_zone"] == live_rt.settings.time_zone
    assert told["backchat.is_pseudonymised"] == "True"
    assert schema.field("read_at").metadata[b"null"] == b"It was not, or they have read receipts switched off."
    assert (place.stat().st_mode & 0o777, (place / "messages.parquet").stat().st_mode & 0o777) == (0o700, 0o600)


@pytest.mark.parametrize(
    "first, then, why",
    [((), ("--environment", "test"), "holds exports of live"), ((), ("--pseudonymised",), "names and numbers")],
    ids=["environment", "pseudonyms"],
)
def test_what_would_not_fit_together_is_refused_with_what_to_do(
    export: Export, folder: Path, first: tuple[str, ...], then: tuple[str, ...], why: str
) -> None:
    assert export(*first).exit_code == 0
    refused = export(*then)
    assert (refused.exit_code, len(kept(folder))) == (1, 2)
    assert why in refused.stderr


def test_two_at_once_and_a_folder_that_cannot_be_written_are_refused(export: Export, folder: Path) -> None:
    folder.mkdir()
    with (folder / ".lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        refused = export()
    assert (refused.exit_code, "wait until they are done" in refused.stderr) == (1, True)
    (folder / "file").write_text("")
    refused = CliRunner().invoke(make_cli(), ["export", str(folder / "file" / "below")])
    assert (refused.exit_code, "name a folder you may write to" in refused.stderr) == (1, True)


def test_each_table_of_the_database_leaves_or_is_listed_with_the_reason_why_not() -> None:
    left_out = dictionary.DOCUMENT.read_text().partition("\n## What is not there\n")[2].partition(dictionary.HEADING)[0]
    patterns = re.findall(
        r"`(\w+\*?)`", "".join(line.split(" | ")[0] for line in left_out.splitlines() if line[:1] == "|")
    )
    sources = {word for table in TABLES.values() for word in re.findall(r"\w+", table.source)}
    kept = set(metadata.tables) - sources
    assert {name for name in kept if not any(fnmatch(name, pattern) for pattern in patterns)} == set()
    assert [pattern for pattern in patterns if not any(fnmatch(name, pattern) for name in metadata.tables)] == []
    assert patterns


def test_the_documentation_lists_every_table_with_its_columns() -> None:
    assert dictionary.DOCUMENT.read_text().partition(dictionary.HEADING)[2] == dictionary.listed(), (
        "python -m tests.insights.export.dictionary"
    )
