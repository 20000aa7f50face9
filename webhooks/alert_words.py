"""What an alert says in its reader's language, where Backchat knows what it is about and not only how it was put."""

from collections.abc import Callable, Mapping
from typing import Any

from bot.insights.bigquery import problems as of_bigquery
from bot.insights.bigquery import runs as bigquery
from bot.insights.summaries import problems as of_summaries
from bot.insights.summaries import runs as summaries
from bot.models.webhook import Alert
from webhooks import in_hand

SAID: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    bigquery.ALERT: of_bigquery.alert,
    summaries.ALERT: lambda detail: of_summaries.alert(detail["problem"]),
    in_hand.ALERT: in_hand.alert,
}
"""Kind → its sentences from what was stored with it."""


def said(alert: Alert) -> str:
    """As it was stored where that is all there is: in a provider's words, or in those of another version."""
    try:
        return SAID[alert.kind](alert.detail)
    except KeyError:
        return alert.text
