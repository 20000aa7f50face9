"""All one looks at before a launch: who gets it, what it costs, when it is through, and what speaks against it."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy.orm import Session

from bot.messages import policy
from bot.messages.policy import Policy
from bot.models.broadcast import Broadcast, Template
from broadcasts.drafting import checks
from broadcasts.preflight import costs, gate, lacking, needing
from broadcasts.preflight.cautions import Caution, Look
from broadcasts.preflight.costs import Estimate
from broadcasts.preflight.funnel import Funnel
from broadcasts.preflight.recent import Recent
from broadcasts.preflight.tier import Use
from broadcasts.preflight.timing import Timing


@dataclass(frozen=True, slots=True)
class Gaps:
    """How many people lack a value and would get nothing, and which values how often."""

    people: int
    missing: Mapping[str, int]


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
    look = Look(session, broadcast)
    lacked = gaps(session, broadcast, look.funnel)
    stops = [*blocked(session, broadcast), *([] if broadcast.skips_gaps else gate.tell_gaps(list(lacked.missing)))]
    template = session.get_one(Template, broadcast.template_id)
    return Report(
        funnel=look.funnel,
        gaps=lacked,
        cost=costs.estimate(session, template.category, look.funnel.by_country()),
        use=look.use,
        timing=look.timing,
        recent=look.recent,
        blocks=stops,
        cautions=list(look.cautions()),
        rules=policy.of(session, broadcast.environment),
        skips_gaps=broadcast.skips_gaps,
    )


def cautions(session: Session, broadcast: Broadcast, besides: Collection[str] = ()) -> list[Caution]:
    """Those of the report alone, without the codes in `besides`; counts no more than these need."""
    return list(Look(session, broadcast).cautions(besides))


def gaps(session: Session, broadcast: Broadcast, counted: Funnel) -> Gaps:
    """Filled in, to see what is empty, is only whoever the funnel could not tell about."""
    people, missing = 0, Counter[str]()
    for each in counted.reached:
        if each.lacks and not each.in_doubt:
            people += each.people
            missing.update(dict.fromkeys(each.lacks, each.people))
    if any(each.in_doubt for each in counted.reached):
        for _, names in lacking.doubtful(session, broadcast, needing.of(session, broadcast)):
            people += 1
            missing.update(names)
    return Gaps(people, dict(missing.most_common()))
