"""Whether the numbers and times of a draft fit: tables of what each takes, and how they go together."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import Final

from bot.language import _, figure, later, translated
from bot.models.words import WinnerMetric
from broadcasts.drafting.fields import YEARS
from broadcasts.drafting.wanted import LETTERS, Care, Problem, Schedule, Trial, Wording

FIRST_ZONE: Final = timezone(timedelta(hours=14))
"""Where any day begins first."""
_LAST_ZONE: Final = timezone(timedelta(hours=-12))
FURTHEST: Final = timedelta(days=366)
LONGEST_WATCH: Final = 7 * 24 * 60

RANGES: Final = {
    "care.canary_percent": (later("The share that gets it first"), 0, 50, later("percent")),
    "care.canary_minutes": (later("The time the first ones are watched"), 1, LONGEST_WATCH, later("minutes")),
    "care.stop_failed_percent": (later("The limit for failures"), 1, 100, later("percent")),
    "care.stop_opt_out_percent": (later("The limit for opt-outs"), 1, 100, later("percent")),
    "care.pace_per_s": (later("The pace"), 1, 10_000, later("messages a second")),
    "care.tier_percent": (later("The share of the number's daily tier"), 1, 100, later("percent")),
    "trial.holdout_percent": (later("The share that gets nothing"), 0, 50, later("percent")),
    "trial.trial_percent": (later("The share the variants are tried on"), 0, 90, later("percent")),
    "trial.winner_minutes": (later("The time until the winner is chosen"), 1, LONGEST_WATCH, later("minutes")),
}
"""Field → what it is, the least, the most, and of what."""


def of_schedule(schedule: Schedule, now: datetime) -> Iterator[Problem]:
    at, local, end = schedule.scheduled_at, schedule.local_time, schedule.not_after
    times = {"scheduled_at": at, "local_time": local, "not_after": end}
    if far := [(name, when) for name, when in times.items() if when is not None and when.year not in YEARS]:
        text = _("There is no broadcast in the year %(year)s: choose a time within the year to come.")
        yield from (Problem(f"schedule.{name}", text % {"year": when.year}) for name, when in far)
        return
    if at is not None and local is not None:
        yield Problem("schedule.local_time", _("Choose one: a time for all, or a time on each person's own clock."))
    if zoneless := [name for name, when in (("scheduled_at", at), ("not_after", end)) if when and not when.tzinfo]:
        text = _("This time has no zone: write it like 2026-05-01T09:00:00Z or 2026-05-01T11:00:00+02:00.")
        yield from (Problem(f"schedule.{name}", text) for name in zoneless)
        return
    if local is not None and local.tzinfo is not None:
        yield Problem(
            "schedule.local_time", _("A time on each person's own clock has no zone: write 2026-05-01T09:00.")
        )
        return
    begins = begin(schedule)
    past = local.replace(tzinfo=_LAST_ZONE) if local is not None else at
    where = "local_time" if local is not None else "scheduled_at"
    if past is not None and past <= now:
        yield Problem(f"schedule.{where}", _("That time is over: choose a later one, or send it at once."))
    if begins is not None and begins > now + FURTHEST:
        yield Problem(f"schedule.{where}", _("That is more than a year away: choose an earlier time."))
    if end is not None and end <= now:
        yield Problem("schedule.not_after", _("That end is over: choose a later one, or none."))
    elif end is not None and begins is not None and end <= begins:
        yield Problem("schedule.not_after", _("It would end before it begins: choose a later end, or none."))


def begin(schedule: Schedule) -> datetime | None:
    """The first moment at which anybody may get it; None is at once."""
    if schedule.local_time is not None:
        return schedule.local_time.replace(tzinfo=FIRST_ZONE).astimezone(UTC)
    return schedule.scheduled_at


def of_numbers(care: Care, trial: Trial, wordings: Sequence[Wording]) -> Iterator[Problem]:
    for field, (what, least, most, unit) in RANGES.items():
        part, _dot, name = field.partition(".")
        value = getattr(care if part == "care" else trial, name)
        if value is not None and not least <= value <= most:
            yield Problem(
                field,
                _(
                    "%(what)s must be between %(least)s and %(most)s %(unit)s.",
                    what=translated(what),
                    least=figure(least),
                    most=figure(most),
                    unit=translated(unit),
                ),
            )
    if care.canary_percent + trial.trial_percent + trial.holdout_percent > 100:
        yield Problem(
            "trial.trial_percent", _("First ones, trial and those who get nothing are more than 100 percent.")
        )
    yield from _of_winner(trial, has_variants=any(each.variant for each in wordings))


def _of_winner(trial: Trial, *, has_variants: bool) -> Iterator[Problem]:
    if trial.winner_metric is not None and trial.winner_metric not in set(WinnerMetric):
        known = ", ".join(WinnerMetric)
        yield Problem(
            "trial.winner_metric",
            _(
                "There is no %(winner_metric)s to win by: choose one of %(known)s.",
                winner_metric=repr(trial.winner_metric),
                known=known,
            ),
        )
    if not trial.trial_percent:
        if trial.winner_metric is not None:
            yield Problem("trial.trial_percent", _("To find a winner, say on how many percent the variants are tried."))
        return
    if not has_variants:
        yield Problem("trial.trial_percent", _("There is nothing to try: add a variant B, or leave this empty."))
    if trial.winner_metric is None:
        yield Problem("trial.winner_metric", _("Say by what the better variant is found, or try it on nobody."))
    if trial.winner_minutes is None:
        yield Problem("trial.winner_minutes", _("Say after how many minutes the winner is chosen."))


def of_variants(wordings: Sequence[Wording]) -> Iterator[Problem]:
    """Each once, in their order, and each with something for people of any language."""
    seen: set[tuple[int, str | None]] = {(0, None)}
    for index, each in enumerate(wordings):
        if not 0 <= each.variant < len(LETTERS):
            yield Problem(
                f"wordings.{index}.variant",
                _("There may be %(count)s variants, 0 to %(last)s.", count=len(LETTERS), last=len(LETTERS) - 1),
            )
        if (each.variant, each.language) in seen:
            text = _(
                "This wording is there twice: give each variant and language one, and the draft's own is the first."
            )
            yield Problem(f"wordings.{index}.language", text)
        seen.add((each.variant, each.language))
    whole = {variant for variant, language in seen if language is None}
    for index, each in enumerate(wordings):
        if 0 < each.variant < len(LETTERS) and not {each.variant, each.variant - 1} <= whole:
            text = _(
                "Variant %(variant)s needs a wording for every language, and all variants before it.",
                variant=LETTERS[each.variant],
            )
            yield Problem(f"wordings.{index}.variant", text)
