"""What every address of broadcasts asks first: which one, what stands in the body, and whether it was asked before."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import orjson
from flask import request
from sqlalchemy.orm import Session

from bot.api import idempotency, refusals
from bot.api.access import LARGEST_BODY, read_fields
from bot.api.refusals import RefusalError
from bot.api.requests import LARGEST_ID, read_key
from bot.models.broadcast import Broadcast
from bot.models.team import ApiRequest, ApiToken
from bot.people.rules.schema import RuleError
from bot.people.terms import SearchError
from broadcasts.broadcasts import AlreadyLaunchedError, BroadcastError, WrongStateError
from broadcasts.drafting import fields
from broadcasts.drafting.drafts import DraftError
from broadcasts.drafting.fields import FieldError
from broadcasts.preflight.gate import CountError
from broadcasts.preflight.version import SeenError

LONGEST_WHY = 500


def found(session: Session, token: ApiToken, broadcast_id: int, *, is_held: bool = False) -> Broadcast:
    """As it stands now; `is_held` until the commit, against all who change it."""
    id_, environment = min(broadcast_id, LARGEST_ID), token.environment
    held = {"key_share": True} if is_held else None
    broadcast = session.get(Broadcast, id_, populate_existing=True, with_for_update=held)
    if broadcast is None or broadcast.environment != environment:
        raise RefusalError(404, "unknown_broadcast", f"There is no such broadcast in {environment}.")
    return broadcast


def body() -> Mapping[str, Any]:
    """The object that was sent; no body is an empty one."""
    request.max_content_length = LARGEST_BODY
    return read_fields() if request.get_data() else {}


def read(known: Mapping[str, Callable[[object, str], Any]]) -> dict[str, Any]:
    """Members of the body, each by the function that reads it; None for what is not there."""
    with refusing():
        given = fields.members(body(), known)
        return {name: each(given[name], name) if name in given else None for name, each in known.items()}


def why(value: object, field: str) -> str | None:
    """For the timeline."""
    return fields.text(value, field, LONGEST_WHY).strip() or None


def number_of(name: str, default: int | None, most: int = LARGEST_ID) -> int | None:
    """The number that the query gives."""
    given = request.args.get(name)
    if given is None:
        return default
    if not (given.isascii() and given.isdecimal()) or len(given) > len(str(LARGEST_ID)) or int(given) > most:
        raise refusals.invalid(name, f"{name} must be a whole number, {most:,} at most.")
    return int(given)


def once(session: Session, token: ApiToken, asked: object, make: Callable[[], int]) -> int:
    """The id that `make` returns; with an Idempotency-Key used before for the same, the one it returned then.

    `asked` is what was read of the body, as JSON: what the key stands for is the address with it.
    """
    key = read_key(request.headers.get("Idempotency-Key"))
    told = orjson.dumps([request.path, asked], default=str, option=orjson.OPT_SORT_KEYS)
    return idempotency.once(session, token, key, hashlib.sha256(told).digest(), ApiRequest.broadcast_id, make)


@contextmanager
def refusing() -> Iterator[None]:
    """What is raised within as the refusal it is; `message` has every problem, one a line, `field` the first place."""
    try:
        yield
    except FieldError as error:
        code = "invalid_field" if error.field else "invalid_body"
        raise RefusalError(422, code, str(error), error.field or None) from error
    except DraftError as error:
        raise RefusalError(422, "bad_broadcast", str(error), error.problems[0].field or None) from error
    except CountError as error:
        raise RefusalError(422, "unconfirmed", str(error), "confirmed") from error
    except SeenError as error:
        raise RefusalError(409, "preflight_changed", str(error), "preflight") from error
    except (AlreadyLaunchedError, WrongStateError) as error:
        raise RefusalError(409, "broadcast_state", str(error)) from error
    except (BroadcastError, RuleError, SearchError) as error:
        raise RefusalError(422, "broadcast_refused", str(error)) from error
