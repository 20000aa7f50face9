"""The page that looks like a phone, and what it asks the simulator."""

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import orjson
from aiohttp import web

from simulator.asking import Given, find_number, find_person
from simulator.chats import Chat, Item, Sent
from simulator.config import ConfigError, Person
from simulator.media import find_media
from simulator.people import Contact, digits_of
from simulator.updates import StatusUpdate
from simulator.view import show_item
from simulator.world import World

HERE = Path(__file__).parent
PAGES = {
    "": ("phone.html", "text/html; charset=utf-8"),
    "phone.css": ("phone.css", "text/css; charset=utf-8"),
    "phone.js": ("phone.js", "text/javascript; charset=utf-8"),
}
POLICY = "default-src 'self'; img-src * data:; media-src *; frame-ancestors 'self'"
BEAT_S = 2  # how soon a closed page is noticed
READABLE = frozenset({"sent", "delivered"})


async def show_page(_world: World, _request: web.BaseRequest, name: str) -> web.StreamResponse:
    file, content_type = PAGES[name]
    headers = {"Content-Type": content_type, "Content-Security-Policy": POLICY, "Cache-Control": "no-cache"}
    return web.Response(body=(HERE / file).read_bytes(), headers=headers)


async def show_sample(world: World, _request: web.BaseRequest, media_id: str) -> web.StreamResponse:
    """Media for the page alone, which has no token."""
    found = find_media(world, media_id)
    if found is None:
        return web.Response(status=404)
    headers = {"Content-Type": found[1], "Content-Security-Policy": "sandbox"}  # some samples hold a script
    return web.Response(body=found[0], headers=headers)


async def show_people(world: World, _given: Given) -> object:
    """Everybody who was introduced or wrote, and the numbers there are to write to."""
    numbers = [
        {"id": number.id, "name": number.verified_name, "phone": number.display_phone_number}
        for number in world.numbers.values()
    ]
    recent = {chat.contact.address: chat.contact for chat in world.chats.newest(limit=20)}
    known = {contact.address: contact for contact in world.people.named()} | recent
    return {"people": [_describe(contact) for contact in known.values()], "numbers": numbers}


async def save_person(world: World, given: Given) -> object:
    person = Person(
        phone=str(given.get("phone", "")),
        user_id=str(given.get("user_id", "")),
        name=str(given.get("name", "")),
        username=str(given.get("username", "")),
        hide_phone=bool(given.get("hide_phone", False)),
    )
    if not digits_of(person.phone) and not person.user_id:
        raise ConfigError("phone: 5 to 15 digits are needed, or a user_id")
    return _describe(world.people.learn(person))


def _describe(contact: Contact) -> dict[str, Any]:
    return {"address": contact.address, "name": contact.name, "username": contact.username, "phone": contact.phone}


async def show_chats(world: World, given: Given) -> object:
    """The chats of a person, or of everybody, newest first, each with its last bubble."""
    address = find_person(world, given).address if given.get("person") else ""
    found = world.chats.newest(address=address, number_id=str(given.get("number_id", "")))
    return [_describe_chat(world, chat) | {"last": show_item(world, chat.items[-1])} for chat in found if chat.items]


async def show_chat(world: World, given: Given) -> object:
    """All bubbles of one chat, oldest first."""
    chat = world.chats.at(find_number(world, given).id, find_person(world, given))
    return _describe_chat(world, chat) | {"items": [show_item(world, item) for item in chat.items]}


def _describe_chat(world: World, chat: Chat) -> dict[str, Any]:
    number = world.numbers.get(chat.number_id)
    return {
        "number_id": chat.number_id,
        "business": number.verified_name if number else chat.number_id,
        "person": _describe(chat.contact),
        "time": chat.time,
        "unread": chat.unread,
        "typing_ms": max(0, int((chat.typing_until - time.time()) * 1000)),
        "window_open": world.is_open(chat.number_id, chat.contact.last_inbound),
    }


async def open_chat(world: World, given: Given) -> object:
    """The person looks at the chat: whatever was delivered is read."""
    chat = world.chats.at(find_number(world, given).id, find_person(world, given))
    chat.unread = 0
    read = [item for item in chat.items if isinstance(item, Sent) and item.level in READABLE and not item.opened]
    for sent in read:
        sent.opened = True
        world.callbacks.schedule(StatusUpdate(sent, "read"), 0)
    return {"read": len(read)}


async def stream_events(world: World, request: web.BaseRequest) -> web.StreamResponse:
    """Server-sent events: one for each change in a person's chats, for as long as the page is open."""
    contact = world.people.find(request.query.get("person", ""))
    if contact is None:
        return web.Response(status=400, text="person: a phone number or a business-scoped user id is needed")
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
    await response.prepare(request)
    async with contextlib.aclosing(_listen(world, contact)) as events:
        with contextlib.suppress(ConnectionError):
            async for event in events:
                await response.write(event)
    return response


async def _listen(world: World, contact: Contact) -> AsyncGenerator[bytes, None]:
    queue: asyncio.Queue[bytes] = asyncio.Queue(maxsize=1000)

    def hear(chat: Chat, item: Item) -> None:
        if chat.contact.address == contact.address and not queue.full():
            level = item.level if isinstance(item, Sent) else ""
            event = orjson.dumps({"number_id": chat.number_id, "level": level, "time": time.time()})
            queue.put_nowait(b"data: " + event + b"\n\n")

    chats = world.chats
    chats.listeners.append(hear)
    contact.attended += 1
    try:
        yield b": hello\n\n"
        while True:
            try:
                yield await asyncio.wait_for(queue.get(), BEAT_S)
            except TimeoutError:
                yield b": still here\n\n"
    finally:
        contact.attended -= 1
        chats.listeners.remove(hear)
