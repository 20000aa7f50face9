"""The media worker as a process: fetches, is killed, is told to stop, and loses nothing."""

import asyncio
import concurrent.futures
import signal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, text

from bot.media import claims, jobs
from bot.media.shelf import open_shelf
from bot.models.connection import Number
from bot.models.message import Media, Message
from bot.models.words import MediaState
from bot.runtime import Runtime
from tests.harness.children import Child, wait_until
from tests.harness.house import House
from tests.harness.simulator import Simulator
from tests.media.rows import make_line, make_media


@pytest.fixture
def line(live_rt: Runtime, provider: Simulator) -> Number:
    with live_rt.transaction() as session:
        return make_line(session, live_rt.settings, provider)


def add(rt: Runtime, number: Number, *media_ids: str, **columns: Any) -> list[int]:
    with rt.transaction() as session:
        return [make_media(session, number, media_id, **columns).id for media_id in media_ids]


def rows(rt: Runtime, ids: list[int]) -> list[Media]:
    with rt.sessions() as session:
        return [found for media_id in ids if (found := session.get(Media, media_id))]


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.rglob("*") if path.is_file()}


def test_what_waits_is_fetched_and_one_bad_file_holds_up_no_other(live_rt: Runtime, line: Number) -> None:
    ids = add(live_rt, line, "sample-image", "sample-short", "no-such-file", "sample-voice", "sample-endless")
    jobs.fetch_media()
    found = rows(live_rt, ids)
    assert [row.state for row in found] == ["stored", "waiting", "waiting", "stored", "refused"]
    assert [row.mime_type for row in found if row.state == "stored"] == ["image/png", "audio/ogg"]
    assert files(live_rt.settings.home / "media") == {row.storage_key for row in found if row.state == "stored"}
    content = b"".join(open_shelf(live_rt.settings).read(found[0].storage_key or "", 0, found[0].size or 0))
    assert content.startswith(b"\x89PNG")


def test_a_limit_follows_the_kind_of_the_message_and_the_setting(live_rt: Runtime, line: Number) -> None:
    sticker, other = (
        add(live_rt, line, "sample-endless", kind="sticker"),
        add(live_rt, line, "sample-endless", kind="x"),
    )
    jobs.fetch_media()
    reasons = [row.reason for row in rows(live_rt, sticker + other)]
    assert reasons == ["The file is larger than 0.5 MB.", "The file is larger than 100 MB."]


def test_many_workers_fetch_each_file_once(live_rt: Runtime, line: Number, provider: Simulator) -> None:
    ids = add(live_rt, line, *["sample-image"] * 40)

    def claim_until_none(_: int) -> list[int]:
        found: list[int] = []
        while True:
            with live_rt.transaction() as session:
                one = claims.claim(session, ())
            if one is None:
                return found
            found.append(one.id)

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        claimed = [media_id for part in pool.map(claim_until_none, range(4)) for media_id in part]
    assert sorted(claimed) == ids


def test_the_sweep_rings_for_what_no_ring_announced(live_rt: Runtime, line: Number) -> None:
    jobs.sweep(live_rt)
    assert not live_rt.redis.exists("backchat:rung:media")
    add(live_rt, line, "sample-image")
    jobs.sweep(live_rt)
    assert live_rt.redis.exists("backchat:rung:media")


@pytest.mark.parametrize("erased", ["before the file comes", "before it is written down"])
def test_a_file_erased_while_it_is_fetched_does_not_stay(erased: str, live_rt: Runtime, line: Number) -> None:
    add(live_rt, line, "sample-image")
    shelf, place = open_shelf(live_rt.settings), live_rt.settings.home / "media"
    with live_rt.transaction() as session:
        claimed = claims.claim(session, ())
    assert claimed is not None
    if erased == "before the file comes":
        erase_all(live_rt)
    result = asyncio.run(jobs._fetched(live_rt, shelf, claimed))
    assert bool(files(place)) is (erased == "before it is written down")
    erase_all(live_rt)
    jobs._record(live_rt, shelf, claimed, result)
    assert files(place) == set()


def erase_all(rt: Runtime) -> None:
    with rt.transaction() as session:
        session.execute(delete(Message))


@pytest.fixture
def stocked(empty_house: House) -> list[int]:
    with empty_house.rt.transaction() as session:
        number = session.get_one(Number, empty_house.number_id)
        return [make_media(session, number, media_id).id for media_id in ("sample-image", "sample-voice")]


@pytest.mark.parametrize("place", ["MD1", "MD2", "MD3"])
def test_a_worker_killed_anywhere_leaves_neither_a_loss_nor_a_stray_file(
    place: str, empty_house: House, stocked: list[int]
) -> None:
    assert empty_house.pump("media", BACKCHAT_FAILPOINT=f"{place}:kill9:1") == -signal.SIGKILL
    with empty_house.rt.engine.begin() as connection:
        connection.execute(text("UPDATE media SET lease_until = now() WHERE lease_until IS NOT NULL"))
    assert empty_house.pump("media") == 0
    found = rows(empty_house.rt, stocked)
    assert [row.state for row in found] == ["stored", "stored"]
    kept = files(empty_house.rt.settings.home / "media") - drafts(empty_house)
    assert kept == {row.storage_key for row in found}


def drafts(house: House) -> set[str]:
    return files(house.rt.settings.home / "media" / "incoming")


def test_a_worker_told_to_stop_gives_back_what_it_has_not_finished(empty_house: House, stocked: list[int]) -> None:
    with empty_house.rt.transaction() as session:
        number = session.get_one(Number, empty_house.number_id)
        slow = make_media(session, number, "sample-slow").id
    empty_house.start("media")
    empty_house.rt.ring("media")
    wait_until(lambda: states(empty_house, stocked) == ["stored"] * 2, "the others to be fetched")
    wait_until(lambda: rows(empty_house.rt, [slow])[0].attempt == 1, "the slow one to be begun")
    worker: Child = empty_house.children["media"]
    worker.ask_to_stop()
    worker.stop()
    [row] = rows(empty_house.rt, [slow])
    assert (row.state, row.attempt, row.lease_until) == (MediaState.WAITING, 0, None)


def states(house: House, ids: list[int]) -> list[str]:
    return [row.state for row in rows(house.rt, ids)]
