from collections.abc import Callable
from typing import Any

import orjson
import pytest
from click.testing import CliRunner, Result

from bot.commands.root import make_cli
from bot.runtime import Runtime

Backchat = Callable[..., Result]


@pytest.fixture
def backchat(rt: Runtime) -> Backchat:
    """`backchat("token", "list")` as typed at a prompt whose input is a pipe."""
    cli = make_cli()

    def call(*words: str, stdin: str = "", **environment: str) -> Result:
        result = CliRunner().invoke(cli, words, input=stdin, env=environment, prog_name="backchat")
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return call


def told(result: Result) -> Any:
    assert result.exit_code == 0, result.output
    return orjson.loads(result.stdout)
