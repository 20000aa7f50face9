"""One set of stories for both shelves: a folder, and a real S3 server."""

import os
import stat
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot import settings as configuration
from bot.media.shelf import NoSuchFileError, Shelf, ShelfError, clear_workbench, new_draft, open_shelf
from bot.settings import SettingsError
from tests.harness import bucket
from tests.harness.bucket import S3
from tests.harness.runtimes import make_settings

LARGE = os.urandom(11 * 1024 * 1024)
"""More than two parts of an upload."""


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3]:
    with bucket.running(tmp_path_factory.mktemp("bucket")) as started:
        yield started


def shelf_of(home: Path, **more: str) -> Shelf:
    return open_shelf(make_settings(home, "postgresql://nobody@127.0.0.1/none", "redis://127.0.0.1:9", **more))


@pytest.fixture(params=["folder", "bucket"])
def shelf(request: pytest.FixtureRequest, tmp_path: Path) -> Shelf:
    if request.param == "folder":
        return shelf_of(tmp_path)
    return shelf_of(tmp_path, **request.getfixturevalue("s3").settings())


def put(shelf: Shelf, content: bytes, key: str = "") -> str:
    draft = new_draft(shelf)
    draft.write_bytes(content)
    key = key or str(uuid.uuid4())
    shelf.put(key, draft)
    assert not draft.exists()
    return key


def read(shelf: Shelf, key: str, start: int, stop: int) -> bytes:
    return b"".join(shelf.read(key, start, stop))


def test_a_file_comes_back_as_it_was_put(shelf: Shelf) -> None:
    key = put(shelf, b"a photo")
    assert read(shelf, key, 0, 7) == b"a photo"
    assert read(shelf, key, 2, 5) == b"pho"
    assert read(shelf, key, 3, 3) == b""


def test_a_large_file_comes_back_whole_and_in_parts(shelf: Shelf) -> None:
    key = put(shelf, LARGE)
    assert read(shelf, key, 0, len(LARGE)) == LARGE
    assert read(shelf, key, 5_000_000, 6_000_000) == LARGE[5_000_000:6_000_000]


def test_a_second_file_of_a_key_takes_the_place_of_the_first(shelf: Shelf) -> None:
    key = put(shelf, b"half of it")
    put(shelf, b"all", key)
    assert read(shelf, key, 0, 3) == b"all"


def test_a_removed_file_is_gone_and_may_be_removed_again(shelf: Shelf) -> None:
    key = put(shelf, b"a photo")
    shelf.remove(key)
    shelf.remove(key)
    with pytest.raises(NoSuchFileError):
        shelf.read(key, 0, 7)


def test_a_folder_keeps_its_files_to_itself_and_spreads_them(tmp_path: Path) -> None:
    shelf = shelf_of(tmp_path, BACKCHAT_MEDIA=str(tmp_path / "elsewhere"))
    key = put(shelf, b"a photo")
    kept = tmp_path / "elsewhere" / key[:2] / key[2:4] / key
    assert kept.read_bytes() == b"a photo"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert stat.S_IMODE(shelf.workbench.stat().st_mode) == 0o700


def test_what_a_killed_worker_left_on_the_workbench_is_cleared_and_what_is_new_stays(shelf: Shelf) -> None:
    old, new = new_draft(shelf), new_draft(shelf)
    os.utime(old, (time.time() - 7200,) * 2)
    clear_workbench(shelf)
    assert (old.exists(), new.exists()) == (False, True)


def test_a_bucket_keeps_files_under_its_prefix(s3: S3, tmp_path: Path) -> None:
    key = put(shelf_of(tmp_path, **s3.settings("some/where")), b"a photo")
    assert (s3.folder / "some" / "where" / key).read_bytes() == b"a photo"


def test_a_wrong_secret_is_refused_by_the_bucket_and_told_without_saying_it(s3: S3, tmp_path: Path) -> None:
    key = put(shelf_of(tmp_path, **s3.settings()), b"a photo")
    stranger = shelf_of(tmp_path, **s3.settings(AWS_SECRET_ACCESS_KEY="guessed"))
    for touch in (lambda: stranger.read(key, 0, 7), lambda: stranger.remove(key), lambda: put(stranger, b"x", key)):
        with pytest.raises(ShelfError, match="the bucket for media cannot be used") as refused:
            touch()
        assert "guessed" not in str(refused.value)
        assert key not in str(refused.value)


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(ShelfError, match="the folder for media cannot be used"):
        new_draft(shelf_of(tmp_path, BACKCHAT_MEDIA=str(tmp_path / "file")))


@pytest.mark.parametrize("value", ["ftp://files", "s3://", "https://bucket.example"])
def test_a_place_that_is_no_shelf_is_refused_at_the_start(value: str) -> None:
    with pytest.raises(SettingsError, match=r"BACKCHAT_MEDIA is .* must be a folder or s3://bucket/prefix"):
        configuration.read_one("media", {"BACKCHAT_MEDIA": value})
