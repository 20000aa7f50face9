"""Do they want it? Their words on marketing, with the ledger's rows, and their choice of topics."""

from collections.abc import Mapping

from bot.models.person import ConsentEvent
from bot.why.case import Case
from bot.why.steps import Evidence, Finding, passed, stopped
from bot.why.stops import reason, stop_of, when

_TELLERS: Mapping[str, str] = {
    "webhook": "they told WhatsApp",
    "error": "the provider refused a message for it",
    "word": "they wrote a stop word",
    "coach": "a coach wrote it down",
    "api": "a program told it",
    "import": "a list said it",
    "command": "told at a terminal",
}
_STOPPED = "Respect it: only they can resume, in WhatsApp or by telling a coach. A utility template still reaches them."
_UNWANTED = "Respect it. If they change their mind, set it on their profile."


def consent(case: Case) -> Finding | None:
    """Asked of templates only: an answer to what they wrote needs none."""
    words = [_word(*each) for each in case.words]
    if stop_of(case) == "consent":
        return stopped(f"They wanted no marketing messages {when(case)}.", _STOPPED, *words)
    if not case.template:
        return None
    if not case.is_marketing:
        category = str(case.template.get("category") or "no marketing").lower()
        return passed(f"Not asked: the template is {category}, and a stop is about marketing.", *words)
    if case.person.marketing_opted_out_at is None:
        return passed("They have not stopped marketing messages.", *words)
    if case.message is not None:
        return passed("They had not stopped marketing messages then; they have since.", *words)
    return stopped("They want no marketing messages.", _STOPPED, *words)


def topic(case: Case) -> Finding | None:
    rows = [
        Evidence(f"preference {row.id}", "no to this topic" if row.topic_id else "no to WhatsApp", row.changed_at, by)
        for row, by in case.refusals
    ]
    if stop_of(case) == "topic":
        return stopped(f"{reason(case)} So it was {when(case)}.", _UNWANTED, *rows)
    if case.broadcast is None or not (case.topic or case.is_marketing):
        return None
    about = f"“{case.topic.name}”" if case.topic else "messages by WhatsApp"
    if not rows:
        return passed(f"They have not said no to {about}.")
    if case.message is not None:
        return passed(f"They had not said no to {about} then; they have since.", *rows)
    return stopped(f"They said no to {about}.", _UNWANTED, *rows)


def _word(event: ConsentEvent, by: str | None) -> Evidence:
    told = f"{event.value}: {_TELLERS.get(event.source, event.source)}"
    return Evidence(
        f"consent_event {event.id}", f"{told} ({event.detail})" if event.detail else told, event.occurred_at, by
    )
