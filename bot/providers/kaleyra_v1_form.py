"""The Cloud API's content as the members of Kaleyra V1's form; what has no member there cannot be sent."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from bot.providers.base import UnsendableError
from bot.providers.cloud_items import part_of

Part = Mapping[str, Any]

_BY_V2 = "connect the number by kaleyra-v2, or take it out."


def content(message: Part) -> dict[str, str]:
    """`type` and what belongs to it; raises UnsendableError."""
    kind = str(message.get("type"))
    write = _WRITERS.get(kind)
    if write is None:
        raise UnsendableError(f"Kaleyra V1 carries text, media and templates, not {kind}: {_BY_V2}")
    return write(part_of(message, kind))


def _text(part: Part) -> dict[str, str]:
    preview = {"preview_url": "true"} if part.get("preview_url") else {}
    return {"type": "text", "body": str(part.get("body") or ""), **preview}


def _media(part: Part) -> dict[str, str]:
    caption = {"caption": str(part["caption"])} if part.get("caption") else {}
    return {"type": "media", "media_url": _link(part), **caption}


def _template(part: Part) -> dict[str, str]:
    form = {"type": "template", "template_name": str(part.get("name")), "lang_code": _language(part)}
    for component in part.get("components") or ():
        for member, value in _filled(component):
            if member in form and member != "type":
                raise UnsendableError(f"Kaleyra V1 fills one button of a template: {_BY_V2}")
            form[member] = value
    return form


def _filled(component: Part) -> Iterator[tuple[str, str]]:
    parameters: list[Part] = list(component.get("parameters") or ())
    if any("parameter_name" in each for each in parameters):
        raise UnsendableError("Kaleyra V1 fills templates by position: use one with {{1}}, {{2}}, … or kaleyra-v2.")
    place, kinds = str(component.get("type")), sorted({str(each.get("type")) for each in parameters})
    member = _SLOTS.get((place, *kinds))
    if member is None:
        raise UnsendableError(f"Kaleyra V1 has no place for what fills this template's {place}: {_BY_V2}")
    if member == "media_url":
        yield "type", "mediatemplate"
        yield member, _link(part_of(parameters[0], kinds[0]))
    elif member == "params":
        yield member, ",".join(_listed(str(each["text"])) for each in parameters)
    else:
        yield member, str(parameters[0]["text"])


def _listed(text: str) -> str:
    """As an item of a list that commas divide."""
    if '"' in text:
        raise UnsendableError("Kaleyra V1 cannot carry a \" in a template's values: take it out, or use kaleyra-v2.")
    return f'"{text}"' if "," in text else text


def _link(part: Part) -> str:
    link = part.get("link")
    if not isinstance(link, str):
        raise UnsendableError("Kaleyra V1 takes a file by its address alone: give a link, not the id of an upload.")
    return link


def _language(part: Part) -> str:
    return str(part_of(part, "language").get("code"))


_SLOTS: dict[tuple[str, ...], str] = {
    ("header", "text"): "param_header",
    ("header", "image"): "media_url",
    ("header", "video"): "media_url",
    ("header", "document"): "media_url",
    ("body", "text"): "params",
    ("button", "text"): "param_url",
}
"""A template's component and what fills it → the form's member."""

_WRITERS: dict[str, Callable[[Part], dict[str, str]]] = {
    "text": _text,
    "image": _media,
    "video": _media,
    "audio": _media,
    "document": _media,
    "sticker": _media,
    "template": _template,
}
