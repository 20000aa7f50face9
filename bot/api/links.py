"""REST for programs: links that say who followed them; docs/api.md is its manual."""

from typing import Any

from flask import Response, jsonify

from bot import runtime
from bot.api import answers, refusals
from bot.api.access import authenticate, by, read_fields
from bot.api.refusals import RefusalError, invalid
from bot.api.requests import LARGEST_ID
from bot.goals import links
from bot.goals.links import LinkError, Listed
from bot.models.goals import TrackedLink

api = refusals.blueprint("links_api", __name__)


@api.get("/links")
def index() -> Response:
    token = authenticate()
    with runtime.current().transaction() as session:
        return jsonify({"links": [_shape(each) for each in links.counted(session, token.environment)]})


@api.post("/links")
def create() -> Response:
    token = authenticate()
    given = read_fields("name", "target")
    with runtime.current().transaction() as session:
        try:
            made = links.create(session, token.environment, given.get("name"), given.get("target"), by(token))
        except LinkError as error:
            raise invalid(error.field, str(error)) from error
        told = _shape(Listed(made, 0, 0))
    return answers.made(told, f"links/{told['id']}")


@api.patch("/links/<int:link_id>")
def change(link_id: int) -> Response:
    token = authenticate()
    given = read_fields("target")
    with runtime.current().transaction() as session:
        link, environment = session.get(TrackedLink, min(link_id, LARGEST_ID)), token.environment
        if link is None or link.environment != environment:
            raise RefusalError(404, "unknown_link", f"There is no such link in {environment}.")
        try:
            links.lead_to(session, link, given.get("target"), by(token))
        except LinkError as error:
            raise invalid(error.field, str(error)) from error
        told = next(_shape(each) for each in links.counted(session, token.environment) if each.link.id == link_id)
    return jsonify(told)


def _shape(listed: Listed) -> dict[str, Any]:
    link = listed.link
    return {
        "id": link.id,
        "name": link.name,
        "placeholder": f"<<link.{link.name}>>",
        "target": link.target,
        "clicks": listed.clicks,
        "people": listed.people,
    }
