"""Messages people send, of every type the provider delivers (Cloud API webhooks, "messages" field)."""

import copy
import time
from typing import Any, NamedTuple

from simulator.asking import find_number
from simulator.chats import Received
from simulator.config import ConfigError, Number, Person
from simulator.people import Contact, digits_of
from simulator.samples import CONTEXTS, KINDS, REFERRAL, UNSUPPORTED_PAYLOAD
from simulator.updates import InboundUpdate, Piece, error_object
from simulator.world import World

KEPT_FROM_REQUEST = ("id", "timestamp", "group_id", "errors", "identity")


class Inbound(NamedTuple):
    """A built message, who sent it, and the update that carries it."""

    number: Number
    contact: Contact
    message: dict[str, Any]
    update: InboundUpdate


def build_inbound(world: World, given: dict[str, Any]) -> Inbound:
    """Build one message from a control request (docs/simulator.md, "Inbound"); raises ConfigError for a bad one."""
    number = find_number(world, given)
    contact = _sender(world, given)
    kind = str(given.get("type", "text"))
    if kind not in KINDS:
        raise ConfigError(f"type: one of {', '.join(KINDS)}")
    form = KINDS[kind]
    message: dict[str, Any] = {}
    if not contact.hide_phone:
        message["from"] = contact.phone
    message |= {
        "from_user_id": contact.user_id,
        "id": world.new_inbound_id(number.waba_id, contact.address),
        "timestamp": str(int(time.time())),
        "type": form.type,
    }
    message |= {name: given[name] for name in KEPT_FROM_REQUEST if name in given}
    if form.errors:
        message["errors"] = [error_object(code) for code in form.errors]
    if form.member:
        message[form.member] = _content(given, form.member, form.sample)
    context = _context(given, number, form.replies)
    if context:
        message["context"] = context
    if given.get("referral"):
        message["referral"] = given["referral"] if isinstance(given["referral"], dict) else copy.deepcopy(REFERRAL)
    errors = [dict(UNSUPPORTED_PAYLOAD)] if kind == "interactive_missing" else None
    world.dialect_of(number.waba_id).check_inbound(message, contact)
    piece = Piece("messages", message, contact.profile() if form.contacts else None, errors)
    return Inbound(number, contact, message, InboundUpdate(number.waba_id, number.id, piece))


def remember(world: World, inbound: Inbound) -> None:
    """Show the message on the phone, and open the service window by the time the message itself names."""
    moment = _seconds(inbound.message["timestamp"])
    world.chats.add(inbound.number.id, inbound.contact, Received(inbound.message, moment))
    if inbound.message["type"] != "system":
        known = inbound.contact.last_inbound.get(inbound.number.id, 0.0)
        inbound.contact.last_inbound[inbound.number.id] = max(known, moment)


def _sender(world: World, given: dict[str, Any]) -> Contact:
    phone, user_id = str(given.get("from", "")), str(given.get("user_id", ""))
    if not phone and not user_id:
        raise ConfigError("from: a phone number is needed, or a user_id")
    person = Person(
        phone=phone,
        user_id=user_id,
        name=str(given.get("name", "")),
        username=str(given.get("username", "")),
        hide_phone=bool(given.get("hide_phone", False)),
    )
    if phone and not digits_of(phone):
        raise ConfigError("from: not a phone number; 5 to 15 digits are needed")
    return world.people.learn(person)


def _content(given: dict[str, Any], member: str, sample: Any) -> Any:  # noqa: ANN401 - contacts are a list, the rest objects
    content = given.get(member, given.get("content"))
    if isinstance(content, str):
        content = {"body": content}
    if member == "interactive" and isinstance(content, dict) and "type" not in content:
        kind = sample["type"]
        return {"type": kind, kind: copy.deepcopy(sample[kind]) | content}
    if isinstance(content, dict) and isinstance(sample, dict):
        return copy.deepcopy(sample) | content
    return copy.deepcopy(sample) if content is None else content


def _context(given: dict[str, Any], number: Number, replies: bool) -> dict[str, Any]:
    context = given.get("context")
    if isinstance(context, dict):
        return context
    reply_to = given.get("reply_to")
    if context is None and not reply_to:
        return {}
    if context is not None and context not in CONTEXTS:
        raise ConfigError(f"context: an object, or one of {', '.join(CONTEXTS)}")
    made = dict(CONTEXTS[str(context or "reply")])
    if "id" in made or replies:
        made |= {"from": number.display_phone_number.strip("+").replace(" ", ""), "id": reply_to or made.get("id", "")}
    return made


def _seconds(timestamp: object) -> float:
    """Unix seconds, also of the milliseconds and nonsense a test may put into the timestamp."""
    try:
        value = float(str(timestamp))
    except ValueError:
        return time.time()
    return value / 1000 if value > 1e11 else value
