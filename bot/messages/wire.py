"""One attempt, one HTTP request: no library retries, no redirects; what an exception proves decides what it means."""

import time

from bot import failpoints
from bot.messages.calls import Caller, NoAnswerError, NothingLeftError
from bot.providers.base import Account, Action, OutboundMessage, Outcome, Provider, UnsendableError

STALE_AFTER_S = 20.0
"""A sender that slept longer than this between the wire mark and the write does not write."""


async def deliver(
    caller: Caller,
    provider: Provider,
    account: Account,
    provider_number_id: str,
    message: OutboundMessage,
    marked_at: float,
) -> Outcome:
    """Send one message; `marked_at` is the monotonic time of its wire mark. Never raises."""
    try:
        request = provider.request(account, provider_number_id, message)
    except UnsendableError as error:
        return Outcome(Action.FAIL, text=str(error))
    if time.monotonic() - marked_at > STALE_AFTER_S:
        return Outcome(Action.UNREACHABLE, text="the sender was held up before writing")
    try:
        status, body = await caller.ask(request)
    except UnsendableError as error:
        return Outcome(Action.FAIL, text=str(error))
    except NothingLeftError as error:
        return Outcome(Action.UNREACHABLE, text=f"cannot connect to the provider ({error})")
    except NoAnswerError as error:
        return Outcome(Action.UNKNOWN, text=f"no readable answer ({error})")
    failpoints.hit("FP7")
    return provider.outcome(status, body)
