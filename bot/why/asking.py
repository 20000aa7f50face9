"""The first question: was a message ever meant for them? By a broadcast's audience, or by whoever wrote it."""

from collections.abc import Mapping

from bot.models.broadcast import Broadcast
from bot.models.words import AuthorKind, BroadcastState, SegmentKind
from bot.why.case import Case
from bot.why.steps import Evidence, Finding, passed, stopped, waiting

_NEW = "A launched broadcast keeps its audience: make a new one, to a segment that holds them."

_WRITTEN: Mapping[str, str] = {
    AuthorKind.STACK: "A journey wrote it",
    AuthorKind.COACH: "A coach wrote it",
    AuthorKind.REMINDER: "A reminder was due",
    AuthorKind.API: "A program asked for it",
    AuthorKind.BROADCAST: "A broadcast was launched",
    AuthorKind.AUTOMATION: "An automation of another system wrote it",
    AuthorKind.APP: "Somebody wrote it in the WhatsApp app on the phone",
}


def side(case: Case) -> Finding | None:
    if case.broadcast is None or case.broadcast.environment == case.person.environment:
        return None
    return stopped(
        f"The broadcast belongs to {case.broadcast.environment.title()}, this person to "
        f"{case.person.environment.title()}, and nothing crosses.",
        f"Send from a number of {case.person.environment.title()}, to a segment there.",
    )


def segment(case: Case) -> Finding | None:
    if case.segment is None or case.broadcast is None:
        return None
    name = case.segment.name
    if case.joined is not None:
        how = f", by the import of {case.joined.file}" if case.joined.file else ""
        row = f"import_run {case.joined.import_id}" if case.joined.import_id else "segment_member"
        return passed(f"They are in “{name}”{how}.", Evidence(row, "joined", case.joined.at), at=case.joined.at)
    if case.segment.kind == SegmentKind.RULE:
        return _by_rule(case, name)
    if case.message is not None:
        return passed(f"They were in “{name}” at the launch, and were taken out since.", _row(case))
    return stopped(
        f"They are not in “{name}”, which the broadcast went to.",
        f"Add them to “{name}”, by an import or by hand. {_NEW}",
        Evidence(f"segment {case.segment.id}", f"{name} has no row for this person"),
    )


def _by_rule(case: Case, name: str) -> Finding:
    if case.message is not None or case.listed:
        return passed(f"They fitted the rule of “{name}” at the launch.", _listed(case) if case.listed else _row(case))
    now = {True: "They fit it now.", False: "They do not fit it now.", None: "It cannot be asked now."}[case.fits]
    row = Evidence(f"segment {case.segment.id if case.segment else 0}", f"the rule of {name}: {now}")
    fix = f"Compare the rule with their profile. {_NEW}"
    if case.broadcast is None or case.broadcast.audience_frozen_at is not None:
        return stopped(f"They did not fit the rule of “{name}” at the launch.", fix, row)
    if case.broadcast.launched_at is not None:
        return waiting(f"Whoever fits the rule of “{name}” is just being written down. {now}", _stuck(case), row)
    if case.fits is False:
        return stopped(f"They do not fit the rule of “{name}” today; it is asked anew at the launch.", fix, row)
    return passed(f"The rule of “{name}” is asked at the launch. {now}", row)


def left_out(case: Case) -> Finding | None:
    """Of a broadcast that leaves some out; who came into such a segment later had their message all the same."""
    segment = case.left_out_by
    if segment is None or case.message is not None or case.listed is not None:
        return None
    return stopped(
        f"They are in “{segment.name}”, whose people the broadcast leaves out.",
        f"Take them out of “{segment.name}” if they should not be in it. {_NEW}",
        Evidence(f"segment {segment.id}", "left out"),
    )


def audience(case: Case) -> Finding | None:
    """Everybody who was in the segment at the moment of launch, and nobody else."""
    broadcast = case.broadcast
    if broadcast is None or broadcast.launched_at is None:
        return None
    launch = Evidence(f"broadcast {broadcast.id}", "launched", broadcast.launched_at)
    if case.message is not None:
        return passed("They were in the audience when it was frozen.", launch, at=broadcast.launched_at)
    if case.joined is not None and case.joined.at > broadcast.launched_at:
        joined = Evidence("segment_member", "joined the segment", case.joined.at)
        return stopped("They joined after the launch, when the audience was frozen already.", _NEW, launch, joined)
    if broadcast.state == BroadcastState.CANCELLED:
        return stopped(
            "The broadcast was cancelled before their message was made.",
            "Launch another broadcast if they are still to get it.",
            launch,
            *transition(case),
        )
    if case.is_unmade or broadcast.audience_frozen_at is None:
        return waiting(f"They are in the audience; {_turn(case)}.", _stuck(case), launch, *_watched(broadcast))
    return stopped(
        "They are not in the audience: they came into the segment while it was being made, or two people became one.",
        _NEW,
        launch,
    )


def _turn(case: Case) -> str:
    if case.broadcast and case.listed and case.listed.wave > case.broadcast.wave:
        return "their turn comes when those who get it first have had it and all went well"
    return "their message is about to be made"


def _watched(broadcast: Broadcast) -> tuple[Evidence, ...]:
    if broadcast.wave_until is None:
        return ()
    return (Evidence(f"broadcast {broadcast.id}", "the part before is watched until", broadcast.wave_until),)


def launch(case: Case) -> Finding | None:
    """Of a draft, after what would stand in the way."""
    if case.broadcast is None or case.broadcast.launched_at is not None:
        return None
    if case.broadcast.state == BroadcastState.CANCELLED:
        return stopped("The draft was cancelled and never launched.", "Make a new broadcast.", *transition(case))
    return waiting(
        "The broadcast is still a draft: nobody has got anything yet.",
        "Launch it on its page.",
        Evidence(f"broadcast {case.broadcast.id}", "draft", case.broadcast.created_at),
    )


def author(case: Case) -> Finding | None:
    """Of a message that is no broadcast's."""
    if case.message is None or case.message.author_kind is None:
        return None
    told = _WRITTEN[case.message.author_kind] + (f" ({case.author})" if case.author else "")
    if case.message.cause_message_id is not None:
        told += f", in answer to message {case.message.cause_message_id}"
    return passed(f"{told}.", _row(case), at=case.message.occurred_at)


def transition(case: Case) -> tuple[Evidence, ...]:
    """Who paused or cancelled the broadcast, and why."""
    line = case.halted
    if line is None:
        return ()
    told = f"{line.to_state}: {line.why}" if line.why else line.to_state
    return (Evidence(f"broadcast_transition {line.id}", told, line.at, case.halted_by),)


def _stuck(case: Case) -> str | None:
    is_paused = case.broadcast is not None and case.broadcast.state == BroadcastState.PAUSED
    return "The broadcast is paused: resume it on its page." if is_paused else None


def _listed(case: Case) -> Evidence:
    return Evidence("audience_person", "in the audience", case.broadcast.launched_at if case.broadcast else None)


def _row(case: Case) -> Evidence:
    message = case.message
    return Evidence(f"message {message.id}", "made", message.occurred_at) if message else Evidence("message", "none")


def title(case: Case) -> str:
    """What a message is called that is no broadcast's: its author, or its template."""
    message = case.message
    if message is None or message.author_kind is None:
        return "A message"
    named = (message.author_kind.title(), case.author, case.template.get("name"))
    return " · ".join(part for part in named if part)
