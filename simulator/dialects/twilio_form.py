"""Twilio's Messages resource: parameters of a send, in the Cloud API's shape (Twilio, "Messages resource")."""

import re
from collections.abc import Mapping
from urllib.parse import parse_qsl, urlsplit

import orjson

from simulator.config import Account
from simulator.dialects.links import is_ours_to_call, kind_of
from simulator.dialects.twilio_content import find_content
from simulator.graph import GraphError
from simulator.people import digits_of
from simulator.validate import Body
from simulator.world import World

LONGEST_BODY = 1600
PLACE = re.compile(r"geo:(-?[\d.]+),(-?[\d.]+)(?:\|(.*))?", re.DOTALL)
CODES: dict[int, tuple[int, int]] = {
    100: (400, 63021),
    190: (401, 20003),
    130429: (429, 20429),
    131000: (500, 20500),
    131008: (400, 21656),
    131009: (400, 21211),
    131026: (400, 63024),
    131047: (400, 63016),
    131049: (400, 63049),
    131050: (400, 21610),
    131053: (400, 63019),
    131056: (429, 63018),
    132000: (400, 63028),
    132001: (400, 63027),
    132005: (400, 63028),
    132012: (400, 21656),
    132015: (400, 63041),
    132016: (400, 63042),
    132018: (400, 21656),
}
"""Code of the Cloud API: HTTP status and Twilio's code, which statuses carry as `ErrorCode`."""


class TwilioError(GraphError):
    """A refusal of Twilio's own, which WhatsApp never saw."""

    def __init__(self, code: int, message: str, status: int = 400) -> None:
        super().__init__(100, message, status=status)
        self.own = code


def message_of(world: World, account: Account, given: Mapping[str, str]) -> Body:
    channel, _, phone = given.get("To", "").partition(":")
    if channel != "whatsapp" or not phone.startswith("+") or not digits_of(phone):
        raise TwilioError(21211, f"The 'To' number {given.get('To', '')} is not a valid phone number.")
    status_url = given.get("StatusCallback", "")
    if status_url and not is_ours_to_call(status_url):
        raise TwilioError(21609, f"The 'StatusCallback' URL {status_url} is not a valid URL.")
    if len(given.get("Body", "")) > LONGEST_BODY:
        raise TwilioError(21617, f"The concatenated message body exceeds the {LONGEST_BODY} character limit")
    told = [value for _, value in parse_qsl(urlsplit(status_url).query)]
    mark = {"biz_opaque_callback_data": told[-1]} if told else {}
    return {"messaging_product": "whatsapp", "to": phone, **mark, **_content(world, account, given)}


def _content(world: World, account: Account, given: Mapping[str, str]) -> Body:
    if given.get("ContentSid"):
        return _template(world, account, given)
    if place := PLACE.fullmatch(given.get("PersistentAction", "")):
        named = {"name": place[3]} if place[3] else {}
        return {"type": "location", "location": {"latitude": place[1], "longitude": place[2], **named}}
    link, body = given.get("MediaUrl", ""), given.get("Body", "")
    if link:
        if not link.startswith(("http://", "https://")):
            raise TwilioError(21620, "Invalid media URL(s)")
        kind = kind_of(link)
        caption = {"caption": body} if body and kind != "audio" else {}
        return {"type": kind, kind: {"link": link, **caption}}
    if not body:
        raise TwilioError(21619, "A text message body or media urls must be specified.")
    return {"type": "text", "text": {"body": body}}


def _template(world: World, account: Account, given: Mapping[str, str]) -> Body:
    template = find_content(world, account, given["ContentSid"])
    if template is None:
        raise TwilioError(21655, f"The ContentSid {given['ContentSid']} is invalid")
    try:
        variables = orjson.loads(given.get("ContentVariables") or "{}")
    except orjson.JSONDecodeError:
        raise TwilioError(21656, "The ContentVariables parameter is invalid") from None
    if not isinstance(variables, dict) or not all(isinstance(value, str) for value in variables.values()):
        raise TwilioError(21656, "The ContentVariables parameter is invalid")
    _, shape = world.templates[template.key]
    names = [name for name in shape.body if name in variables] + sorted(set(variables) - set(shape.body))
    named = template.parameter_format.upper() == "NAMED"
    parameters = [
        {"type": "text", "text": variables[name]} | ({"parameter_name": name} if named else {}) for name in names
    ]
    components = [{"type": "body", "parameters": parameters}] if parameters else []
    about = {"name": template.name, "language": {"code": template.language}, "components": components}
    return {"type": "template", "template": about}
