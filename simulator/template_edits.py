"""Editing a template, ending its pause, and samples of files (Graph API, "Edit a template", "Resumable upload")."""

import base64
import secrets
import time

from aiohttp import web

from simulator.access import find_account, unknown_object
from simulator.config import Account, Template
from simulator.graph import GraphError, answer
from simulator.template_rules import CATEGORIES, read_components
from simulator.templates import change_status, is_by_link, read_object, review
from simulator.world import World

EDITABLE = ("APPROVED", "REJECTED", "PAUSED")
BETWEEN_EDITS_S = 24 * 3600
"""Of an approved template."""
SAMPLES = ("image/jpeg", "image/png", "video/mp4", "application/pdf")


def find_template(world: World, account: Account, template_id: str) -> Template | None:
    mine = (template for template, _ in world.templates.values() if template.waba_id == account.waba_id)
    return next((template for template in mine if template.id == template_id), None)


async def edit_template(world: World, request: web.BaseRequest, _version: str, template_id: str) -> web.StreamResponse:
    account = find_account(world, request)
    template = find_template(world, account, template_id)
    if template is None:
        raise unknown_object(template_id)
    given = await read_object(request)
    _check_editable(template)
    if "components" in given:
        named = template.parameter_format == "NAMED"
        by_link = is_by_link(world, account)
        template.components = read_components(given["components"], template.category, named=named, by_link=by_link)
    if category := str(given.get("category", "")).upper():
        if category not in CATEGORIES:
            raise GraphError(100, f"Param category must be one of {{{', '.join(CATEGORIES)}}}.")
        template.category = category
    template.status, template.edited_at = "PENDING", time.time() if template.status == "APPROVED" else 0
    world.put_template(template)
    review(world, account, template)
    return answer({"success": True, "id": template.id, "name": template.name, "category": template.category})


async def unpause_template(
    world: World, request: web.BaseRequest, _version: str, template_id: str
) -> web.StreamResponse:
    """A refusal is a success that is none, with its reason (Graph API, "Template pausing")."""
    account = find_account(world, request)
    template = find_template(world, account, template_id)
    if template is None:
        raise unknown_object(template_id)
    if template.status != "PAUSED":
        return answer({"success": False, "reason": "Message template is not paused"})
    change_status(world, account, template, "APPROVED")
    return answer({"success": True})


def _check_editable(template: Template) -> None:
    if template.status not in EDITABLE:
        raise GraphError(
            100,
            f"Message templates with the status {template.status} can't be edited.",
            subcode=2593002,
            title="Template can't be edited",
        )
    if template.status == "APPROVED" and time.time() - template.edited_at < BETWEEN_EDITS_S:
        raise GraphError(
            100,
            "An approved template can be edited once in 24 hours.",
            subcode=2388003,
            title="Template can't be edited",
        )


async def open_upload(world: World, request: web.BaseRequest, _version: str) -> web.StreamResponse:
    """A session for one file, whose id says how large it will be."""
    find_account(world, request)
    size, kind = request.query.get("file_length", ""), request.query.get("file_type", "")
    if not size.isdecimal() or kind not in SAMPLES:
        raise GraphError(100, f"file_length is a number of bytes and file_type one of {', '.join(SAMPLES)}.")
    told = base64.urlsafe_b64encode(f"{size} {kind} {secrets.token_hex(4)}".encode()).decode().rstrip("=")
    return answer({"id": f"upload:{told}"})


async def take_upload(world: World, request: web.BaseRequest, _version: str, session: str) -> web.StreamResponse:
    """The file of a session, whole; the answer is the handle that a template's example names."""
    find_account(world, request, scheme="OAuth")
    told = base64.urlsafe_b64decode(session + "=" * (-len(session) % 4)).decode(errors="replace").partition(" ")[0]
    content = await request.read()
    if request.headers.get("file_offset") != "0" or not told.isdecimal() or len(content) != int(told):
        raise GraphError(100, "The file has another length than its session was opened for.")
    return answer({"h": f"4::{secrets.token_urlsafe(24)}"})
