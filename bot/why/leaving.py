"""The way out: queued, claimed, on the wire, the provider's answer, and what it reported afterwards."""

from collections.abc import Mapping

from bot.language import _, later, translated
from bot.models.message import Message
from bot.models.words import BroadcastState, MessageState
from bot.why import remedies
from bot.why.asking import transition
from bot.why.case import Case
from bot.why.steps import Evidence, Finding, passed, stopped, waiting
from bot.why.stops import sentence

_PROOFS: Mapping[str, str] = {
    "response": later("its own answer"),
    "callback": later("a report that carried our mark"),
    "recipient": later("a report that could be of no other message"),
    "echo": later("an echo: it left by another way than Backchat"),
}


def queued(case: Case) -> Finding | None:
    message, broadcast = case.message, case.broadcast
    if message is None or message.evidence == "echo":
        return None
    row = Evidence(f"message {message.id}", _("put in the outbox"), message.occurred_at)
    if message.state == MessageState.CANCELLED:
        again = (
            _("Launch another broadcast if they are still to get it.")
            if broadcast
            else _("Send it anew if it is wanted.")
        )
        return stopped(_("It was cancelled while it waited."), again, row, *transition(case))
    if message.state != MessageState.QUEUED:
        return passed(_("It was put in the outbox."), row, at=message.occurred_at)
    if broadcast is not None and broadcast.state == BroadcastState.PAUSED:
        why = f": {broadcast.reason}" if broadcast.reason else ""
        return waiting(
            sentence(_("the broadcast is paused%(why)s", why=why)), _("Resume it on its page."), row, *transition(case)
        )
    if message.not_before is not None and message.not_before > case.now:
        told = remedies.words(message.error_code, message.error_text) if message.attempt else _("it is for later")
        planned = Evidence(f"message {message.id}", _("not before"), message.not_before)
        return waiting(
            _("It waits: %(told)s.", told=told),
            remedies.of(message.error_code) if message.attempt else None,
            row,
            planned,
        )
    return waiting(
        _("It waits for its turn."),
        _("If it stays so, see that `backchat worker send` runs, and what the connection's doctor says of the number."),
        row,
    )


def claimed(case: Case) -> Finding | None:
    message = case.message
    if message is None or message.evidence == "echo":
        return None
    told = _("A sender took it%(value)s.", value=f", attempt {message.attempt}" if message.attempt > 1 else "")
    if message.state == MessageState.CLAIMED:
        until = Evidence(f"message {message.id}", _("the sender holds it until"), message.lease_until)
        return waiting(told, _("A sender that dies gives it back when its time is up."), until)
    return passed(told)


def wired(case: Case) -> Finding | None:
    message = case.message
    if message is None or message.evidence == "echo":
        return None
    left = Evidence(f"message {message.id}", _("marked as leaving"), message.wire_at)
    if message.state == MessageState.WIRE:
        return waiting(_("It is on the line to the provider right now."), None, left, at=message.wire_at)
    return passed(_("It left for the provider."), left, at=message.wire_at)


def answered(case: Case) -> Finding | None:
    message = case.message
    if message is None:
        return None
    if message.accepted_at is not None:
        proof = translated(_PROOFS.get(message.evidence or "", later("its answer")))
        row = Evidence(
            f"message {message.id}",
            _(
                "%(provider_message_id)s, known by %(proof)s",
                provider_message_id=message.provider_message_id,
                proof=proof,
            ),
            message.accepted_at,
        )
        twice = _(" It may have left twice.") if message.possible_duplicate else ""
        return passed(_("The provider took it.%(twice)s", twice=twice), row, at=message.accepted_at)
    if message.state == MessageState.FAILED:
        return _refused(message)
    row = Evidence(f"message {message.id}", _("no answer came"), message.unknown_at)
    if message.state == MessageState.PRESUMED_UNSENT:
        return stopped(
            _("The line broke while it was sent, and the provider never spoke of it: it probably never left."),
            _("Send it anew if they need it; Backchat does not by itself."),
            row,
        )
    told = _("The line broke while it was sent: it may have arrived.")
    return waiting(told, remedies.of(1), row, at=message.unknown_at)


def reported(case: Case) -> Finding | None:
    message = case.message
    if message is None:
        return None
    rows = [
        Evidence(f"status_event {each.id}", f"{each.status}{_why(each.error_code, each.error_text)}", each.occurred_at)
        for each in case.statuses
    ]
    if message.state == MessageState.FAILED:
        told = sentence(
            _("WhatsApp could not deliver it: %(value)s", value=remedies.words(message.error_code, message.error_text))
        )
        return stopped(told, remedies.of(message.error_code), *rows, at=message.failed_at)
    if message.delivery_level >= 3:
        return passed(_("They have read it."), *rows, at=message.read_at)
    if message.delivery_level == 2:
        told = _("It is on their phone. Not read yet, or they show nobody that they read.")
        return passed(told, *rows, at=message.delivered_at)
    if message.delivery_level == 1:
        told = _("It is on its way to their phone, which is off or without a network.")
        return waiting(told, _("Nothing to do: WhatsApp goes on trying for some days."), *rows, at=message.sent_at)
    return waiting(
        _("Nothing was reported of it yet."),
        _("If nothing comes of any message, see the connection's doctor: its reports may not reach Backchat."),
        *rows,
    )


def _refused(message: Message) -> Finding:
    told = sentence(
        _("the provider refused it: %(value)s", value=remedies.words(message.error_code, message.error_text))
    )
    row = Evidence(f"message {message.id}", f"error {message.error_code or 'without a code'}", message.failed_at)
    return stopped(told, remedies.of(message.error_code), row, at=message.failed_at)


def _why(code: int | None, text: str | None) -> str:
    return "" if code is None and not text else f": {remedies.words(code, text)}"
