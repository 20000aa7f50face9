"""The form of a template as somebody fills it in, finished or not, and the document of the Graph API it stands for."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Final

from bot.language import _
from bot.messages.components import buttons_of, component_of, slots_of, variables, word
from bot.messages.templates import PreviewText, preview_of
from bot.models.broadcast import Template
from broadcasts.templates import codes, templates
from broadcasts.templates.codes import Code

MOST_BUTTONS: Final = 10
_READ_AT_MOST: Final = 20
"""Buttons of a form that were read: one too many is refused with a word, and not dropped."""

VALUES: Final = {"URL": "url", "PHONE_NUMBER": "phone_number", "FLOW": "flow_id"}
"""Type of a button → the member that its second field fills."""

_PLAIN: Final = (
    *("version", "language", "category", "parameter_format", "header_format", "header"),
    *("sample", "sample_name", "body", "footer"),
)

Document = dict[str, Any]


@dataclass(slots=True)
class Button:
    type: str = "QUICK_REPLY"
    text: str = ""
    value: str = ""
    """An address, a phone number or a flow's number, as the type wants it."""
    example: str = ""


@dataclass(slots=True)
class Typed:
    connection_id: int = 0
    version: str = ""
    """`templates.version_of` the one that is edited, as it was when its form was filled."""
    name: str = ""
    language: str = "en"
    category: str = "UTILITY"
    parameter_format: str = "POSITIONAL"
    header_format: str = ""
    header: str = ""
    sample: str = ""
    """The handle of an uploaded file, or its address."""
    sample_name: str = ""
    body: str = ""
    footer: str = ""
    examples: dict[str, str] = field(default_factory=dict)
    """"header.1", "body.first_name" → what reviewers read there."""
    buttons: list[Button] = field(default_factory=list)
    code: Code = field(default_factory=Code)
    """Of a template for codes; then all from the header to the buttons is WhatsApp's own."""

    def names_in(self, place: str) -> tuple[str, ...]:
        """The variables of the header or the body."""
        if place == "header":
            return variables(self.header) if self.header_format == "TEXT" else ()
        return variables(self.body)


def read(form: Mapping[str, str]) -> Typed:
    def text(name: str) -> str:
        return form.get(name, "").replace("\r\n", "\n").replace("\0", "")

    typed = Typed(name=text("name").strip())
    for name in _PLAIN:
        setattr(typed, name, text(name))
    typed.connection_id = int(form["connection"]) if _is_id(form.get("connection", "")) else 0
    for name in form:
        place, is_example, variable = name.partition(".example.")
        if is_example and place in {"header", "body"}:
            typed.examples[f"{place}.{variable}"] = text(name).strip()
    for index in range(_READ_AT_MOST):
        if f"button.{index}.type" in form:
            members = {name: text(f"button.{index}.{name}").strip() for name in ("type", "text", "value", "example")}
            typed.buttons.append(Button(**members))
    typed.code = Code(**{each.name: text(f"code.{each.name}").strip() for each in fields(Code)})
    return typed


def change(typed: Typed, do: str) -> None:
    """What a button of the form does to it: add, remove:0, up:1."""
    what, _, told = do.partition(":")
    place = int(told) if told.isdecimal() and len(told) < 3 else -1
    if what == "add" and len(typed.buttons) < MOST_BUTTONS:
        typed.buttons.append(Button())
    elif 0 <= place < len(typed.buttons) and what == "remove":
        del typed.buttons[place]
    elif 0 < place < len(typed.buttons) and what == "up":
        typed.buttons.insert(place - 1, typed.buttons.pop(place))


def document_of(typed: Typed) -> Document:
    if typed.category == codes.AUTHENTICATION:
        return codes.with_words(_identity(typed) | {"components": codes.components_of(typed.code)})
    components: list[Document] = []
    if typed.header_format:
        components.append(_header(typed))
    components.append({"type": "BODY", "text": typed.body.strip()} | _examples(typed, "body"))
    if typed.footer.strip():
        components.append({"type": "FOOTER", "text": typed.footer.strip()})
    if typed.buttons:
        components.append({"type": "BUTTONS", "buttons": [_button(button) for button in typed.buttons]})
    return _identity(typed) | {"components": components}


def preview(typed: Typed) -> PreviewText:
    """With the examples in the places of the variables."""
    document = document_of(typed)
    texts = {slot.name: slot.example for slot in slots_of(document["components"]) if slot.example}
    texts[f"header.{typed.header_format.lower()}"] = typed.sample_name
    return preview_of(document, texts)


def of_template(template: Template) -> Typed:
    """To edit it, or to make another like it. A sample's handle is good for the template that it was made for."""
    components = template.components
    if template.category == codes.AUTHENTICATION:
        identity = {name: getattr(template, name) for name in ("connection_id", "name", "language", "category")}
        return Typed(version=templates.version_of(template), code=codes.read(components), **identity)
    header, body = component_of(components, "HEADER") or {}, component_of(components, "BODY") or {}
    found = slots_of([each for each in components if word(each, "type") in {"HEADER", "BODY"}])
    format_ = word(header, "format") or ("TEXT" if header else "")
    sample = next((slot.example for slot in found if slot.name == f"header.{format_.lower()}"), None)
    return Typed(
        connection_id=template.connection_id,
        version=templates.version_of(template),
        name=template.name,
        language=template.language,
        category=template.category,
        parameter_format=template.parameter_format,
        header_format=format_,
        header=str(header.get("text") or ""),
        sample=(sample or "") if format_ != "TEXT" else "",
        sample_name=_("as submitted") if sample and format_ != "TEXT" else "",
        body=str(body.get("text") or ""),
        footer=str((component_of(components, "FOOTER") or {}).get("text") or ""),
        examples={slot.name: slot.example or "" for slot in found},
        buttons=[_typed_button(each) for each in buttons_of(components)],
    )


def _identity(typed: Typed) -> Document:
    """The one variable of a code is a number."""
    format_ = "POSITIONAL" if typed.category == codes.AUTHENTICATION else typed.parameter_format
    return {"name": typed.name, "language": typed.language, "category": typed.category, "parameter_format": format_}


def _header(typed: Typed) -> Document:
    header: Document = {"type": "HEADER", "format": typed.header_format}
    if typed.header_format == "TEXT":
        return header | {"text": typed.header.strip()} | _examples(typed, "header")
    if typed.header_format == "LOCATION" or not typed.sample:
        return header
    return header | {"example": {"header_handle": [typed.sample]}}


def _examples(typed: Typed, place: str) -> Document:
    names = typed.names_in(place)
    given = {name: typed.examples.get(f"{place}.{name}", "") for name in names}
    if not names:
        return {}
    if typed.parameter_format == "NAMED":
        listed = [{"param_name": name, "example": text} for name, text in given.items()]
        return {"example": {f"{place}_text_named_params": listed}}
    ordered = [given[name] for name in sorted(names, key=lambda name: (len(name), name))]
    return {"example": {f"{place}_text": [ordered] if place == "body" else ordered}}


def _button(button: Button) -> Document:
    made: Document = {"type": button.type} | ({"text": button.text} if button.type != "COPY_CODE" else {})
    if button.type == "COPY_CODE":
        return made | {"example": button.example}
    if button.type not in VALUES:
        return made
    made[VALUES[button.type]] = button.value
    if button.type == "URL" and variables(button.value):
        whole = button.example if "://" in button.example else button.value.replace("{{1}}", button.example)
        made["example"] = [whole if button.example else ""]
    return made


def _typed_button(button: Mapping[str, Any]) -> Button:
    type_ = word(button, "type")
    example = button.get("example")
    example = str((example[0] if example else "") if isinstance(example, list) else example or "")
    value = str(button.get(VALUES.get(type_, "")) or "")
    if type_ == "URL":
        example = example.removeprefix(value.partition("{{")[0])
    return Button(type_, str(button.get("text") or ""), value, example)


def _is_id(told: str) -> bool:
    return told.isdecimal() and len(told) < 19
