"""All one looks at before a launch: who gets it, what it costs, when it is through, and what speaks against it."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy.orm import Session

from bot.messages import policy
from bot.messages.policy import Policy
from bot.models.broadcast import Broadcast, Template
from bot.models.connection import Number
from broadcasts.drafting import checks
from broadcasts.preflight import costs, funnel, gate, lacking, recent, tier, timing
from broadcasts.preflight.costs import Estimate
from broadcasts.preflight.funnel import Funnel
from broadcasts.preflight.recent import Recent
from broadcasts.preflight.tier import Use
from broadcasts.preflight.timing import Timing

BAD_QUALITY = frozenset({"RED"})


@dataclass(frozen=True, slots=True)
class Gaps:
    """How many people lack a value and would get nothing, and which values how often."""

    people: int
    missing: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Caution:
    """What does not block the launch, but has to be ticked: `code` names the kind."""

    code: str
    text: str


@dataclass(frozen=True, slots=True)
class Report:
    funnel: Funnel
    gaps: Gaps
    cost: Estimate
    use: Use | None
    timing: Timing
    recent: Sequence[Recent]
    blocks: Sequence[str]
    """What has to be put right first."""
    cautions: Sequence[Caution]
    rules: Policy

    skips_gaps: bool

    @property
    def gets(self) -> int:
        """Who gets it in the end, without those left out for a gap."""
        return self.funnel.gets - (self.gaps.people if self.skips_gaps else 0)

    @property
    def must_type(self) -> bool:
        return self.funnel.audience > self.rules.type_count_above

    @property
    def must_be_approved(self) -> bool:
        return self.rules.approve_above is not None and self.funnel.audience > self.rules.approve_above


def blocked(session: Session, broadcast: Broadcast) -> list[str]:
    """What keeps it from being counted at all: no audience, a rule that cannot be asked, a template that is paused."""
    template = session.get_one(Template, broadcast.template_id)
    return checks.of_launch(session, broadcast, template) + gate.of_times(broadcast, datetime.now(UTC))


def load(session: Session, broadcast: Broadcast) -> Report:
    """Of a draft for which `blocked` finds nothing about its audience; raises RuleError else."""
    counted = funnel.load(session, broadcast)
    use = tier.use_of(session, broadcast, counted.new)
    lacked = gaps(session, broadcast)
    when = timing.foresee(session, broadcast, counted.reached, use, datetime.now(UTC))
    sent = recent.load(session, broadcast, counted.audience)
    stops = [*blocked(session, broadcast), *([] if broadcast.skips_gaps else gate.tell_gaps(list(lacked.missing)))]
    template = session.get_one(Template, broadcast.template_id)
    return Report(
        funnel=counted,
        gaps=lacked,
        cost=costs.estimate(session, template.category, counted.by_country()),
        use=use,
        timing=when,
        recent=sent,
        blocks=stops,
        cautions=list(_cautions(session, broadcast, counted, use, when, sent)),
        rules=policy.of(session, broadcast.environment),
        skips_gaps=broadcast.skips_gaps,
    )


def cautions(session: Session, broadcast: Broadcast) -> list[Caution]:
    """Those of the report alone."""
    counted = funnel.load(session, broadcast)
    use = tier.use_of(session, broadcast, counted.new)
    when = timing.foresee(session, broadcast, counted.reached, use, datetime.now(UTC))
    sent = recent.load(session, broadcast, counted.audience)
    return list(_cautions(session, broadcast, counted, use, when, sent))


def gaps(session: Session, broadcast: Broadcast) -> Gaps:
    people, missing = 0, Counter[str]()
    for _, names in lacking.people(session, broadcast, lacking.names(session, broadcast)):
        people += 1
        missing.update(names)
    return Gaps(people, dict(missing.most_common()))


def _cautions(
    session: Session, broadcast: Broadcast, counted: Funnel, use: Use | None, when: Timing, sent: Sequence[Recent]
) -> Iterator[Caution]:
    number = session.get_one(Number, broadcast.number_id)
    template = session.get_one(Template, broadcast.template_id)
    if not counted.gets:
        yield Caution("nobody", "Nobody of the audience would get it.")
    if number.quality in BAD_QUALITY:
        yield Caution("number", f"The quality of {number.phone} is low: WhatsApp may block it if people complain.")
    if template.quality in BAD_QUALITY:
        yield Caution("template", f"The quality of the template {template.name} is low: WhatsApp may pause it.")
    if use is not None and not use.fits:
        yield Caution(
            "tier", f"Only {use.today:,} of {counted.gets:,} may be written to now, the others wait for days."
        )
    if sent:
        yield Caution("recent", "People of this audience got the same in the last days.")
    if broadcast.not_after is not None and when.ends > broadcast.not_after:
        yield Caution("late", "It will not be through by its end: whoever still waits then is left out.")
