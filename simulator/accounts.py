"""Numbers, subscriptions and what else is asked of an account (Graph API)."""

import secrets
from typing import Any
from urllib.parse import urlsplit

import orjson
from aiohttp import web

from simulator.access import find_account, find_own_account, unknown_object
from simulator.config import LOOPBACK, Number
from simulator.graph import GraphError, answer
from simulator.media import find_media, show_media
from simulator.template_edits import find_template
from simulator.templates import describe
from simulator.world import World

NUMBER_FACTS: dict[str, Any] = {
    "code_verification_status": "VERIFIED",
    "quality_rating": "GREEN",
    "platform_type": "CLOUD_API",
    "throughput": {"level": "STANDARD"},
    "status": "CONNECTED",
    "whatsapp_business_manager_messaging_limit": "TIER_100K",
}


async def show_object(world: World, request: web.BaseRequest, _version: str, name: str) -> web.StreamResponse:
    """A number, an account, a template or a medium: the Graph API keeps them all at one level."""
    account = find_account(world, request)
    number = world.numbers.get(name)
    if number is not None and number.waba_id == account.waba_id:
        return answer(describe_number(number))
    if name == account.waba_id:
        return answer({"id": name, "name": "Simulated account", "currency": "EUR", "timezone_id": "1"})
    template = find_template(world, account, name)
    if template is not None:
        return answer(describe(template))
    if find_media(world, name) is not None:
        return await show_media(world, request, name)
    raise unknown_object(name)


async def list_numbers(world: World, request: web.BaseRequest, _version: str, waba_id: str) -> web.StreamResponse:
    find_own_account(world, request, waba_id)
    numbers = [describe_number(number) for number in world.numbers.values() if number.waba_id == waba_id]
    return answer({"data": numbers, "paging": {"cursors": {"before": "", "after": ""}}})


def describe_number(number: Number) -> dict[str, Any]:
    names = {
        "id": number.id,
        "display_phone_number": number.display_phone_number,
        "verified_name": number.verified_name,
    }
    return names | NUMBER_FACTS


async def subscribe(world: World, request: web.BaseRequest, _version: str, waba_id: str) -> web.StreamResponse:
    """Take over a callback address for the account, once its owner passed the handshake."""
    account = find_own_account(world, request, waba_id)
    raw = await request.read()
    try:
        given = orjson.loads(raw) if raw else {}
    except orjson.JSONDecodeError:
        raise GraphError(100, "The body is not valid JSON.") from None
    url, token = str(given.get("override_callback_uri", "")), str(given.get("verify_token", ""))
    if url:
        if urlsplit(url).hostname not in LOOPBACK:
            raise GraphError(100, "override_callback_uri: this simulator calls loopback addresses only.")
        problem = (await shake_hands(world, url, token))["problem"]
        if problem:
            raise GraphError(2200, str(problem))
        account.callback_url, account.verify_token = url, token
    return answer({"success": True})


async def show_subscriptions(world: World, request: web.BaseRequest, _version: str, waba_id: str) -> web.StreamResponse:
    account = find_own_account(world, request, waba_id)
    app: dict[str, Any] = {"whatsapp_business_api_data": {"id": "1", "name": "Simulated app", "link": ""}}
    if account.callback_url:
        app["override_callback_uri"] = account.callback_url
    return answer({"data": [app]})


async def shake_hands(world: World, url: str, verify_token: str) -> dict[str, object]:
    """The GET handshake: what came back, and what is wrong with it, if anything."""
    challenge = str(secrets.randbelow(9 * 10**9) + 10**9)
    status, body = await world.callbacks.poster.shake_hands(url, verify_token, challenge)
    problem = ""
    if status != 200:
        problem = f"The callback answered with HTTP status {status}." if status else f"No answer: {body}"
    elif body != challenge:
        problem = "The callback did not return the challenge."
    return {"status": status, "body": body[:1000], "challenge": challenge, "problem": problem}
