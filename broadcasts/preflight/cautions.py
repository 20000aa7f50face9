"""What speaks against a launch without being in the way: it has to be ticked, and is asked once more by the launch."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.language import _, figure
from bot.models.broadcast import Broadcast, Template
from bot.models.connection import Number
from broadcasts.audience import membership
from broadcasts.drafting import drafts, unknown
from broadcasts.preflight import foreseen, funnel, gate, recent, tier, timing
from broadcasts.preflight.funnel import Funnel
from broadcasts.preflight.recent import Recent
from broadcasts.preflight.tier import Use
from broadcasts.preflight.timing import Timing

BAD_QUALITY = frozenset({"RED"})


@dataclass(frozen=True, slots=True)
class Caution:
    """What does not block the launch, but has to be ticked: `code` names the kind."""

    code: str
    text: str


@dataclass
class Look:
    """What a broadcast would be if it were launched now, each part counted when it is first asked for.

    Counting everybody is what takes long: a launch asks first for what tells enough without it.
    """

    session: Session
    broadcast: Broadcast

    @cached_property
    def number(self) -> Number:
        return self.session.get_one(Number, self.broadcast.number_id)

    @cached_property
    def funnel(self) -> Funnel:
        """Raises RuleError, as whatever counts people does."""
        return funnel.load(self.session, self.broadcast)

    @cached_property
    def audience(self) -> int:
        counted = self.__dict__.get("funnel")
        return counted.audience if counted else gate.audience(self.session, self.broadcast)

    @cached_property
    def use(self) -> Use | None:
        return tier.use_of(self.session, self.broadcast, self.funnel.new)

    @cached_property
    def timing(self) -> Timing:
        return timing.foresee(self.session, self.broadcast, self.funnel.reached, self.use, datetime.now(UTC))

    @cached_property
    def recent(self) -> list[Recent]:
        return recent.load(self.session, self.broadcast, lambda: self.audience)

    def cautions(self, besides: Collection[str] = ()) -> Iterator[Caution]:
        """Whatever has a code in `besides` is not looked for."""
        asked = {
            "nobody": self._nobody,
            "number": self._number,
            "template": self._template,
            "tier": self._tier,
            "unknown": self._unknown,
            "recent": self._recent,
            "late": self._late,
        }
        for code, tell in asked.items():
            if code not in besides and (text := tell()):
                yield Caution(code, text)

    def _nobody(self) -> str | None:
        gets = self.funnel.gets if "funnel" in self.__dict__ else self._reaches_anybody()
        return None if gets else _("Nobody of the audience would get it.")

    def _number(self) -> str | None:
        if self.number.quality not in BAD_QUALITY:
            return None
        return _("The quality of %(phone)s is low: WhatsApp may block it if people complain.", phone=self.number.phone)

    def _template(self) -> str | None:
        template = self.session.get_one(Template, self.broadcast.template_id)
        if template.quality not in BAD_QUALITY:
            return None
        return _("The quality of the template %(name)s is low: WhatsApp may pause it.", name=template.name)

    def _unknown(self) -> str | None:
        wanted = drafts.wanted_of(self.session, self.broadcast)
        texts = [text for slots in (wanted.slots, *(each.slots for each in wanted.wordings)) for text in slots.values()]
        return " ".join(unknown.of(self.session, self.broadcast.environment, texts).values()) or None

    def _tier(self) -> str | None:
        if self._fits_for_certain() or self.use is None or self.use.fits:
            return None
        return _(
            "Only %(today)s of %(gets)s may be written to now, the others wait for days.",
            today=figure(self.use.today),
            gets=figure(self.funnel.gets),
        )

    def _recent(self) -> str | None:
        return _("People of this audience got the same in the last days.") if self.recent else None

    def _late(self) -> str | None:
        if self.broadcast.not_after is None or self.timing.ends <= self.broadcast.not_after:
            return None
        return _("It will not be through by its end: whoever still waits then is left out.")

    def _reaches_anybody(self) -> bool:
        members = membership.belongs(self.session, self.broadcast)
        draft = foreseen.people(self.session, self.broadcast, members).subquery("draft")
        judged = foreseen.judge(self.session, self.broadcast, draft).subquery("judged")
        return self.session.scalar(select(judged.c.person_id).where(judged.c.reason.is_(None)).limit(1)) is not None

    def _fits_for_certain(self) -> bool:
        """Whether there is room for everybody, whoever of them is new."""
        if "funnel" in self.__dict__ or tier.limit_of(self.number.tier) is None:
            return False
        at_most = tier.use_of(self.session, self.broadcast, self.audience)
        return at_most is not None and at_most.fits
