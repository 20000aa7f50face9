"""Who told us something about a person: kept beside what they told, as its evidence."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Teller:
    """`source` is coach, api, command, import or webhook; the id is the operator's or the token's."""

    source: str
    operator_id: int | None = None
    token_id: int | None = None
