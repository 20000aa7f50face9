import re

from simulator.dialects import dialog360, kaleyra_v1, kaleyra_v2, legacy, onpremise, turn, twilio
from simulator.dialects.base import Dialect
from simulator.dialects.door import Handler

DIALECTS: dict[str, Dialect] = {
    dialect.name: dialect
    for dialect in (
        Dialect(),
        dialog360.DIALECT,
        turn.DIALECT,
        onpremise.DIALECT,
        kaleyra_v1.DIALECT,
        kaleyra_v2.DIALECT,
        twilio.DIALECT,
    )
}
"""An account's `dialect` to what is its own."""

ROUTES: list[tuple[str, re.Pattern[str], Handler]] = [
    (method, re.compile(path), handler)
    for routes in (dialog360.ROUTES, legacy.ROUTES, kaleyra_v1.ROUTES, kaleyra_v2.ROUTES, twilio.ROUTES)
    for method, path, handler in routes
]
"""After those of the Cloud API; the first that fits a path answers."""
