"""The way out: queued, claimed, on the wire, the provider's answer, and what it reported afterwards."""

from collections.abc import Mapping

from bot.models.message import Message
from bot.models.words import BroadcastState, MessageState
from bot.why import remedies
from bot.why.asking import transition
from bot.why.case import Case
from bot.why.steps import Evidence, Finding, passed, stopped, waiting
from bot.why.stops import sentence

_PROOFS: Mapping[str, str] = {
    "response": "its own answer",
    "callback": "a report that carried our mark",
    "recipient": "a report that could be of no other message",
    "echo": "an echo: it left by another way than Backchat",
}


def queued(case: Case) -> Finding | None:
    message, broadcast = case.message, case.broadcast
    if message is None or message.evidence == "echo":
        return None
    row = Evidence(f"message {message.id}", "put in the outbox", message.occurred_at)
    if message.state == MessageState.CANCELLED:
        again = (
            "Launch another broadcast if they are still to get it." if broadcast else "Send it anew if it is wanted."
        )
        return stopped("It was cancelled while it waited.", again, row, *transition(case))
    if message.state != MessageState.QUEUED:
        return passed("It was put in the outbox.", row, at=message.occurred_at)
    if broadcast is not None and broadcast.state == BroadcastState.PAUSED:
        why = f": {broadcast.reason}" if broadcast.reason else ""
        return waiting(sentence(f"the broadcast is paused{why}"), "Resume it on its page.", row, *transition(case))
    if message.not_before is not None and message.not_before > case.now:
        told = remedies.words(message.error_code, message.error_text) if message.attempt else "it is for later"
        later = Evidence(f"message {message.id}", "not before", message.not_before)
        return waiting(f"It waits: {told}.", remedies.of(message.error_code) if message.attempt else None, row, later)
    return waiting(
        "It waits for its turn.",
        "If it stays so, see that `backchat worker send` runs, and what the connection's doctor says of the number.",
        row,
    )


def claimed(case: Case) -> Finding | None:
    message = case.message
    if message is None or message.evidence == "echo":
        return None
    told = f"A sender took it{f', attempt {message.attempt}' if message.attempt > 1 else ''}."
    if message.state == MessageState.CLAIMED:
        until = Evidence(f"message {message.id}", "the sender holds it until", message.lease_until)
        return waiting(told, "A sender that dies gives it back when its time is up.", until)
    return passed(told)


def wired(case: Case) -> Finding | None:
    message = case.message
    if message is None or message.evidence == "echo":
        return None
    left = Evidence(f"message {message.id}", "marked as leaving", message.wire_at)
    if message.state == MessageState.WIRE:
        return waiting("It is on the line to the provider right now.", None, left, at=message.wire_at)
    return passed("It left for the provider.", left, at=message.wire_at)


def answered(case: Case) -> Finding | None:
    message = case.message
    if message is None:
        return None
    if message.accepted_at is not None:
        proof = _PROOFS.get(message.evidence or "", "its answer")
        row = Evidence(f"message {message.id}", f"{message.provider_message_id}, known by {proof}", message.accepted_at)
        twice = " It may have left twice." if message.possible_duplicate else ""
        return passed(f"The provider took it.{twice}", row, at=message.accepted_at)
    if message.state == MessageState.FAILED:
        return _refused(message)
    row = Evidence(f"message {message.id}", "no answer came", message.unknown_at)
    if message.state == MessageState.PRESUMED_UNSENT:
        return stopped(
            "The line broke while it was sent, and the provider never spoke of it: it probably never left.",
            "Send it anew if they need it; Backchat does not by itself.",
            row,
        )
    told = "The line broke while it was sent: it may have arrived."
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
        told = sentence(f"WhatsApp could not deliver it: {remedies.words(message.error_code, message.error_text)}")
        return stopped(told, remedies.of(message.error_code), *rows, at=message.failed_at)
    if message.delivery_level >= 3:
        return passed("They have read it.", *rows, at=message.read_at)
    if message.delivery_level == 2:
        told = "It is on their phone. Not read yet, or they show nobody that they read."
        return passed(told, *rows, at=message.delivered_at)
    if message.delivery_level == 1:
        told = "It is on its way to their phone, which is off or without a network."
        return waiting(told, "Nothing to do: WhatsApp goes on trying for some days.", *rows, at=message.sent_at)
    return waiting(
        "Nothing was reported of it yet.",
        "If nothing comes of any message, see the connection's doctor: its reports may not reach Backchat.",
        *rows,
    )


def _refused(message: Message) -> Finding:
    told = sentence(f"the provider refused it: {remedies.words(message.error_code, message.error_text)}")
    row = Evidence(f"message {message.id}", f"error {message.error_code or 'without a code'}", message.failed_at)
    return stopped(told, remedies.of(message.error_code), row, at=message.failed_at)


def _why(code: int | None, text: str | None) -> str:
    return "" if code is None and not text else f": {remedies.words(code, text)}"
