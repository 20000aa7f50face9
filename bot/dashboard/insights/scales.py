"""Where the lines behind a picture stand: at round numbers, four or five of them."""

import math
from collections.abc import Sequence

_ROUND = (1, 2, 2.5, 5, 10)


def ticks(most: float, *, whole: bool) -> Sequence[float]:
    """From 0 to the first round number that is not below `most`; with `whole`, none between two whole numbers."""
    step = _step(most / 4 if most > 0 else 1)
    if whole:
        step = max(1, math.ceil(step))
    return [step * n for n in range(max(math.ceil(round(most / step, 9)), 1) + 1)]


def _step(least: float) -> float:
    power = 10.0 ** math.floor(math.log10(least))
    return next(each * power for each in _ROUND if each * power >= least * (1 - 1e-9))
