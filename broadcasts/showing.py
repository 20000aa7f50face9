"""What every page about one broadcast answers with: the page that fits its state, a refusal on it, or the way back."""

from flask import redirect, url_for
from flask.typing import ResponseReturnValue

from bot import live, runtime
from bot.dashboard import access
from bot.models.words import BroadcastState
from broadcasts.broadcasts import AlreadyLaunchedError, BroadcastError, WrongStateError
from broadcasts.drafting import draft_pages
from broadcasts.finding import find
from broadcasts.results import ledger_pages
from broadcasts.transitions import Actor

_BEFORE = frozenset({BroadcastState.DRAFT, BroadcastState.APPROVAL, BroadcastState.SCHEDULED})
"""Of the launch: the page of what it will be."""


def page(broadcast_id: int, problems: list[str]) -> str:
    with runtime.current().transaction() as tx:
        found = find(tx, broadcast_id)
        if found.state in _BEFORE:
            return draft_pages.page(tx, found, problems)
        return ledger_pages.page(tx, found, problems)


def refuse(broadcast_id: int, error: BroadcastError) -> ResponseReturnValue:
    """409 where somebody else was quicker, 422 where something has to be put right first."""
    is_late = isinstance(error, AlreadyLaunchedError | WrongStateError)
    return page(broadcast_id, str(error).splitlines()), 409 if is_late else 422


def back(broadcast_id: int) -> ResponseReturnValue:
    """After what was changed is committed: other pages that show it are told."""
    live.publish(runtime.current().redis, ledger_pages.topic(broadcast_id))
    return redirect(url_for("broadcasts.show", broadcast_id=broadcast_id), 303)


def me() -> Actor:
    return Actor(operator_id=access.operator().id)
