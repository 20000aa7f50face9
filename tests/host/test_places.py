from pathlib import Path

import pytest

from bot.host.checks import HostError
from bot.host.places import SOCKET_PATH_LIMIT, private_folder, runtime_folder


def test_a_folder_that_others_can_open_is_refused_and_not_changed(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir(mode=0o755)
    with pytest.raises(
        HostError, match=r"run must be a folder that only its own account \(uid \d+\) can open: chmod 700"
    ):
        private_folder(tmp_path / "run")
    assert (tmp_path / "run").stat().st_mode & 0o777 == 0o755


def test_a_link_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    (tmp_path / "run").symlink_to("elsewhere")
    with pytest.raises(HostError):
        private_folder(tmp_path / "run")


def test_a_short_lived_folder_takes_the_socket_when_home_is_too_deep_and_goes_again(tmp_path: Path) -> None:
    deep = tmp_path / ("deep" * 30)
    folder, cleanup = runtime_folder(deep, deep / "run", "redis.sock")
    assert len(str(folder / "redis.sock")) <= SOCKET_PATH_LIMIT
    assert folder.stat().st_mode & 0o777 == 0o700
    assert cleanup is not None
    cleanup()
    assert not folder.exists()
