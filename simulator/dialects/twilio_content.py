"""Twilio's templates: content with a sid, and what WhatsApp said of it (Twilio, "Content API")."""

import hashlib
from typing import Any

from aiohttp import web

from simulator.config import Account, Template
from simulator.graph import answer
from simulator.world import World

PAGE = 50
Part = dict[str, Any]


def hex_of(*told: object) -> str:
    return hashlib.blake2b("|".join(map(str, told)).encode(), digest_size=16).hexdigest()


def sid_of(template: Template) -> str:
    return "HX" + hex_of(*template.key)


def find_content(world: World, account: Account, sid: str) -> Template | None:
    return next(
        (one for one, _ in world.templates.values() if one.waba_id == account.waba_id and sid_of(one) == sid), None
    )


async def list_contents(world: World, request: web.BaseRequest, account: Account) -> web.StreamResponse:
    mine = [template for template, _ in world.templates.values() if template.waba_id == account.waba_id]
    size, page = _whole(request, "PageSize", PAGE), _whole(request, "Page", 0)
    listed = mine[page * size : (page + 1) * size]
    following = None
    if (page + 1) * size < len(mine):
        following = str(request.url.with_query(PageSize=size, Page=page + 1))
    meta = {"page": page, "page_size": size, "next_page_url": following, "key": "contents"}
    return answer({"contents": [_describe(template) for template in listed], "meta": meta})


def _whole(request: web.BaseRequest, name: str, default: int) -> int:
    written = request.query.get(name, "")
    return int(written) if written.isdecimal() and 0 < int(written) <= 1000 else default


def _describe(template: Template) -> Part:
    kind, content = _content(template)
    return {
        "sid": sid_of(template),
        "account_sid": template.waba_id,
        "friendly_name": template.name,
        "language": template.language,
        "variables": {},
        "types": {kind: content},
        "approval_requests": {
            "name": template.name,
            "category": template.category.upper(),
            "status": template.status.lower(),
            "content_type": kind,
            "rejection_reason": "",
        },
    }


def _content(template: Template) -> tuple[str, Part]:
    """The kind of content and what it holds; what Twilio puts elsewhere, such as a header's text, is left out."""
    parts = {str(part.get("type", "")).upper(): part for part in template.components}
    body = str(parts.get("BODY", {}).get("text", ""))
    actions = [_action(button) for button in parts.get("BUTTONS", {}).get("buttons", [])]
    if not actions:
        return "twilio/text", {"body": body}
    replies_only = all(action["type"] == "QUICK_REPLY" for action in actions)
    return "twilio/quick-reply" if replies_only else "twilio/call-to-action", {"body": body, "actions": actions}


def _action(button: Part) -> Part:
    told = {"type": str(button.get("type", "")).upper(), "title": button.get("text"), "id": button.get("text")}
    told |= {"url": button.get("url"), "phone": button.get("phone_number")}
    return {name: value for name, value in told.items() if value is not None}
