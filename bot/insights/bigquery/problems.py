"""What BigQuery's refusals mean, and what the operator can do; Google's own words may quote rows and stay out."""

import re
from collections.abc import Mapping
from typing import Any, Final

from bot.insights.bigquery.targets import Target
from bot.language import _, later, translated

_RIGHT = re.compile(r"\bbigquery\.[a-zA-Z]+\.[a-zA-Z]+\b")

SENTENCES: Final[Mapping[str, str]] = {
    "not_enabled": later("The BigQuery API is not enabled in the project %(project)s: enable it in Google's console."),
    "no_billing": later("The project %(project)s has no billing account, and without one BigQuery merges nothing."),
    "quota": later(
        "The project %(project)s has used up a quota of BigQuery's: raise it, or send less often"
        " (BACKCHAT_BIGQUERY_HOURS)."
    ),
    "pause": later("BigQuery asks for a pause; Backchat tries again by itself."),
    "no_right": later(
        "Backchat's account may not do that in %(destination)s (%(right)s): give it the roles BigQuery Data Editor on"
        " the dataset and BigQuery Job User on the project."
    ),
    "no_dataset": later(
        "There is no dataset %(dataset)s in the project %(project)s: make it, in the region where data may live."
    ),
    "no_table": later("%(table)s has gone from %(destination)s; Backchat makes it anew."),
    "refused": later(
        "BigQuery refuses what was sent of %(table)s (%(reason)s): if somebody changed the table there, delete it, and"
        " Backchat makes it anew."
    ),
    "broken_off": later("BigQuery broke off its work on %(table)s (%(reason)s); Backchat tries again by itself."),
    "unavailable": later("BigQuery did not answer as it should (%(what)s); Backchat tries again by itself."),
    "key_withdrawn": later(
        "Google does not accept the key in GOOGLE_APPLICATION_CREDENTIALS any more: it has run out or was withdrawn."
        " Make a new one."
    ),
    "sign_in_withdrawn": later(
        "Google does not accept this machine's sign-in any more: it has run out or was withdrawn. Make a new one."
    ),
    "no_sign_in": later(
        "This machine is not signed in to Google: set GOOGLE_APPLICATION_CREDENTIALS to the file of a service account"
        " that can be read."
    ),
}
_BY_REASON: Final = {
    "accessNotConfigured": "not_enabled",
    "SERVICE_DISABLED": "not_enabled",
    "billingNotEnabled": "no_billing",
    "quotaExceeded": "quota",
    "rateLimitExceeded": "pause",
}
_PASSING: Final = frozenset({"pause", "no_table", "broken_off", "unavailable"})
_ENDING: Final = frozenset({"no_table", "broken_off", "refused"})
_PASSING_REASONS: Final = frozenset(
    {"backendError", "internalError", "rateLimitExceeded", "jobBackendError", "notFound"}
)


def sentence(problem: Mapping[str, str]) -> str:
    """In its reader's language; as `ProblemError.as_data` has it."""
    return translated(SENTENCES[problem["code"]]) % problem


def alert(problem: Mapping[str, str]) -> str:
    return _("The tables do not reach BigQuery. %(why)s", why=sentence(problem))


class ProblemError(Exception):
    """One of SENTENCES for the operator, with the names in it."""

    def __init__(self, code: str, **names: str) -> None:
        self.as_data = {"code": code, **names}
        super().__init__(sentence(self.as_data))
        self.is_passing = code in _PASSING
        """Nobody has to do anything unless it stays."""
        self.is_end = code in _ENDING
        """The piece that was on its way will not arrive, and is read anew."""


def of_call(error: Any, target: Target, table: str) -> ProblemError:  # noqa: ANN401 (Google's, untyped)
    reason = _reason(error)
    place = {"project": target.project, "dataset": target.dataset}
    if reason in _BY_REASON:
        return ProblemError(_BY_REASON[reason], **place)
    match error.code:
        case 401:
            said = _turned_away(target)
        case 403:
            right = _RIGHT.search(str(error.message))
            said = ProblemError(
                "no_right", destination=target.destination, right=right[0] if right else reason or "403"
            )
        case 404 if "Table" not in str(error.message):
            said = ProblemError("no_dataset", **place)
        case 404:
            said = ProblemError("no_table", table=table or target.dataset, destination=target.destination)
        case 400:
            said = ProblemError("refused", table=table or target.dataset, reason=reason or "invalid")
        case _:
            said = ProblemError("unavailable", what=str(error.code or type(error).__name__))
    return said


def of_job(result: Mapping[str, Any], table: str) -> ProblemError:
    """A job that began and failed."""
    reason = str(result.get("reason") or "unknown")
    if reason in _PASSING_REASONS:
        return ProblemError("broken_off", table=table, reason=reason)
    return ProblemError("refused", table=table, reason=reason)


def of_sign_in(error: Exception, target: Target) -> ProblemError:
    if type(error).__name__ == "DefaultCredentialsError":
        return ProblemError("no_sign_in")
    if getattr(error, "retryable", False) or type(error).__name__ == "TransportError":
        return of_network(error)
    return _turned_away(target)


def of_network(error: Exception) -> ProblemError:
    return ProblemError("unavailable", what=type(error).__name__)


def _turned_away(target: Target) -> ProblemError:
    return ProblemError("key_withdrawn" if target.credentials else "sign_in_withdrawn")


def _reason(error: Any) -> str:  # noqa: ANN401 (Google's, untyped)
    if error.reason:
        return str(error.reason)
    return str(error.errors[0].get("reason", "")) if error.errors else ""
