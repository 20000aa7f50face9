"""What a slot takes, in a sentence below its field: for whoever fills a template that somebody else has made."""

import re

from bot.language import _, translated
from bot.messages.components import Slot, buttons_of
from bot.models.broadcast import Template

_FILES = frozenset({"header.image", "header.video", "header.document"})
_OF_ADDRESS = re.compile(r"button\.([0-9]+)\.1")
_DEGREES = {"header.latitude": "30.0444", "header.longitude": "31.2357"}


def of(template: Template, slot: Slot) -> str:
    """A template's example of a file is a mark of WhatsApp's, and of a button the whole address: neither fits here."""
    place = translated(slot.where)
    if slot.name in _FILES:
        return _("The https:// address of the file, or the number of one that was uploaded to WhatsApp.")
    if slot.name in _DEGREES:
        return _("In degrees, such as %(example)s.", example=_DEGREES[slot.name])
    if address := _address(template, slot.name):
        return _("In the %(place)s: what follows %(address)s in its address.", place=place, address=address)
    if slot.example:
        return _("In the %(place)s, for example %(example)s.", place=place, example=slot.example)
    return _("In the %(place)s.", place=place)


def _address(template: Template, name: str) -> str:
    """Of a button that opens one: as far as it is the template's, and not WhatsApp's own for a code."""
    found = _OF_ADDRESS.fullmatch(name)
    url = str(buttons_of(template.components)[int(found[1])].get("url") or "") if found else ""
    return "" if "otp_type=" in url else url.partition("{{")[0]
