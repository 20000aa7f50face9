"""The first question: was a message ever meant for them? By a broadcast's audience, or by whoever wrote it."""

from collections.abc import Mapping

from bot.language import _, later, translated
from bot.models.broadcast import Broadcast
from bot.models.words import AuthorKind, BroadcastState, SegmentKind
from bot.why.case import Case
from bot.why.steps import Evidence, Finding, passed, stopped, waiting

_NEW = later("A launched broadcast keeps its audience: make a new one, to a segment that holds them.")

_WRITTEN: Mapping[str, str] = {
    AuthorKind.STACK: later("A journey wrote it"),
    AuthorKind.COACH: later("A coach wrote it"),
    AuthorKind.REMINDER: later("A reminder was due"),
    AuthorKind.API: later("A program asked for it"),
    AuthorKind.BROADCAST: later("A broadcast was launched"),
    AuthorKind.AUTOMATION: later("An automation of another system wrote it"),
    AuthorKind.APP: later("Somebody wrote it in the WhatsApp app on the phone"),
}


def side(case: Case) -> Finding | None:
    if case.broadcast is None or case.broadcast.environment == case.person.environment:
        return None
    return stopped(
        _(
            "The broadcast belongs to %(environment)s, this person to %(environment2)s, and nothing crosses.",
            environment=case.broadcast.environment.title(),
            environment2=case.person.environment.title(),
        ),
        _("Send from a number of %(environment)s, to a segment there.", environment=case.person.environment.title()),
    )


def segment(case: Case) -> Finding | None:
    if case.segment is None or case.broadcast is None:
        return None
    name = case.segment.name
    if case.joined is not None:
        how = _(", by the import of %(file)s", file=case.joined.file) if case.joined.file else ""
        row = f"import_run {case.joined.import_id}" if case.joined.import_id else "segment_member"
        return passed(
            _("They are in “%(name)s”%(how)s.", name=name, how=how),
            Evidence(row, "joined", case.joined.at),
            at=case.joined.at,
        )
    if case.segment.kind == SegmentKind.RULE:
        return _by_rule(case, name)
    if case.message is not None:
        return passed(_("They were in “%(name)s” at the launch, and were taken out since.", name=name), _row(case))
    return stopped(
        _("They are not in “%(name)s”, which the broadcast went to.", name=name),
        _("Add them to “%(name)s”, by an import or by hand. %(new)s", name=name, new=translated(_NEW)),
        Evidence(f"segment {case.segment.id}", _("%(name)s has no row for this person", name=name)),
    )


def _by_rule(case: Case, name: str) -> Finding:
    if case.message is not None or case.listed:
        return passed(
            _("They fitted the rule of “%(name)s” at the launch.", name=name),
            _listed(case) if case.listed else _row(case),
        )
    now = {True: _("They fit it now."), False: _("They do not fit it now."), None: _("It cannot be asked now.")}[
        case.fits
    ]
    row = Evidence(
        f"segment {case.segment.id if case.segment else 0}", _("the rule of %(name)s: %(now)s", name=name, now=now)
    )
    fix = _("Compare the rule with their profile. %(new)s", new=translated(_NEW))
    if case.broadcast is None or case.broadcast.audience_frozen_at is not None:
        return stopped(_("They did not fit the rule of “%(name)s” at the launch.", name=name), fix, row)
    if case.broadcast.launched_at is not None:
        return waiting(
            _("Whoever fits the rule of “%(name)s” is just being written down. %(now)s", name=name, now=now),
            _stuck(case),
            row,
        )
    if case.fits is False:
        return stopped(
            _("They do not fit the rule of “%(name)s” today; it is asked anew at the launch.", name=name), fix, row
        )
    return passed(_("The rule of “%(name)s” is asked at the launch. %(now)s", name=name, now=now), row)


def left_out(case: Case) -> Finding | None:
    """Of a broadcast that leaves some out; who came into such a segment later had their message all the same."""
    segment = case.left_out_by
    if segment is None or case.message is not None or case.listed is not None:
        return None
    return stopped(
        _("They are in “%(name)s”, whose people the broadcast leaves out.", name=segment.name),
        _("Take them out of “%(name)s” if they should not be in it. %(new)s", name=segment.name, new=translated(_NEW)),
        Evidence(f"segment {segment.id}", _("left out")),
    )


def audience(case: Case) -> Finding | None:
    """Everybody who was in the segment at the moment of launch, and nobody else."""
    broadcast = case.broadcast
    if broadcast is None or broadcast.launched_at is None:
        return None
    launch = Evidence(f"broadcast {broadcast.id}", "launched", broadcast.launched_at)
    if case.message is not None:
        return passed(_("They were in the audience when it was frozen."), launch, at=broadcast.launched_at)
    if case.joined is not None and case.joined.at > broadcast.launched_at:
        joined = Evidence("segment_member", _("joined the segment"), case.joined.at)
        return stopped(_("They joined after the launch, when the audience was frozen already."), _NEW, launch, joined)
    if broadcast.state == BroadcastState.CANCELLED:
        return stopped(
            _("The broadcast was cancelled before their message was made."),
            _("Launch another broadcast if they are still to get it."),
            launch,
            *transition(case),
        )
    if case.is_unmade or broadcast.audience_frozen_at is None:
        return waiting(
            _("They are in the audience; %(case)s.", case=_turn(case)), _stuck(case), launch, *_watched(broadcast)
        )
    return stopped(
        _(
            "They are not in the audience: they came into the segment while it was being made, "
            "or two people became one."
        ),
        _NEW,
        launch,
    )


def _turn(case: Case) -> str:
    if case.broadcast and case.listed and case.listed.wave > case.broadcast.wave:
        return _("their turn comes when those who get it first have had it and all went well")
    return _("their message is about to be made")


def _watched(broadcast: Broadcast) -> tuple[Evidence, ...]:
    if broadcast.wave_until is None:
        return ()
    return (Evidence(f"broadcast {broadcast.id}", _("the part before is watched until"), broadcast.wave_until),)


def launch(case: Case) -> Finding | None:
    """Of a draft, after what would stand in the way."""
    if case.broadcast is None or case.broadcast.launched_at is not None:
        return None
    if case.broadcast.state == BroadcastState.CANCELLED:
        return stopped(_("The draft was cancelled and never launched."), _("Make a new broadcast."), *transition(case))
    return waiting(
        _("The broadcast is still a draft: nobody has got anything yet."),
        _("Launch it on its page."),
        Evidence(f"broadcast {case.broadcast.id}", "draft", case.broadcast.created_at),
    )


def author(case: Case) -> Finding | None:
    """Of a message that is no broadcast's."""
    if case.message is None or case.message.author_kind is None:
        return None
    told = _WRITTEN[case.message.author_kind] + (f" ({case.author})" if case.author else "")
    if case.message.cause_message_id is not None:
        told += _(", in answer to message %(cause_message_id)s", cause_message_id=case.message.cause_message_id)
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
    return _("The broadcast is paused: resume it on its page.") if is_paused else None


def _listed(case: Case) -> Evidence:
    return Evidence("audience_person", _("in the audience"), case.broadcast.launched_at if case.broadcast else None)


def _row(case: Case) -> Evidence:
    message = case.message
    return Evidence(f"message {message.id}", "made", message.occurred_at) if message else Evidence("message", "none")


def title(case: Case) -> str:
    """What a message is called that is no broadcast's: its author, or its template."""
    message = case.message
    if message is None or message.author_kind is None:
        return _("A message")
    named = (message.author_kind.title(), case.author, case.template.get("name"))
    return " · ".join(part for part in named if part)
