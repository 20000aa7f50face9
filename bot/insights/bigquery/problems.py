"""What BigQuery's refusals mean, and what the operator can do; Google's own words may quote rows and stay out."""

import re
from collections.abc import Mapping
from typing import Any, Final

from bot.insights.bigquery.targets import Target

_RIGHT = re.compile(r"\bbigquery\.[a-zA-Z]+\.[a-zA-Z]+\b")

REMEDIES: Final[Mapping[str, str]] = {
    "accessNotConfigured": "The BigQuery API is not enabled in the project {project}: enable it in Google's console.",
    "SERVICE_DISABLED": "The BigQuery API is not enabled in the project {project}: enable it in Google's console.",
    "billingNotEnabled": "The project {project} has no billing account, and without one BigQuery merges nothing.",
    "quotaExceeded": "The project {project} has used up a quota of BigQuery's: raise it, or send less often"
    " (BACKCHAT_BIGQUERY_HOURS).",
    "rateLimitExceeded": "BigQuery asks for a pause; Backchat tries again by itself.",
}
"""By the reason that BigQuery gives."""
_NO_RIGHT: Final = (
    "Backchat's account may not do that in {destination} ({right}): give it the roles BigQuery Data Editor on the"
    " dataset and BigQuery Job User on the project."
)
_NOWHERE: Final = "There is no dataset {dataset} in the project {project}: make it, in the region where data may live."
_REFUSED: Final = (
    "BigQuery refuses what was sent{of} ({reason}): if somebody changed the table there, delete it, and Backchat makes"
    " it anew."
)
_UNAVAILABLE: Final = "BigQuery did not answer as it should ({what}); Backchat tries again by itself."


class ProblemError(Exception):
    """One sentence for the operator. `is_passing`: nobody has to do anything unless it stays.

    `is_end`: the piece that was on its way will not arrive, and is read anew.
    """

    def __init__(self, sentence: str, *, is_passing: bool = False, is_end: bool = False) -> None:
        super().__init__(sentence)
        self.is_passing = is_passing
        self.is_end = is_end


def of_call(error: Any, target: Target, table: str) -> ProblemError:  # noqa: ANN401 (Google's, untyped)
    reason = _reason(error)
    names = {"project": target.project, "dataset": target.dataset, "destination": target.destination}
    if reason in REMEDIES:
        return ProblemError(REMEDIES[reason].format(**names), is_passing=reason == "rateLimitExceeded")
    match error.code:
        case 401:
            said = ProblemError(_turned_away(target))
        case 403:
            right = _RIGHT.search(str(error.message))
            said = ProblemError(_NO_RIGHT.format(**names, right=right[0] if right else reason or "403"))
        case 404 if "Table" not in str(error.message):
            said = ProblemError(_NOWHERE.format(**names))
        case 404:
            said = ProblemError(
                f"{table or 'A table'} has gone from {target.destination}.", is_passing=True, is_end=True
            )
        case 400:
            said = ProblemError(_REFUSED.format(of=_of(table), reason=reason or "invalid"), is_end=True)
        case _:
            said = ProblemError(_UNAVAILABLE.format(what=error.code or type(error).__name__), is_passing=True)
    return said


def of_job(result: Mapping[str, Any], table: str) -> ProblemError:
    """A job that began and failed."""
    reason = str(result.get("reason") or "unknown")
    is_passing = reason in {"backendError", "internalError", "rateLimitExceeded", "jobBackendError", "notFound"}
    if is_passing:
        return ProblemError(_UNAVAILABLE.format(what=f"{reason}{_of(table)}"), is_passing=True, is_end=True)
    return ProblemError(_REFUSED.format(of=_of(table), reason=reason), is_end=True)


def of_sign_in(error: Exception, target: Target) -> ProblemError:
    if type(error).__name__ == "DefaultCredentialsError":
        return ProblemError(
            "This machine is not signed in to Google: set GOOGLE_APPLICATION_CREDENTIALS to the file of a service"
            " account that can be read."
        )
    if getattr(error, "retryable", False) or type(error).__name__ == "TransportError":
        return ProblemError(_UNAVAILABLE.format(what="sign-in"), is_passing=True)
    return ProblemError(_turned_away(target))


def of_network(error: Exception) -> ProblemError:
    return ProblemError(_UNAVAILABLE.format(what=type(error).__name__), is_passing=True)


def _turned_away(target: Target) -> str:
    whose = "the key in GOOGLE_APPLICATION_CREDENTIALS" if target.credentials else "this machine's sign-in"
    return f"Google does not accept {whose} any more: it has run out or was withdrawn. Make a new one."


def _reason(error: Any) -> str:  # noqa: ANN401 (Google's, untyped)
    if error.reason:
        return str(error.reason)
    return str(error.errors[0].get("reason", "")) if error.errors else ""


def _of(table: str) -> str:
    return f" of {table}" if table else ""
