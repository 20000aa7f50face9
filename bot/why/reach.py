"""Can and may they be written to at all? What the outbox judged is told as it was; else how it stands now."""

from datetime import timedelta

from bot.journeys.reminding import WINDOW
from bot.language import _, later
from bot.models.words import AddressKind
from bot.why.case import Case
from bot.why.steps import Evidence, Finding, passed, stopped
from bot.why.stops import reason, stop_of, when

_ADD_PHONE = later("Add a phone number on their profile, or import a list with phone_number.")


def twin(case: Case) -> Finding | None:
    if stop_of(case) != "twin":
        return None
    return stopped(
        _("Two people became one, and the other was to get the same broadcast: it goes out once."),
        _("Nothing to do: see the other message of this broadcast."),
    )


def address(case: Case) -> Finding:
    told = [Evidence(f"address {each.id}", f"{each.kind} {each.value}", each.created_at) for each in case.addresses]
    if stop_of(case) == "address":
        since = _(" One is known by now.") if told else ""
        return stopped(
            _("No WhatsApp address was known %(case)s.%(since)s", case=when(case), since=since), _ADD_PHONE, *told
        )
    if case.message is not None:
        return passed(_("It was addressed to %(to_address)s.", to_address=case.message.to_address), *told)
    if not told:
        return stopped(_("No WhatsApp address is known."), _ADD_PHONE)
    best = next((each for each in case.addresses if each.kind == AddressKind.PHONE), case.addresses[0])
    return passed(_("It would go to %(value)s.", value=best.value), *told)


def enabled(case: Case) -> Finding:
    person = case.person
    row = Evidence(f"person {person.id}", f"enabled: {'yes' if person.enabled else 'no'}", person.updated_at)
    fix = _("Switch messages on again on their profile, if they may be written to.")
    if stop_of(case) == "enabled":
        return stopped(_("Messages to them were switched off %(case)s.", case=when(case)), fix, row)
    if person.enabled:
        return passed(_("Messages to them are switched on."), row)
    if case.message is None:
        return stopped(_("Messages to them are switched off."), fix, row)
    return passed(_("Messages to them were switched on; they have been switched off since."), row)


def erased(case: Case) -> Finding | None:
    """Whoever was erased and wrote again is answered, and never written to first."""
    fix = _("Respect it: they are answered, and get the rest again once they opt in.")
    row = Evidence(
        f"person {case.person.id}", _("answers only: %(value)s", value="yes" if case.person.answers_only else "no")
    )
    if stop_of(case) == "erased":
        return stopped(reason(case), fix, row)
    if case.message is None and case.person.answers_only:
        return stopped(_("They were erased, have written again since, and are only answered."), fix, row)
    return None


def window(case: Case) -> Finding | None:
    """Only free text asks for it."""
    message, heard = case.message, case.heard
    if message is None or message.kind == "template":
        return None
    row = [Evidence(f"message {heard.id}", _("their last message before it"), heard.occurred_at)] if heard else []
    if stop_of(case) == "window":
        return stopped(
            _("The 24-hour window was closed: they had not written within a day."),
            _("Send an approved template instead; free text goes once they write."),
            *row,
        )
    silence = message.occurred_at - heard.occurred_at if heard else timedelta.max
    if silence < WINDOW:
        return passed(_("They had written within 24 hours, so free text was allowed."), *row)
    return passed(_("They had not written within 24 hours; the provider then had the last word."), *row)


def other(case: Case) -> Finding | None:
    """A refusal that no other step knows, as it was written down."""
    if stop_of(case) != "other":
        return None
    return stopped(reason(case), _("Correct what the reason names, then send anew."))
