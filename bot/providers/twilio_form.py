"""The Cloud API's content as parameters of Twilio's Messages resource; what has none there cannot be sent."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import orjson

from bot.providers.base import UnsendableError
from bot.providers.cloud_items import part_of

Part = Mapping[str, Any]

LONGEST_BODY = 1600

_CONTENT_SID = re.compile(r"(?:.*\.)?(HX[0-9a-fA-F]{32})", re.DOTALL)


def content(message: Part) -> dict[str, str]:
    """Raises UnsendableError."""
    kind = str(message.get("type"))
    write = _WRITERS.get(kind)
    if write is None:
        raise UnsendableError(
            f"Twilio carries text, files, places and templates, not {kind}: "
            "make it in Twilio's Content Template Builder and send it as a template."
        )
    return write(part_of(message, kind))


def _text(part: Part) -> dict[str, str]:
    return {"Body": _fitting(str(part.get("body") or ""))}


def _media(part: Part) -> dict[str, str]:
    link = part.get("link")
    if not isinstance(link, str):
        raise UnsendableError("Twilio takes a file by its address alone: give a link, not the id of an upload.")
    caption = {"Body": _fitting(str(part["caption"]))} if part.get("caption") else {}
    return {"MediaUrl": link, **caption}


def _location(part: Part) -> dict[str, str]:
    """A place needs words beside it, which is where its name goes."""
    label = str(part.get("address") or part.get("name") or "")
    place = f"geo:{part.get('latitude')},{part.get('longitude')}"
    told = f"{place}|{label}" if label else place
    return {"Body": _fitting(str(part.get("name") or label or "Location")), "PersistentAction": told}


def _template(part: Part) -> dict[str, str]:
    """A template is called `<name>.<ContentSid>`, or by the sid alone; its language is part of the content."""
    found = _CONTENT_SID.fullmatch(str(part.get("name")))
    if found is None:
        raise UnsendableError("Twilio sends templates by their ContentSid: name this one by it, as HX… or visit.HX….")
    variables = dict(_variables(list(part.get("components") or ())))
    filled = {"ContentVariables": orjson.dumps(variables).decode()} if variables else {}
    return {"ContentSid": found[1], **filled}


def _variables(components: list[Part]) -> Iterator[tuple[str, str]]:
    for component in components:
        if component.get("type") != "body":
            raise UnsendableError("Backchat fills Twilio's templates in their body only: choose one without others.")
        for place, parameter in enumerate(component.get("parameters") or (), 1):
            if parameter.get("type") != "text":
                raise UnsendableError("Twilio fills templates with text only: write amounts and dates as text.")
            yield str(parameter.get("parameter_name") or place), str(parameter["text"])


def _fitting(text: str) -> str:
    if len(text) > LONGEST_BODY:
        raise UnsendableError(f"The text has {len(text):,} characters, Twilio takes {LONGEST_BODY:,}: shorten it.")
    return text


_WRITERS: dict[str, Callable[[Part], dict[str, str]]] = {
    "text": _text,
    "image": _media,
    "video": _media,
    "audio": _media,
    "document": _media,
    "sticker": _media,
    "location": _location,
    "template": _template,
}
