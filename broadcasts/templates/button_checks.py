"""What WhatsApp would refuse of a template's buttons: the place, as button.1.text, and what is wrong and helps."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from bot.language import _, figure
from bot.messages.components import LONGEST_CODE, LONGEST_URL, Component, buttons_of, component_of, variables, word

MOST: Final = 10
LONGEST_TEXT: Final = 25
MOST_OF: Final[Mapping[str, int]] = {"QUICK_REPLY": MOST, "URL": 2, "PHONE_NUMBER": 1, "COPY_CODE": 1, "FLOW": 1}

_PHONE = re.compile(r"\+?[0-9]{5,19}")
_SUFFIX = re.compile(r"[^{}]+\{\{1\}\}")

Found = tuple[str, str]


def of_buttons(components: Sequence[Component]) -> Iterator[Found]:
    buttons = buttons_of(components)
    if component_of(components, "BUTTONS") is not None and not 1 <= len(buttons) <= MOST:
        yield "buttons", _("A template has %(most)s buttons at most: take some out.", most=MOST)
    types = [word(button, "type") for button in buttons]
    for type_, count in Counter(types).items():
        if count > MOST_OF.get(type_, count):
            yield (
                "buttons",
                _(
                    "Only %(most_of)s may be %(title)s: take out %(count)s.",
                    most_of=MOST_OF[type_],
                    title=_title(type_),
                    count=count - MOST_OF[type_],
                ),
            )
    replies = [place for place, type_ in enumerate(types) if type_ == "QUICK_REPLY"]
    if replies and replies[-1] - replies[0] >= len(replies):
        yield "buttons", _("Quick replies stand together, before or after all others: put them in a row.")
    texts = Counter(str(button.get("text") or "").strip().lower() for button in buttons if button.get("text"))
    for place, button in enumerate(buttons):
        for member, text in _of_button(button):
            yield f"button.{place}.{member}", text
        if texts[str(button.get("text") or "").strip().lower()] > 1:
            yield f"button.{place}.text", _("Two buttons say the same: give each words of its own.")


def _of_button(button: Component) -> Iterator[Found]:
    type_, text = word(button, "type"), str(button.get("text") or "")
    if type_ not in MOST_OF:
        yield "type", _("Choose one of %(these)s.", these=", ".join(_title(each) for each in MOST_OF))
        return
    if type_ != "COPY_CODE" and not text.strip():
        yield "text", _("The button says nothing: give it a word or two.")
    if len(text) > LONGEST_TEXT:
        yield (
            "text",
            _(
                "The button has %(count)s characters, WhatsApp takes %(longest_text)s: shorten it.",
                count=len(text),
                longest_text=LONGEST_TEXT,
            ),
        )
    if "{{" in text or "\n" in text:
        yield "text", _("A button's words are plain, on one line and without variables.")
    if type_ == "URL":
        yield from _of_url(button)
    elif type_ == "PHONE_NUMBER" and not _PHONE.fullmatch(str(button.get("phone_number") or "")):
        yield "value", _("Give a phone number with its country code, such as +201000000001.")
    elif type_ == "COPY_CODE" and not 1 <= len(_first(button.get("example")).strip()) <= LONGEST_CODE:
        yield (
            "example",
            _("Give an example of the code, %(longest_code)s characters at most.", longest_code=LONGEST_CODE),
        )
    elif type_ == "FLOW" and not any(str(button.get(name) or "").strip() for name in ("flow_id", "flow_name")):
        yield "value", _("Give the flow's number, as the WhatsApp Manager shows it.")


def _of_url(button: Component) -> Iterator[Found]:
    url = str(button.get("url") or "")
    if not re.match(r"https?://[^\s/]", url):
        yield "value", _("Give a whole address, beginning with https://.")
    elif len(url) > LONGEST_URL:
        yield (
            "value",
            _(
                "The address has %(count)s characters, WhatsApp takes %(longest_url)s: shorten it.",
                count=figure(len(url)),
                longest_url=figure(LONGEST_URL),
            ),
        )
    elif "{{" in url or "}}" in url:
        if not _SUFFIX.fullmatch(url):
            yield "value", _("An address takes one variable, {{1}}, and only as its end.")
        example = _first(button.get("example")).strip()
        if variables(url) and not example:
            yield "example", _("Give an example of the end of the address: reviewers follow it.")


def _first(example: object) -> str:
    if isinstance(example, list):
        example = example[0] if example else ""
    return str(example or "")


def _title(type_: str) -> str:
    return type_.replace("_", " ").lower()
