"""A template for codes to sign in: its words are WhatsApp's own, in every language, and only some things are chosen.

Meta, "Authentication templates": a body with or without advice, a footer with the code's life, one button of type OTP.
What is kept here has WhatsApp's English words in it, to be shown and filled; what is asked of the provider has none.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from bot.language import _
from bot.messages.components import Component, buttons_of, component_of, word
from broadcasts.templates.button_checks import LONGEST_TEXT, Found

AUTHENTICATION: Final = "AUTHENTICATION"
KINDS: Final = ("COPY_CODE", "ONE_TAP", "ZERO_TAP")
LONGEST_LIFE: Final = 90
MOST_APPS: Final = 5
BODY: Final = "*{{1}}* is your verification code."
ADVICE: Final = "For your security, do not share this code."
FOOTER: Final = "This code expires in {} minutes."
EXAMPLE: Final = "123456"

_PACKAGE = re.compile(r"(?=.{3,224}\Z)[A-Za-z]\w*(?:\.[A-Za-z]\w*)+")
_SIGNATURE = re.compile(r"[A-Za-z0-9+/=]{11}")

Document = Mapping[str, Any]


@dataclass(slots=True)
class Code:
    """As a form has it."""

    kind: str = "COPY_CODE"
    text: str = ""
    """Words of the button; WhatsApp's own, in the template's language, where it is empty."""
    autofill: str = ""
    apps: str = ""
    """A line each: the package's name and the hash of its signature."""
    terms: str = ""
    advice: str = "yes"
    expires: str = "10"


def is_of(document: Document) -> bool:
    return str(document.get("category") or "").upper() == AUTHENTICATION


def components_of(code: Code) -> list[dict[str, Any]]:
    button: dict[str, Any] = {"type": "OTP", "otp_type": code.kind}
    button |= {name: text for name, text in (("text", code.text), ("autofill_text", code.autofill)) if text}
    if code.kind != KINDS[0]:
        lines = (line.strip().partition(" ") for line in code.apps.splitlines() if line.strip())
        button["supported_apps"] = [
            {"package_name": package, "signature_hash": signature.strip()} for package, _, signature in lines
        ]
    if code.kind == "ZERO_TAP":
        button["zero_tap_terms_accepted"] = bool(code.terms)
    components: list[dict[str, Any]] = [{"type": "BODY", "add_security_recommendation": bool(code.advice)}]
    if code.expires:
        life = int(code.expires) if code.expires.isascii() and code.expires.isdecimal() else 0
        components.append({"type": "FOOTER", "code_expiration_minutes": life})
    return [*components, {"type": "BUTTONS", "buttons": [button]}]


def read(components: Sequence[Component]) -> Code:
    body, footer = component_of(components, "BODY") or {}, component_of(components, "FOOTER") or {}
    button: Component = next(iter(buttons_of(components)), {})
    told, apps = _in_address(button), button.get("supported_apps") or []
    if not apps and told.get("package_name"):
        apps = [told]
    return Code(
        kind=_kind(button) or KINDS[0],
        text=str(button.get("text") or ""),
        autofill=str(button.get("autofill_text") or told.get("cta_display_name") or ""),
        apps="\n".join(f"{each.get('package_name')} {each.get('signature_hash')}" for each in apps),
        terms="yes" if button.get("zero_tap_terms_accepted") else "",
        advice="yes" if body.get("add_security_recommendation") else "",
        expires=str(footer.get("code_expiration_minutes") or ""),
    )


def with_words(document: Document) -> dict[str, Any]:
    """Any other document as it is."""
    if not is_of(document):
        return dict(document)
    return {**document, "components": [_worded(each) for each in document["components"]]}


def asked(document: Document) -> dict[str, Any]:
    """What the provider is given."""
    if not is_of(document):
        return dict(document)
    ours = {"BODY": ("text", "example"), "FOOTER": ("text",)}
    bare = [
        {name: value for name, value in each.items() if name not in ours.get(word(each, "type"), ())}
        for each in document["components"]
    ]
    if any(word(each, "type") == "URL" for each in buttons_of(bare)):  # as it is listed, which cannot be asked for
        [*_, buttons] = components_of(read(bare))
        bare = [buttons if word(each, "type") == "BUTTONS" else each for each in bare]
    return {**document, "components": bare}


def problems(components: Sequence[Component]) -> Iterator[Found]:
    if {word(each, "type") for each in components} - {"BODY", "FOOTER", "BUTTONS"}:
        yield "body", _("A template for codes has a body, a footer and a button: leave out the rest.")
    body, footer = component_of(components, "BODY"), component_of(components, "FOOTER")
    if body is None or not isinstance(body.get("add_security_recommendation", False), bool):
        yield "body", _('It has a body such as {"type": "BODY", "add_security_recommendation": true}.')
    elif body.get("text") and "add_security_recommendation" not in body:
        yield "body", _("The words of a code are WhatsApp's own: leave out the text.")
    life = footer.get("code_expiration_minutes") if footer is not None else 1
    if not isinstance(life, int) or isinstance(life, bool) or not 1 <= life <= LONGEST_LIFE:
        yield (
            "code.expires",
            _("Give 1 to %(longest_life)s minutes, in digits, or leave it empty.", longest_life=LONGEST_LIFE),
        )
    buttons = buttons_of(components)
    if len(buttons) != 1 or _kind(buttons[0]) not in KINDS:
        yield "code.kind", _("It has one button of the type OTP: choose %(kinds)s.", kinds=", ".join(KINDS))
    else:
        yield from _of_button(buttons[0])


def _of_button(button: Component) -> Iterator[Found]:
    for place, name in (("code.text", "text"), ("code.autofill", "autofill_text")):
        text = str(button.get(name) or "")
        if len(text) > LONGEST_TEXT or "{{" in text or "\n" in text:
            yield (
                place,
                _(
                    "A button has %(longest_text)s characters at most, on one line and without variables.",
                    longest_text=LONGEST_TEXT,
                ),
            )
    if _kind(button) == "COPY_CODE":
        return
    apps = button.get("supported_apps")
    if not isinstance(apps, list) or not 1 <= len(apps) <= MOST_APPS or not all(_is_app(each) for each in apps):
        told = _(
            "Give 1 to %(most)s apps, a line each: the package's name, and the 11 characters of its hash, such as "
            "com.example.shop K8a/AINcGX7.",
            most=MOST_APPS,
        )
        yield "code.apps", told
    if _kind(button) == "ZERO_TAP" and button.get("zero_tap_terms_accepted") is not True:
        yield (
            "code.terms",
            _("WhatsApp fills in a code by itself only for those who accept its terms: tick that you do."),
        )


def _is_app(given: object) -> bool:
    if not isinstance(given, Mapping):
        return False
    package, signature = str(given.get("package_name") or ""), str(given.get("signature_hash") or "")
    return bool(_PACKAGE.fullmatch(package) and _SIGNATURE.fullmatch(signature))


def _kind(button: Component) -> str:
    if word(button, "type") == "URL":
        return _in_address(button).get("otp_type", "").upper()
    return word(button, "otp_type") if word(button, "type") == "OTP" else ""


def _in_address(button: Component) -> dict[str, str]:
    """What is asked for as OTP is listed as an address, with its kind in it (Meta, "Copy code … templates")."""
    told = parse_qs(urlsplit(str(button.get("url") or "")).query)
    return {name: values[0] for name, values in told.items()}


def _worded(component: Component) -> dict[str, Any]:
    if component.get("text") or word(component, "type") not in {"BODY", "FOOTER"}:
        return dict(component)
    if word(component, "type") == "FOOTER":
        return {**component, "text": FOOTER.format(component.get("code_expiration_minutes"))}
    text = f"{BODY} {ADVICE}" if component.get("add_security_recommendation") else BODY
    return {**component, "text": text, "example": {"body_text": [[EXAMPLE]]}}
