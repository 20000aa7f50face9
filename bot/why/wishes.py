"""Do they want it? Their words on marketing, with the ledger's rows, and their choice of topics."""

from collections.abc import Mapping

from bot.language import _, later
from bot.models.person import ConsentEvent
from bot.why.case import Case
from bot.why.steps import Evidence, Finding, passed, stopped
from bot.why.stops import reason, stop_of, when

_TELLERS: Mapping[str, str] = {
    "webhook": later("they told WhatsApp"),
    "error": later("the provider refused a message for it"),
    "word": later("they wrote a stop word"),
    "coach": later("a coach wrote it down"),
    "api": later("a program told it"),
    "import": later("a list said it"),
    "command": later("told at a terminal"),
}
_STOPPED = later(
    "Respect it: only they can resume, in WhatsApp or by telling a coach. A utility template still reaches them."
)
_UNWANTED = later("Respect it. If they change their mind, set it on their profile.")


def consent(case: Case) -> Finding | None:
    """Asked of templates only: an answer to what they wrote needs none."""
    words = [_word(*each) for each in case.words]
    if stop_of(case) == "consent":
        return stopped(_("They wanted no marketing messages %(case)s.", case=when(case)), _STOPPED, *words)
    if not case.template:
        return None
    if not case.is_marketing:
        category = str(case.template.get("category") or _("no marketing")).lower()
        return passed(
            _("Not asked: the template is %(category)s, and a stop is about marketing.", category=category), *words
        )
    if case.person.marketing_opted_out_at is None:
        return passed(_("They have not stopped marketing messages."), *words)
    if case.message is not None:
        return passed(_("They had not stopped marketing messages then; they have since."), *words)
    return stopped(_("They want no marketing messages."), _STOPPED, *words)


def topic(case: Case) -> Finding | None:
    rows = [
        Evidence(
            f"preference {row.id}", _("no to this topic") if row.topic_id else _("no to WhatsApp"), row.changed_at, by
        )
        for row, by in case.refusals
    ]
    if stop_of(case) == "topic":
        return stopped(_("%(case)s So it was %(case2)s.", case=reason(case), case2=when(case)), _UNWANTED, *rows)
    if case.broadcast is None or not (case.topic or case.is_marketing):
        return None
    about = f"“{case.topic.name}”" if case.topic else _("messages by WhatsApp")
    if not rows:
        return passed(_("They have not said no to %(about)s.", about=about))
    if case.message is not None:
        return passed(_("They had not said no to %(about)s then; they have since.", about=about), *rows)
    return stopped(_("They said no to %(about)s.", about=about), _UNWANTED, *rows)


def _word(event: ConsentEvent, by: str | None) -> Evidence:
    told = f"{event.value}: {_TELLERS.get(event.source, event.source)}"
    return Evidence(
        f"consent_event {event.id}", f"{told} ({event.detail})" if event.detail else told, event.occurred_at, by
    )
