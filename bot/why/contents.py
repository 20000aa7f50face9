"""Is there something to send? The template as WhatsApp approved it, and a value for each of its placeholders."""

from bot.language import _, later
from bot.messages import templates
from bot.messages.personalise import PlaceholderError
from bot.why.case import Case
from bot.why.steps import Evidence, Finding, passed, stopped
from bot.why.stops import reason, sentence, stop_of

APPROVED = "APPROVED"
_FILL_IN = later(
    "Fill it in on their profile or by an import, or give the placeholder a default: <<user.x|default('…')>>."
)


def values(case: Case) -> Finding | None:
    if stop_of(case) == "values":
        return stopped(reason(case), _FILL_IN, *_slots(case))
    if case.broadcast is None:
        return None
    if not case.slots:
        return passed(_("The template has no placeholders."))
    if case.message is not None and (case.message.content is not None or stop_of(case)):
        return passed(_("Every placeholder was filled."), *_slots(case))
    lacking = _lacking(case)
    if lacking:
        return stopped(sentence(lacking), _FILL_IN, *_slots(case))
    return passed(_("Every placeholder can be filled."), *_slots(case))


def template(case: Case) -> Finding | None:
    now = case.template_now
    if now is None:
        return None
    name = f"{case.template.get('name', now.name)} ({case.template.get('language', now.language)})"
    told = f"{now.status}: {now.reason}" if now.reason else now.status
    row = Evidence(f"template {now.id}", told, now.told_at or now.updated_at)
    if now.status.upper() == APPROVED:
        return passed(_("The template %(name)s is approved.", name=name), row)
    if case.message is None:
        return stopped(
            _("The template %(name)s is %(status)s.", name=name, status=now.status.lower()),
            _("Choose one that WhatsApp has approved."),
            row,
        )
    return passed(
        _("The template %(name)s was approved then; it is %(status)s now.", name=name, status=now.status.lower()), row
    )


def _slots(case: Case) -> list[Evidence]:
    return [Evidence(slot, words) for slot, words in case.slots.items()]


def _lacking(case: Case) -> str | None:
    try:
        done = templates.fill(case.template, case.slots, case.values)
    except PlaceholderError as error:
        return str(error)
    names = done.missing or done.empty
    return _("nothing known for %(names)s", names=", ".join(names)) if names else None
