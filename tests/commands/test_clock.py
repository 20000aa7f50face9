"""The clock's round: what one sweep runs into holds up no other."""

import pytest
from structlog.testing import capture_logs

import app
from bot.runtime import Runtime


class _SeenError(BaseException):
    """The round has come to its end."""


@pytest.mark.parametrize("error", [OSError("read-only"), ValueError("unforeseen")])
def test_whatever_a_sweep_runs_into_the_others_have_their_turn(
    rt: Runtime, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fails(_rt: Runtime) -> None:
        raise error

    def ends(_rt: Runtime) -> None:
        raise _SeenError

    monkeypatch.setattr(app, "enter", lambda *_: rt)
    monkeypatch.setattr(app, "sweeps", lambda: {fails: 1.0, ends: 1.0})
    with capture_logs() as logged, pytest.raises(_SeenError):
        app.clock.callback()  # type: ignore[misc]
    assert [each["sweep"].rpartition(".")[2] for each in logged] == ["fails"]
