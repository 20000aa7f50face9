"""How much of a case is tried: little in `make test`, more in `make slow`, all that was promised in `make chaos`."""

from typing import Any

import pytest

FULL = (pytest.mark.slow, pytest.mark.full, pytest.mark.timeout(1800))
"""The marks of a case at full size."""


def sizes(quick: Any, slow: Any, full: Any) -> list[Any]:
    """Values for `parametrize`; a tuple is those of one case."""
    return [_case(quick), *slow_sizes(slow, full)]


def slow_sizes(slow: Any, full: Any) -> list[Any]:
    """As `sizes`, of what has a shorter sibling in `make test`."""
    return [_case(slow, pytest.mark.slow, pytest.mark.timeout(600)), _case(full, *FULL)]


def _case(values: Any, *marks: pytest.MarkDecorator) -> Any:
    return pytest.param(*(values if isinstance(values, tuple) else (values,)), marks=marks)
