"""A draft as a form, a command or a program asks for it: everything that can be said of one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from bot.language import _

LETTERS: Final = "ABCDEFGH"
"""How people call the variants; there are no more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """When it begins, for whom and until when; nothing: at once, for everybody, however long it takes."""

    scheduled_at: datetime | None = None
    local_time: datetime | None = None
    """Without a zone: that day and time on each person's own clock. Not together with `scheduled_at`."""
    not_after: datetime | None = None
    heeds_quiet_hours: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Care:
    """What keeps a mistake small; None leaves it to the policy of the environment or to the number."""

    canary_percent: int = 0
    canary_minutes: int = 10
    stop_failed_percent: int | None = None
    stop_opt_out_percent: int | None = None
    pace_per_s: int | None = None
    tier_percent: int | None = None
    heeds_frequency: bool = True
    skips_gaps: bool = False
    resends_unsent: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What the variants are compared with, and how the better one is found."""

    holdout_percent: int = 0
    trial_percent: int = 0
    """Share among whom the variants are tried before the others get the winner; 0 shares everybody out."""
    winner_metric: str | None = None
    winner_minutes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """What people of a variant, of a language, or both, get instead of the draft's own template and slots."""

    variant: int = 0
    """0 is A, the draft's own; 1 is B."""
    language: str | None = None
    """As in people's profiles; None for everybody of the variant who has no wording of their own."""
    template_id: int
    slots: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    name: str
    number_id: int
    template_id: int
    segment_ids: Sequence[int]
    minus_ids: Sequence[int] = ()
    """Segments whose people are left out."""
    slots: Mapping[str, str]
    """Slot name to text with `<<user.…>>`."""
    topic_id: int | None = None
    wordings: Sequence[Wording] = ()
    schedule: Schedule = Schedule()
    care: Care = Care()
    trial: Trial = Trial()


@dataclass(frozen=True, slots=True)
class Problem:
    """`field` is where: a path in Wanted such as `name`, `segments`, `slots.body.1`, `wordings.0.template`."""

    field: str
    text: str


def name_of(wording: Wording) -> str:
    """`Variant B`, `pt_BR`, `Variant B in pt_BR`."""
    variant = _("Variant %(letter)s", letter=LETTERS[wording.variant]) if 0 < wording.variant < len(LETTERS) else ""
    return " in ".join(part for part in (variant, wording.language or "") if part)
