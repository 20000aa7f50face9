"""Messages as a phone shows them."""

from typing import Any

import orjson

from simulator.chats import Item, Received
from simulator.config import Template
from simulator.graph import title_of
from simulator.slots import SLOT
from simulator.world import World

View = dict[str, Any]
MEDIA = ("image", "video", "audio", "voice", "document", "sticker")
BUTTON_KINDS = {"QUICK_REPLY": "quick_reply", "URL": "url", "PHONE_NUMBER": "call", "COPY_CODE": "copy", "FLOW": "flow"}


def show_item(world: World, item: Item) -> View:
    """A bubble: id, side, time, text, header, footer, media, buttons, level, and what it answers."""
    if isinstance(item, Received):
        message = item.message
        level = "read" if item.is_read else "delivered"
        view = {"id": message.get("id", ""), "side": "person", "time": item.time, "level": level}
        return view | _show_content(message, str(message.get("type", "")))
    body = orjson.loads(item.body)
    view = {"id": item.wamid, "side": "business", "time": item.time, "level": item.level}
    if item.level == "failed":
        view["error"] = title_of(item.failed_code or 131026)
    if item.kind == "template":
        found = world.templates.get((item.waba_id, body["template"]["name"], body["template"]["language"]["code"]))
        return view | (_show_template(found[0], body["template"]) if found else {"text": body["template"]["name"]})
    return view | _show_content(body, item.kind)


def _show_content(message: View, kind: str) -> View:
    content = message.get(kind)
    view: View = {"kind": kind, "reply_to": (message.get("context") or {}).get("message_id", "")}
    view["reply_to"] = view["reply_to"] or (message.get("context") or {}).get("id", "")
    if kind in MEDIA and isinstance(content, dict):
        return view | _show_media(kind, content)
    if kind == "interactive" and isinstance(content, dict):
        return view | _show_interactive(content)
    return view | {"text": _text_of(kind, content)}


def _text_of(kind: str, content: Any) -> str:  # noqa: ANN401 - whatever a test sent
    part = content if isinstance(content, dict) else {}
    texts = {
        "text": part.get("body"),
        "button": part.get("text"),
        "system": part.get("body"),
        "reaction": part.get("emoji") or "(reaction removed)",
        "location": f"Place: {part.get('name') or ''} {part.get('latitude')}, {part.get('longitude')}",
        "order": f"Order of {len(part.get('product_items', []))} products",
        "contacts": "Contact: " + ", ".join(_card_name(card) for card in content if isinstance(card, dict))
        if isinstance(content, list)
        else None,
    }
    return str(texts.get(kind) or f"({kind})")


def _card_name(card: View) -> str:
    return str((card.get("name") or {}).get("formatted_name", ""))


def _show_media(kind: str, content: View) -> View:
    source = content.get("link") or f"/_media/sample/{content.get('id')}"
    return {"media": {"kind": kind, "source": source, "name": content.get("filename", kind)}} | {
        "text": content.get("caption", "")
    }


def _show_interactive(content: View) -> View:
    kind, action = content.get("type"), content.get("action") or {}
    if isinstance(kind, str) and kind in content:
        reply = content[kind]
        return {"text": reply.get("title") or reply.get("body") or reply.get("response") or f"({kind})"}
    parameters = action.get("parameters") or {}
    buttons: list[View] = [
        {"kind": "reply", "text": button["reply"]["title"], "id": button["reply"]["id"]}
        for button in action.get("buttons", [])
    ]
    if kind == "list":
        rows = [row for section in action.get("sections", []) for row in section.get("rows", [])]
        buttons = [{"kind": "list", "text": action.get("button", "Choose"), "rows": rows}]
    if kind == "cta_url":
        buttons = [{"kind": "url", "text": parameters.get("display_text"), "url": parameters.get("url")}]
    if kind == "flow":
        buttons = [{"kind": "flow", "text": parameters.get("flow_cta")}]
    if kind == "location_request_message":
        buttons = [{"kind": "location", "text": "Send location"}]
    if kind == "request_contact_info":
        buttons = [{"kind": "contact", "text": "Share contact"}]
    header = content.get("header") or {}
    view: View = {"text": (content.get("body") or {}).get("text", ""), "buttons": buttons}
    view["footer"] = (content.get("footer") or {}).get("text", "")
    if header.get("type") in MEDIA:
        return view | {"media": _show_media(header["type"], header[header["type"]])["media"]}
    return view | {"header": header.get("text", "")}


def _show_template(template: Template, sent: View) -> View:
    given: dict[str, list[View]] = {}
    buttons: dict[int, list[View]] = {}
    for part in sent.get("components", []):
        if part.get("type", "").lower() == "button":
            buttons[int(part.get("index", 0))] = part.get("parameters", [])
        else:
            given[part.get("type", "").lower()] = part.get("parameters", [])
    view: View = {"kind": "template", "name": template.name, "text": "", "buttons": []}
    for part in template.components:
        kind = str(part.get("type", "")).upper()
        if kind == "BUTTONS":
            view["buttons"] = [
                _show_button(button, buttons.get(index, [])) for index, button in enumerate(part.get("buttons", []))
            ]
        elif kind == "HEADER" and str(part.get("format", "TEXT")).upper() != "TEXT":
            view |= _show_template_media(given.get("header", []))
        elif kind in {"HEADER", "BODY", "FOOTER"}:
            name = "text" if kind == "BODY" else kind.lower()
            view[name] = fill(str(part.get("text", "")), given.get(kind.lower(), []))
    return view


def _show_template_media(parameters: list[View]) -> View:
    kind = parameters[0].get("type", "") if parameters else ""
    if kind in MEDIA:
        return {"media": _show_media(kind, parameters[0][kind])["media"]}
    return {"header": _text_of(kind, parameters[0].get(kind)) if parameters else ""}


def _show_button(button: View, parameters: list[View]) -> View:
    kind = BUTTON_KINDS.get(str(button.get("type", "")).upper(), "other")
    parameter = parameters[0] if parameters else {}
    view = {"kind": kind, "text": button.get("text", "Copy code" if kind == "copy" else "")}
    if kind == "quick_reply":
        view["id"] = parameter.get("payload", view["text"])
    if kind == "url":
        view["url"] = SLOT.sub(lambda _: str(parameter.get("text", "")), str(button.get("url", "")))
    return view


def fill(text: str, parameters: list[View]) -> str:
    """The text with its slots filled, by name where the parameters have names and by position otherwise."""
    values = {
        str(parameter.get("parameter_name") or position): _value_of(parameter)
        for position, parameter in enumerate(parameters, start=1)
    }
    return SLOT.sub(lambda slot: values.get(slot[1], slot[0]), text)


def _value_of(parameter: View) -> str:
    kind = str(parameter.get("type", "text"))
    value = parameter.get(kind)
    return str(value.get("fallback_value", "")) if isinstance(value, dict) else str(value or "")
