"""A template that somebody else changed while it was being edited: what it says now, beside what was entered."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Final

from bot.language import _, later, translated
from broadcasts.templates.codes import Code
from broadcasts.templates.form import Button, Typed
from broadcasts.templates.templates import TemplateError

_NAMES: Final = {
    "name": later("Name"),
    "language": later("Language"),
    "category": later("Category"),
    "parameter_format": later("Variables"),
    "header_format": later("Header"),
    "header": later("Text of the header"),
    "body": later("Body"),
    "footer": later("Footer"),
    "buttons": later("Buttons"),
    "examples": later("Examples"),
    "code": later("The code"),
}


class ChangedError(TemplateError):
    """It is not any more what the form was filled with; `standing` is what it is."""

    def __init__(self, standing: Typed) -> None:
        super().__init__(_("It was changed since you opened it."))
        self.standing = standing


@dataclass(frozen=True, slots=True)
class Said:
    """As drafting's: lines of each; nothing of theirs is taken over, for a template is reviewed as a whole."""

    what: str
    theirs: list[str]
    mine: list[str]
    is_taken: bool = False


def told(mine: Typed, standing: Typed) -> list[Said]:
    """Where the two differ."""
    return [
        Said(translated(title), theirs, entered)
        for name, title in _NAMES.items()
        if (theirs := _lines(getattr(standing, name))) != (entered := _lines(getattr(mine, name)))
    ]


def _lines(value: object) -> list[str]:
    if isinstance(value, dict):
        return [f"{place}: {text}" for place, text in sorted(value.items()) if text]
    if isinstance(value, Code):
        return [f"{name}: {text}" for name, text in asdict(value).items() if text]
    if isinstance(value, list):
        return [_button(each) for each in value if isinstance(each, Button)]
    return str(value).strip().splitlines()


def _button(button: Button) -> str:
    words: Sequence[str] = (button.type.replace("_", " ").lower(), button.text, button.value, button.example)
    return " · ".join(each for each in words if each)
