"""What every address of the API asks first: whose token it is, and that nothing stands where it would not be read."""

from collections.abc import Collection, Mapping
from typing import Any

from flask import g, request

from bot import runtime
from bot.api import refusals
from bot.api.refusals import RefusalError
from bot.api.requests import read_object
from bot.models.team import ApiToken
from bot.team import permissions, tokens
from bot.team.audit import By
from bot.team.rights import Permission

LARGEST_BODY = 65_536


def authenticate(query: Collection[str] = ()) -> ApiToken:
    """The token of the Authorization header, asked for anew at each request, so that a revoked one ends at once.

    `query` names what the address takes behind its question mark; anything else there is refused.
    """
    if any(value.startswith(tokens.PREFIX) for values in request.args.listvalues() for value in values):
        raise RefusalError(
            400,
            "token_in_address",
            "A token in an address ends up in logs: revoke this one, and send the next in the Authorization header.",
        )
    _check_query(query)
    given = request.authorization
    if given is None or given.type != "bearer" or not given.token:
        raise RefusalError(401, "unauthorized", "Send a token: Authorization: Bearer bc_live_… or bc_test_….")
    with runtime.current().transaction() as session:
        token = tokens.find(session, given.token)
    if token is None:
        raise RefusalError(401, "unauthorized", "This token is not known, was revoked or has expired.")
    scopes = permissions.scopes_of(request.endpoint)
    lacking = next((scope for scope in scopes if not tokens.allows(token, scope)), None)
    if lacking or not scopes:
        asked = f"This needs a token with the scope {lacking}: an admin can add it under Team, API tokens."
        raise RefusalError(403, "missing_scope", asked)
    g.masks = not tokens.allows(token, Permission.PEOPLE_SEE_CONTACT)
    return token


def by(token: ApiToken) -> By:
    """Whose doing this request is, for the audit log."""
    return By(token_id=token.id, address=request.remote_addr)


def read_body() -> bytes:
    """The body as it came, of LARGEST_BODY at most; only one that says it is JSON."""
    if request.mimetype != "application/json":
        raise RefusalError(415, *refusals.CODES[415])
    request.max_content_length = LARGEST_BODY
    return request.get_data()


def read_fields(*known: str) -> Mapping[str, Any]:
    """The body as a JSON object, of no other fields than these if any are named."""
    given = read_object(read_body())
    for name in given:
        if known and name not in known:
            told = f"There is no field {name[:64]!r} here: use {', '.join(known)}."
            raise RefusalError(422, "invalid_field", told, name[:64])
    return given


def _check_query(query: Collection[str]) -> None:
    if request.args and not query:
        raise RefusalError(400, "unexpected_query", "This address takes no query: tokens go in Authorization: Bearer.")
    for name, values in request.args.lists():
        if name not in query:
            known = ", ".join(sorted(query))
            raise RefusalError(400, "unexpected_query", f"The query takes {known}, and no {name[:64]!r}.", name[:64])
        if len(values) > 1:
            raise RefusalError(400, "repeated_query", f"{name} stands in the query more than once.", name)


def read_whole(name: str) -> int | None:
    """The whole number above zero that the query gives, if it gives one."""
    given = request.args.get(name)
    if given is None:
        return None
    if not (given.isascii() and given.isdecimal() and 0 < len(given) < 19 and int(given)):
        raise RefusalError(400, "unexpected_query", f"{name} must be a whole number above zero.", name)
    return int(given)
