"""A new template for codes, whose words are WhatsApp's own (Graph API, "Authentication templates")."""

import re
from typing import Any

from simulator.graph import GraphError

KINDS = ("COPY_CODE", "ONE_TAP", "ZERO_TAP")
LONGEST_LIFE = 90
PACKAGE = re.compile(r"[A-Za-z]\w*(\.[A-Za-z]\w*)+")
SIGNATURE = re.compile(r"[A-Za-z0-9+/=]{11}")
TEXT = "*{{1}}* is your verification code."
ADVICE = "For your security, do not share this code."

Part = dict[str, Any]


def read_code(components: list[Part]) -> list[Part]:
    """As they are kept: with the words."""
    parts = {str(part.get("type", "")).upper(): part for part in components}
    if set(parts) - {"BODY", "FOOTER", "BUTTONS"} or "BODY" not in parts:
        raise _refusal("An authentication template has a BODY, a FOOTER and BUTTONS.")
    for kind, part in parts.items():
        part["type"] = kind
        if kind != "BUTTONS" and part.get("text"):
            raise _refusal(f"The {kind} of an authentication template takes no text.")
    advice = f" {ADVICE}" if parts["BODY"].get("add_security_recommendation") else ""
    parts["BODY"]["text"] = TEXT + advice
    if footer := parts.get("FOOTER"):
        footer["text"] = f"This code expires in {_life(footer)} minutes."
    buttons = parts.get("BUTTONS", {}).get("buttons")
    if not isinstance(buttons, list) or len(buttons) != 1 or not isinstance(buttons[0], dict):
        raise _refusal("An authentication template has one button, of the type OTP.")
    _check_button(buttons[0])
    if buttons[0]["otp_type"] == "COPY_CODE":
        buttons[0] = _listed(buttons[0], parts.get("FOOTER", {}))
    return components


def _listed(button: Part, footer: Part) -> Part:
    """What is asked for as OTP is an address from then on ("Copy code authentication templates")."""
    life = f"&code_expiration_minutes={footer['code_expiration_minutes']}" if footer else ""
    url = f"https://www.whatsapp.com/otp/code/?otp_type=COPY_CODE{life}&code=otp"
    return {"type": "URL", "text": button["text"], "url": f"{url}{{{{1}}}}", "example": [f"{url}123456"]}


def _life(footer: Part) -> int:
    life = footer.get("code_expiration_minutes")
    if not isinstance(life, int) or not 1 <= life <= LONGEST_LIFE:
        raise _refusal(f"code_expiration_minutes must be between 1 and {LONGEST_LIFE}.")
    return life


def _check_button(button: Part) -> None:
    button["type"], button["otp_type"] = (str(button.get(name, "")).upper() for name in ("type", "otp_type"))
    if button["type"] != "OTP" or button["otp_type"] not in KINDS:
        raise _refusal(f"The button must be of the type OTP, and otp_type one of {', '.join(KINDS)}.")
    button.setdefault("text", "Copy code")
    if button["otp_type"] == "COPY_CODE":
        return
    apps = button.get("supported_apps")
    if not isinstance(apps, list) or not 1 <= len(apps) <= 5:
        raise _refusal("supported_apps must hold 1 to 5 apps.")
    for app in apps:
        if not PACKAGE.fullmatch(str(app.get("package_name"))) or not SIGNATURE.fullmatch(
            str(app.get("signature_hash"))
        ):
            raise _refusal("Each of supported_apps needs a package_name and a signature_hash of 11 characters.")
    if button["otp_type"] == "ZERO_TAP" and button.get("zero_tap_terms_accepted") is not True:
        raise _refusal("zero_tap_terms_accepted must be true.")


def _refusal(details: str) -> GraphError:
    return GraphError(100, details, subcode=2388043, title="Invalid authentication template")
