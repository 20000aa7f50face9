"""Message templates of an account: list, create, edit, delete (Graph API, "message_templates" edge)."""

import asyncio
import base64
import time
from typing import Any

import orjson
from aiohttp import web

from simulator.access import find_own_account
from simulator.config import Account, Template
from simulator.graph import GraphError, answer
from simulator.posting import Webhook
from simulator.template_rules import read_template
from simulator.updates import encode
from simulator.world import World

REJECTED_WORD = "rejected"
DEFAULT_PAGE = 25

Part = dict[str, Any]


async def list_templates(world: World, request: web.BaseRequest, _version: str, waba_id: str) -> web.StreamResponse:
    find_own_account(world, request, waba_id)
    return show_templates(world, request, waba_id)


def show_templates(world: World, request: web.BaseRequest, waba_id: str) -> web.StreamResponse:
    query = request.query
    found = [
        template
        for template, _ in world.templates.values()
        if template.waba_id == waba_id
        and all(query.get(member, value).lower() == value.lower() for member, value in _filterable(template))
    ]
    limit = int(query["limit"]) if query.get("limit", "").isdecimal() else DEFAULT_PAGE
    start = _position(query.get("after", "")) if "after" in query else 0
    if "before" in query:
        start = max(_position(query["before"]) - 1 - limit, 0)
    page = found[start : start + max(limit, 1)]
    paging: Part = {"cursors": {"before": _cursor(start + 1), "after": _cursor(start + len(page))}} if page else {}
    if start + len(page) < len(found):
        paging["next"] = str(request.url.update_query(after=_cursor(start + len(page))))
    if start:
        paging["previous"] = str(request.url.update_query(before=_cursor(start + 1)))
    return answer({"data": [describe(template) for template in page], "paging": paging})


def _filterable(template: Template) -> list[tuple[str, str]]:
    return [(member, getattr(template, member)) for member in ("name", "status", "language", "category")]


def _cursor(position: int) -> str:
    return base64.urlsafe_b64encode(f"at:{position}".encode()).decode()


def _position(cursor: str) -> int:
    try:
        return int(base64.urlsafe_b64decode(cursor).removeprefix(b"at:"))
    except ValueError:
        raise GraphError(100, "Invalid cursor.") from None


def describe(template: Template) -> Part:
    return {
        "name": template.name,
        "parameter_format": template.parameter_format,
        "components": template.components,
        "language": template.language,
        "status": template.status,
        "category": template.category,
        "quality_score": {"score": template.quality},
        "rejected_reason": template.rejected_reason,
        "id": template.id,
    }


async def create_template(world: World, request: web.BaseRequest, _version: str, waba_id: str) -> web.StreamResponse:
    return await add_template(world, request, find_own_account(world, request, waba_id))


async def add_template(world: World, request: web.BaseRequest, account: Account) -> web.StreamResponse:
    """PENDING at first; the review ends a moment later with a webhook, as the configuration says."""
    template = read_template(account.waba_id, await read_object(request), by_link=is_by_link(world, account))
    if template.key in world.templates:
        raise GraphError(
            100,
            "There is already content in this language for this template. You can create a new template and try again.",
            subcode=2388024,
            title="Content in this language already exists",
        )
    world.put_template(template)
    world.config.templates.append(template)
    review(world, account, template)
    return answer({"id": template.id, "status": template.status, "category": template.category})


async def read_object(request: web.BaseRequest) -> Part:
    try:
        given = orjson.loads(await request.read())
    except orjson.JSONDecodeError:
        raise GraphError(100, "The body is not valid JSON.") from None
    if not isinstance(given, dict):
        raise GraphError(100, "The body must be a JSON object.")
    return given


def is_by_link(world: World, account: Account) -> bool:
    """Whether samples of files are links at this provider."""
    return world.dialects[account.dialect].samples_by_link


def review(world: World, account: Account, template: Template) -> None:
    """Have it judged, unless the configuration leaves that to a test."""
    if world.config.review.verdict or REJECTED_WORD in template.name:
        judging = asyncio.create_task(_judge(world, account, template))
        world.tasks.add(judging)
        judging.add_done_callback(world.tasks.discard)


async def _judge(world: World, account: Account, template: Template) -> None:
    told = world.config.review
    await asyncio.sleep(told.after_s)
    verdict = "REJECTED" if REJECTED_WORD in template.name else told.verdict
    change_status(world, account, template, verdict, told.reason if verdict == "REJECTED" else "")


def change_status(world: World, account: Account, template: Template, status: str, reason: str = "") -> None:
    """Give a template its new status and tell the business by webhook."""
    template.status = status
    template.rejected_reason = reason if status == "REJECTED" and reason else "NONE"
    value = {
        "event": status,
        "message_template_id": int(template.id) if template.id.isdecimal() else 0,
        "message_template_name": template.name,
        "message_template_language": template.language.replace("_", "-"),
        "message_template_category": template.category,
        "reason": reason or "NONE",
    }
    send_field(world, account, "message_template_status_update", value)


def send_field(world: World, account: Account, field: str, value: Part) -> None:
    """A webhook of the account itself; these carry no number and the time in the entry."""
    if not world.dialects[account.dialect].tells_fields:
        return
    entry = {"id": account.waba_id, "time": int(time.time()), "changes": [{"value": value, "field": field}]}
    body = encode({"object": "whatsapp_business_account", "entry": [entry]})
    world.callbacks.send(account, Webhook(account.callback_url, body))


async def delete_template(world: World, request: web.BaseRequest, _version: str, waba_id: str) -> web.StreamResponse:
    find_own_account(world, request, waba_id)
    return drop_templates(world, request, waba_id)


def drop_templates(world: World, request: web.BaseRequest, waba_id: str) -> web.StreamResponse:
    """By name in all languages, or one of them by `hsm_id`."""
    name, hsm_id = request.query.get("name", ""), request.query.get("hsm_id", "")
    doomed = [
        template
        for template, _ in world.templates.values()
        if template.waba_id == waba_id and template.name == name and hsm_id in {"", template.id}
    ]
    if not doomed:
        raise GraphError(100, "Message template wasn't found.", subcode=2593002)
    for template in doomed:
        del world.templates[template.key]
        world.config.templates.remove(template)
    return answer({"success": True})
