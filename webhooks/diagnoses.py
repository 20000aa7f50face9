"""Likely causes in plain words, each with its remedy: why requests are refused, and why a message does not get in."""

from collections.abc import Mapping
from typing import NamedTuple

from bot.language import _, later, translated
from webhooks import evidence
from webhooks.findings import Findings, Seen


class Diagnosis(NamedTuple):
    cause: str
    remedy: str


REFUSED: Mapping[str, Diagnosis] = {
    evidence.REWRITTEN: Diagnosis(
        cause=later(
            "A proxy in between reads the JSON and writes it anew. The secret is right: with another "
            "spelling of the same document the signature fits."
        ),
        remedy=later(
            "Let the proxy or firewall pass bodies of /webhooks through untouched: no transformation of JSON."
        ),
    ),
    evidence.OTHER_CONNECTION: Diagnosis(
        cause=later("It was signed with the secret of the connection {connection}."),
        remedy=later("Two addresses were mixed up: give each account the address of its own connection."),
    ),
    evidence.OTHER_ADDRESS: Diagnosis(
        cause=later(
            "The provider signs the address too, and was told another one than BACKCHAT_BASE_URL says: {address}"
        ),
        remedy=later("Set BACKCHAT_BASE_URL to where the provider calls, or paste the address from here."),
    ),
    "packed": Diagnosis(
        cause=later("The body came packed ({content_encoding}), which providers do not do."),
        remedy=later("Let the proxy in between pass bodies of /webhooks through untouched."),
    ),
    "no secret": Diagnosis(
        cause=later("The request carried no secret: neither in a header, nor as a login, nor in the address."),
        remedy=later("Give the provider the secret, as it is described beside this list."),
    ),
    "no signature": Diagnosis(
        cause=later(
            "The request carried no signature: a proxy takes headers away, or somebody else calls the address."
        ),
        remedy=later(
            "Let the proxy pass all headers of /webhooks through. If only a stranger calls, nothing is to be done."
        ),
    ),
    "app": Diagnosis(
        cause=later(
            "Most likely the app secret is that of another app. Also possible: a proxy that changes the "
            "body in a way we do not know, or a stranger."
        ),
        remedy=later("Compare the app secret at the provider (App settings, Basic) with the one this connection has."),
    ),
    "secret": Diagnosis(
        cause=later("Most likely the secret at the provider is not this connection's. It may also be a stranger."),
        remedy=later("Compare the secret at the provider with the one this connection has."),
    ),
}

KEPT_OUT: Mapping[str, Diagnosis] = {
    "number ": Diagnosis(
        cause=later("Webhooks come for a number that is not set up under this connection."),
        remedy=later("Add the number with the id that the quarantine names, then replay what is there."),
    ),
    "stale: its time is in the future": Diagnosis(
        cause=later("The clock of this machine is more than ten minutes behind."),
        remedy=later("Let this machine set its clock by the network (NTP), then replay what is in the quarantine."),
    ),
    "it names no number": Diagnosis(
        cause=later("This provider's webhooks name no number, and the connection has several."),
        remedy=later("Keep one number per connection with this provider."),
    ),
}
"""By how the reason in the quarantine begins."""


def refused(found: Findings, seen: Seen) -> Diagnosis:
    cause, remedy = REFUSED[_key(found, seen)]
    told = {"connection": "?", "address": _("by another scheme or host name."), **seen.detail}
    return Diagnosis(translated(cause).format_map(told), translated(remedy))


def kept_out(found: Findings) -> Diagnosis | None:
    starts = (start for reason in found.reasons for start in KEPT_OUT if reason.startswith(start))
    known = next((KEPT_OUT[start] for start in starts), None)
    return known and Diagnosis(translated(known.cause), translated(known.remedy))


def _key(found: Findings, seen: Seen) -> str:
    names = found.provider.secret_names
    if seen.detail.get("cause") == evidence.NO_PROOF:
        return "no secret" if "webhook_secret" in found.provider.chosen_secrets else "no signature"
    if (known := seen.detail.get("cause")) in REFUSED:
        return str(known)
    if seen.detail.get("content_encoding") not in {None, "", "identity"}:
        return "packed"
    return "app" if "app_secret" in names else "secret"
