"""The middle of what was counted by how long it took, told from sums."""

import bisect
import math
from collections.abc import Sequence


def between(times: Sequence[int], ends: Sequence[int], place: float) -> float:
    """What stands at a place, as percentile_cont does; `ends` has for each time how many took that long or less."""
    low, high = (times[bisect.bisect_right(ends, at)] for at in (math.floor(place), math.ceil(place)))
    return low + (place - math.floor(place)) * (high - low)
