"""The webhook doctor: step by step from the address to a status, each with evidence, likely cause and remedy."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from urllib.parse import urlsplit

from bot.connections import connections
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
    title = "The provider can reach the address"
    parts = urlsplit(found.webhook_url)
    if found.last_event is not None:
        return Step(title, State.GOOD, "A webhook reached it.", found.last_event.received_at)
    reached = max((seen.at for seen in found.sightings.values()), default=None)
    if found.is_simulated and reached is None:
        return Step(title, State.WAITING, "Nobody has called it yet.", cause="The simulator has not sent anything.")
    is_public = parts.scheme == "https" and not connections.is_loopback(parts.hostname)
    if not is_public and not found.is_simulated:
        return Step(
            title,
            State.BAD,
            f"The address begins with {parts.scheme}://{parts.netloc}.",
            cause="Providers call public https addresses only. From http they are redirected, and a redirected POST"
            " arrives without its body, or as a GET.",
            remedy="Put a proxy with a certificate, or a tunnel, in front; set BACKCHAT_BASE_URL to its https address.",
        )
    if reached is not None:
        return Step(title, State.GOOD, "Somebody called it.", reached)
    return Step(
        title,
        State.WAITING,
        "Nobody has called it yet.",
        cause="It was not pasted at the provider yet, its name does not lead here, or a firewall is in between.",
        remedy="Paste the address at the provider. If it is there, open it in a browser from outside:"
        " “not verified” is the answer of a healthy address, and it shows here.",
    )


def _handshake(found: Findings) -> Step:
    title = "The handshake came, with the right token"
    good, refused = found.sightings.get(Kind.HANDSHAKE), found.sightings.get(Kind.HANDSHAKE_REFUSED)
    stray = found.sightings.get(Kind.STRAY_GET)
    if refused is not None and (good is None or good.at < refused.at):
        return _refused_handshake(title, refused)
    if good is not None:
        return Step(title, State.GOOD, "The provider asked, and was answered.", good.at)
    if found.last_event is not None:
        return Step(title, State.GOOD, "Webhooks come, so it was done.", found.last_event.received_at)
    paste = "Paste the address and the verify token at the provider and press “Verify and save” there."
    if stray is not None:
        return Step(
            title,
            State.WAITING,
            "A GET came without the parameters of a handshake.",
            stray.at,
            cause="Somebody opened the address in a browser, or something in between drops what stands behind the “?”.",
            remedy=paste,
        )
    return Step(
        title,
        State.WAITING,
        "No GET ever came.",
        cause="The address was not saved at the provider yet; or a proxy or firewall lets no GET through to /webhooks.",
        remedy=paste,
    )


def _refused_handshake(title: str, refused: Seen) -> Step:
    parameters = [str(name) for name in refused.detail.get("parameters", ())]
    if "hub.verify_token" in parameters:
        cause = "The verify token that was typed at the provider is not this connection's."
        remedy = "Copy the verify token from here, paste it there whole, and press “Verify and save” again."
    else:
        cause = f"It had other parameters than a handshake: {', '.join(parameters) or 'none'}."
        remedy = "Paste the address exactly as it stands here, without anything behind it."
    return Step(title, State.BAD, f"Refused, {_times(refused)} until now.", refused.at, cause=cause, remedy=remedy)


def _signature(found: Findings) -> Step:
    signs = "webhook_secret" not in found.provider.chosen_secrets
    title = "The signature is right" if signs else "The secret comes along"
    refused, last = found.sightings.get(Kind.REFUSED), found.last_event
    if last is None and refused is None:
        too_large = found.sightings.get(Kind.TOO_LARGE)
        said = "No webhook has come yet." if too_large is None else "The only body that came was too large."
        return Step(title, State.WAITING, said, too_large.at if too_large else None)
    if refused is None:
        return Step(title, State.GOOD, "Every webhook until now proved itself.", last.received_at if last else None)
    if last is not None and last.received_at > refused.at:
        return Step(title, State.GOOD, f"Right since then; refused {_times(refused)} before.", last.received_at)
    said = f"Refused, {_times(refused)} until now"
    if last is not None and refused.at - last.received_at < STILL_FRESH:
        said += ", while others are right: more than one sender calls this address"
    why = diagnoses.refused(found, refused)
    return Step(title, State.BAD, f"{said}.", refused.at, cause=why.cause, remedy=why.remedy)


def _subscription(found: Findings) -> Step:
    title = "Webhooks come in"
    if found.last_event is not None:
        return Step(title, State.GOOD, "The last one came.", found.last_event.received_at, found.last_event.id)
    if found.has_handshake:
        return Step(
            title,
            State.WAITING,
            "None has come and proved itself.",
            cause="The app is not subscribed: to the field “messages”, or to this account. The handshake alone does not"
            " do it.",
            remedy="In the app's webhook settings subscribe to the field “messages”; then subscribe the account, with"
            f" POST /{found.account_id}/subscribed_apps and its access token.",
        )
    return Step(
        title,
        State.WAITING,
        "None has come and proved itself.",
        cause="The provider was not told the address for incoming messages yet.",
        remedy="Save the address in the provider's settings, for messages as well as for statuses.",
    )


def _message(found: Findings) -> Step:
    title = "A message came in"
    if not found.numbers:
        return Step(
            title,
            State.BAD,
            "No number is set up under this connection.",
            remedy=f"Add it: backchat number add {found.slug} …",
        )
    if found.waiting_since is not None and datetime.now(UTC) - found.waiting_since > UNAPPLIED_AFTER:
        return Step(
            title,
            State.BAD,
            "Webhooks are stored, but nobody applies them.",
            found.waiting_since,
            cause="The worker of the queue intake does not run, or has more to do than it can.",
            remedy="Start it: backchat worker intake (backchat run starts all of them). Nothing is lost meanwhile.",
        )
    if found.last_message is not None:
        return Step(title, State.GOOD, "The last one came.", found.last_message.received_at, found.last_message.id)
    if (why := diagnoses.kept_out(found)) is not None:
        return Step(title, State.BAD, "Something is in the quarantine.", cause=why.cause, remedy=why.remedy)
    return Step(
        title,
        State.WAITING,
        "None is among the last webhooks.",
        cause="Nobody has written yet. Test numbers and sandboxes only hear phones that were admitted there before.",
        remedy=f"From a phone, write to {found.numbers[0].phone}.",
    )


def _status(found: Findings) -> Step:
    title = "A status came back"
    if found.last_status is not None:
        return Step(title, State.GOOD, "The last one came.", found.last_status.received_at, found.last_status.id)
    return Step(
        title,
        State.WAITING,
        "None is among the last webhooks.",
        cause="No message was sent by this connection yet; or the provider was told an address for messages only.",
        remedy="Answer the test message in the inbox: sent, delivered and read come back within seconds.",
    )


def _times(seen: Seen) -> str:
    return "once" if seen.count == 1 else f"{seen.count:,} times"
