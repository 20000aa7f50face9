"""What an answer says besides its JSON: where a thing that was made is, and which version of it this is."""

from typing import Any

from flask import Response, jsonify, request

from bot.api import refusals
from bot.api.refusals import RefusalError


def made(told: Any, path: str, status: int = 201) -> Response:  # noqa: ANN401 (JSON)
    """`path` is below the prefix: `people/7`."""
    answer = jsonify(told)
    answer.status_code = status
    answer.headers["Location"] = f"{refusals.PREFIX}/{path}"
    return answer


def versioned(answer: Response, version: str) -> Response:
    answer.set_etag(version)
    return answer


def demand_version(version: str) -> None:
    """Refuses where an If-Match names another one; a proxy that compresses makes it a weak one, which is as good."""
    if request.if_match and not (request.if_match.star_tag or request.if_match.contains_weak(version)):
        told = "It was changed since you read it: read it again, and send the If-Match of what you read."
        raise RefusalError(412, "changed_meanwhile", told)
