"""A report as a checklist: one line for each thing to look at, good, to look at, or in the way."""

from collections.abc import Iterator
from dataclasses import dataclass

from broadcasts.preflight import recent as recent
from broadcasts.preflight.report import Report

GOOD, LOOK, STOP = "good", "warn", "bad"


@dataclass(frozen=True, slots=True)
class Line:
    """`code` names what is drawn below it."""

    tone: str
    code: str
    title: str
    text: str = ""


def of(told: Report) -> list[Line]:
    return [
        _people(told),
        *_gaps(told),
        _cost(told),
        *_tier(told),
        _time(told),
        _recent(told),
        *(Line(LOOK, each.code, each.text) for each in told.cautions if each.code in {"number", "template", "late"}),
    ]


def _people(told: Report) -> Line:
    gets, audience = told.gets, told.funnel.audience
    text = "Everybody of the audience." if gets == audience else f"Of {audience:,} in the audience."
    if told.gaps.people and not told.skips_gaps:
        text += f" {told.gaps.people:,} of them only with a default: see below."
    return Line(GOOD if gets else LOOK, "people", f"{gets:,} {_persons(gets)} it", text)


def _gaps(told: Report) -> Iterator[Line]:
    people = told.gaps.people
    if not people:
        yield Line(GOOD, "gaps", "No placeholder stays empty")
    elif told.skips_gaps:
        text = "They are left out, as somebody decided."
        yield Line(LOOK, "gaps", f"{people:,} of these have an empty placeholder", text)
    else:
        text = "WhatsApp refuses empty ones: decide what becomes of these people."
        yield Line(STOP, "gaps", f"{people:,} of these have an empty placeholder", text)


def _cost(told: Report) -> Line:
    cost = told.cost
    if cost.currency is None or cost.unpriced == told.funnel.gets:
        return Line(LOOK, "cost", "What it costs is not known", f"There is no {cost.category.lower()} rate for it.")
    amount = f"At most {cost.amount:,.2f} {cost.currency}"
    if cost.unpriced:
        return Line(LOOK, "cost", f"{amount}, and more", f"For {cost.unpriced:,} people there is no rate.")
    return Line(GOOD, "cost", amount, f"As {cost.category.lower()}, by your rates.")


def _tier(told: Report) -> Iterator[Line]:
    use = told.use
    if use is None:
        return
    text = f"{use.used:,} in the last 24 hours, and {use.new:,} by this one; it may go up to {use.allowed:,}."
    if use.fits:
        yield Line(GOOD, "tier", f"{_share(use.used + use.new, use.limit)} of the number's {use.limit:,} a day", text)
        return
    title = f"Only {use.today:,} today: {use.percent} % of the number's {use.limit:,} a day"
    yield Line(LOOK, "tier", title, f"{text} The others wait, {use.more_days} more {_days(use.more_days)}.")


def _time(told: Report) -> Line:
    waiting = sum(told.timing.waits.values())
    is_quiet = waiting and any(why == "quiet" for _, why in told.timing.waits)
    tone = LOOK if is_quiet or told.timing.learned else GOOD
    return Line(tone, "time", "When it is through", f"At {told.timing.pace_per_s:,} messages a second.")


def _recent(told: Report) -> Line:
    if not told.recent:
        return Line(GOOD, "recent", f"Nobody got the same in the last {recent.DAYS} days")
    most = max(each.people for each in told.recent)
    return Line(LOOK, "recent", f"{most:,} of the audience got the same in the last {recent.DAYS} days")


def _persons(count: int) -> str:
    return "person gets" if count == 1 else "people get"


def _days(count: int) -> str:
    return "day" if count == 1 else "days"


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.0f} %" if part * 200 >= whole or not part else "Under 1 %"
