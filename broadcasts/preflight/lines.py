"""A report as a checklist: one line for each thing to look at, good, to look at, or in the way."""

from collections.abc import Iterator
from dataclasses import dataclass

from bot.language import _, figure, ngettext, translated
from broadcasts.preflight import recent as recent
from broadcasts.preflight.report import Report

GOOD, LOOK, STOP = "good", "warn", "bad"
_TOLD = frozenset({"number", "template", "unknown", "late"})
"""Cautions that no other line says."""


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
        *(Line(LOOK, each.code, each.text) for each in told.cautions if each.code in _TOLD),
    ]


def _people(told: Report) -> Line:
    gets, audience = told.gets, told.funnel.audience
    if gets == audience:
        text = _("Everybody of the audience.")
    else:
        text = _("Of %(audience)s in the audience.", audience=figure(audience))
    if told.gaps.people and not told.skips_gaps:
        text += " " + _("%(people)s of them only with a default: see below.", people=figure(told.gaps.people))
    title = ngettext("%(people)s person gets it", "%(people)s people get it", gets, people=figure(gets))
    return Line(GOOD if gets else LOOK, "people", title, text)


def _gaps(told: Report) -> Iterator[Line]:
    people = told.gaps.people
    if not people:
        yield Line(GOOD, "gaps", _("No placeholder stays empty"))
    elif told.skips_gaps:
        text = _("They are left out, as somebody decided.")
        yield Line(LOOK, "gaps", _("%(people)s of these have an empty placeholder", people=figure(people)), text)
    else:
        text = _("WhatsApp refuses empty ones: decide what becomes of these people.")
        yield Line(STOP, "gaps", _("%(people)s of these have an empty placeholder", people=figure(people)), text)


def _cost(told: Report) -> Line:
    cost = told.cost
    if cost.currency is None or cost.unpriced == told.funnel.gets:
        return Line(
            LOOK,
            "cost",
            _("What it costs is not known"),
            _("There is no %(category)s rate for it.", category=translated(cost.category.lower())),
        )
    amount = _("At most %(amount)s %(currency)s", amount=figure(cost.amount, 2), currency=cost.currency)
    if cost.unpriced:
        return Line(
            LOOK,
            "cost",
            _("%(amount)s, and more", amount=amount),
            _("For %(unpriced)s people there is no rate.", unpriced=figure(cost.unpriced)),
        )
    return Line(GOOD, "cost", amount, _("As %(category)s, by your rates.", category=translated(cost.category.lower())))


def _tier(told: Report) -> Iterator[Line]:
    use = told.use
    if use is None:
        return
    text = _(
        "%(used)s in the last 24 hours, and %(new)s by this one; it may go up to %(allowed)s.",
        used=figure(use.used),
        new=figure(use.new),
        allowed=figure(use.allowed),
    )
    if use.fits:
        yield Line(
            GOOD,
            "tier",
            _(
                "%(share)s of the number's %(limit)s a day",
                share=_share(use.used + use.new, use.limit),
                limit=figure(use.limit),
            ),
            text,
        )
        return
    title = _(
        "Only %(today)s today: %(percent)s %% of the number's %(limit)s a day",
        today=figure(use.today),
        percent=use.percent,
        limit=figure(use.limit),
    )
    others = ngettext("The others wait, %(num)s more day.", "The others wait, %(num)s more days.", use.more_days)
    yield Line(LOOK, "tier", title, f"{text} {others}")


def _time(told: Report) -> Line:
    waiting = sum(told.timing.waits.values())
    is_quiet = waiting and any(why == "quiet" for _, why in told.timing.waits)
    tone = LOOK if is_quiet or told.timing.learned else GOOD
    return Line(
        tone,
        "time",
        _("When it is through"),
        _("At %(pace_per_s)s messages a second.", pace_per_s=figure(told.timing.pace_per_s)),
    )


def _recent(told: Report) -> Line:
    if not told.recent:
        return Line(GOOD, "recent", _("Nobody got the same in the last %(days)s days", days=recent.DAYS))
    most = max(each.people for each in told.recent)
    return Line(
        LOOK,
        "recent",
        _("%(most)s of the audience got the same in the last %(days)s days", most=figure(most), days=recent.DAYS),
    )


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.0f} %" if part * 200 >= whole or not part else _("Under 1 %")
