"""The webhook doctor: step by step from the address to a status, each with evidence, likely cause and remedy."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from urllib.parse import urlsplit

from bot.connections import connections
from bot.language import _, figure
from webhooks import diagnoses
from webhooks.findings import Findings, Seen
from webhooks.sightings import Kind

UNAPPLIED_AFTER = timedelta(seconds=30)
STILL_FRESH = timedelta(hours=1)


class State(StrEnum):
    GOOD = "good"
    WAITING = "waiting"
    """Nothing is known yet."""
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Step:
    title: str
    state: State
    evidence: str
    """What was seen, in a sentence."""
    at: datetime | None = None
    """When."""
    event_id: int | None = None
    cause: str | None = None
    """The likely one, in plain words."""
    remedy: str | None = None


def examine(found: Findings) -> list[Step]:
    handshake = [_handshake(found)] if found.has_handshake else []
    return [_address(found), *handshake, _signature(found), _subscription(found), _message(found), _status(found)]


def _address(found: Findings) -> Step:
    title = _("The provider can reach the address")
    parts = urlsplit(found.webhook_url)
    if found.last_event is not None:
        return Step(title, State.GOOD, _("A webhook reached it."), found.last_event.received_at)
    reached = max((seen.at for seen in found.sightings.values()), default=None)
    if found.is_simulated and reached is None:
        return Step(
            title, State.WAITING, _("Nobody has called it yet."), cause=_("The simulator has not sent anything.")
        )
    is_public = parts.scheme == "https" and not connections.is_loopback(parts.hostname)
    if not is_public and not found.is_simulated:
        return Step(
            title,
            State.BAD,
            _("The address begins with %(scheme)s://%(netloc)s.", scheme=parts.scheme, netloc=parts.netloc),
            cause=_(
                "Providers call public https addresses only. From http they are redirected, and a redirected "
                "POST arrives without its body, or as a GET."
            ),
            remedy=_(
                "Put a proxy with a certificate, or a tunnel, in front; set BACKCHAT_BASE_URL to its https address."
            ),
        )
    if reached is not None:
        return Step(title, State.GOOD, _("Somebody called it."), reached)
    return Step(
        title,
        State.WAITING,
        _("Nobody has called it yet."),
        cause=_("It was not pasted at the provider yet, its name does not lead here, or a firewall is in between."),
        remedy=_(
            "Paste the address at the provider. If it is there, open it in a browser from outside: “not "
            "verified” is the answer of a healthy address, and it shows here."
        ),
    )


def _handshake(found: Findings) -> Step:
    title = _("The handshake came, with the right token")
    good, refused = found.sightings.get(Kind.HANDSHAKE), found.sightings.get(Kind.HANDSHAKE_REFUSED)
    stray = found.sightings.get(Kind.STRAY_GET)
    if refused is not None and (good is None or good.at < refused.at):
        return _refused_handshake(title, refused)
    if good is not None:
        return Step(title, State.GOOD, _("The provider asked, and was answered."), good.at)
    if found.last_event is not None:
        return Step(title, State.GOOD, _("Webhooks come, so it was done."), found.last_event.received_at)
    paste = _("Paste the address and the verify token at the provider and press “Verify and save” there.")
    if stray is not None:
        return Step(
            title,
            State.WAITING,
            _("A GET came without the parameters of a handshake."),
            stray.at,
            cause=_(
                "Somebody opened the address in a browser, or something in between drops what stands behind the “?”."
            ),
            remedy=paste,
        )
    return Step(
        title,
        State.WAITING,
        _("No GET ever came."),
        cause=_(
            "The address was not saved at the provider yet; or a proxy or firewall lets no GET through to /webhooks."
        ),
        remedy=paste,
    )


def _refused_handshake(title: str, refused: Seen) -> Step:
    parameters = [str(name) for name in refused.detail.get("parameters", ())]
    if "hub.verify_token" in parameters:
        cause = _("The verify token that was typed at the provider is not this connection's.")
        remedy = _("Copy the verify token from here, paste it there whole, and press “Verify and save” again.")
    else:
        cause = _(
            "It had other parameters than a handshake: %(parameters)s.", parameters=", ".join(parameters) or _("none")
        )
        remedy = _("Paste the address exactly as it stands here, without anything behind it.")
    return Step(
        title,
        State.BAD,
        _("Refused, %(times)s until now.", times=_times(refused)),
        refused.at,
        cause=cause,
        remedy=remedy,
    )


def _signature(found: Findings) -> Step:
    signs = "webhook_secret" not in found.provider.chosen_secrets
    title = _("The signature is right") if signs else _("The secret comes along")
    refused, last = found.sightings.get(Kind.REFUSED), found.last_event
    if last is None and refused is None:
        too_large = found.sightings.get(Kind.TOO_LARGE)
        said = _("No webhook has come yet.") if too_large is None else _("The only body that came was too large.")
        return Step(title, State.WAITING, said, too_large.at if too_large else None)
    if refused is None:
        return Step(title, State.GOOD, _("Every webhook until now proved itself."), last.received_at if last else None)
    if last is not None and last.received_at > refused.at:
        return Step(
            title, State.GOOD, _("Right since then; refused %(times)s before.", times=_times(refused)), last.received_at
        )
    said = _("Refused, %(times)s until now.", times=_times(refused))
    if last is not None and refused.at - last.received_at < STILL_FRESH:
        said = _(
            "Refused, %(times)s until now, while others are right: more than one sender calls this address.",
            times=_times(refused),
        )
    why = diagnoses.refused(found, refused)
    return Step(title, State.BAD, said, refused.at, cause=why.cause, remedy=why.remedy)


def _subscription(found: Findings) -> Step:
    title = _("Webhooks come in")
    if found.last_event is not None:
        return Step(title, State.GOOD, _("The last one came."), found.last_event.received_at, found.last_event.id)
    if found.has_handshake:
        return Step(
            title,
            State.WAITING,
            _("None has come and proved itself."),
            cause=_(
                "The app is not subscribed: to the field “messages”, or to this account. The handshake alone "
                "does not do it."
            ),
            remedy=_(
                "In the app's webhook settings subscribe to the field “messages”; then subscribe the "
                "account, with POST /%(account_id)s/subscribed_apps and its access token.",
                account_id=found.account_id,
            ),
        )
    return Step(
        title,
        State.WAITING,
        _("None has come and proved itself."),
        cause=_("The provider was not told the address for incoming messages yet."),
        remedy=_("Save the address in the provider's settings, for messages as well as for statuses."),
    )


def _message(found: Findings) -> Step:
    title = _("A message came in")
    if not found.numbers:
        return Step(
            title,
            State.BAD,
            _("No number is set up under this connection."),
            remedy=_("Add it: backchat number add %(slug)s …", slug=found.slug),
        )
    if found.waiting_since is not None and datetime.now(UTC) - found.waiting_since > UNAPPLIED_AFTER:
        return Step(
            title,
            State.BAD,
            _("Webhooks are stored, but nobody applies them."),
            found.waiting_since,
            cause=_("The worker of the queue intake does not run, or has more to do than it can."),
            remedy=_("Start it: backchat worker intake (backchat run starts all of them). Nothing is lost meanwhile."),
        )
    if found.last_message is not None:
        return Step(title, State.GOOD, _("The last one came."), found.last_message.received_at, found.last_message.id)
    if (why := diagnoses.kept_out(found)) is not None:
        return Step(title, State.BAD, _("Something is in the quarantine."), cause=why.cause, remedy=why.remedy)
    return Step(
        title,
        State.WAITING,
        _("None is among the last webhooks."),
        cause=_("Nobody has written yet. Test numbers and sandboxes only hear phones that were admitted there before."),
        remedy=_("From a phone, write to %(phone)s.", phone=found.numbers[0].phone),
    )


def _status(found: Findings) -> Step:
    title = _("A status came back")
    if found.last_status is not None:
        return Step(title, State.GOOD, _("The last one came."), found.last_status.received_at, found.last_status.id)
    return Step(
        title,
        State.WAITING,
        _("None is among the last webhooks."),
        cause=_("No message was sent by this connection yet; or the provider was told an address for messages only."),
        remedy=_("Answer the test message in the inbox: sent, delivered and read come back within seconds."),
    )


def _times(seen: Seen) -> str:
    return _("once") if seen.count == 1 else _("%(count)s times", count=figure(seen.count))
