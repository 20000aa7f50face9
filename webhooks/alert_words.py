"""What an alert says in its reader's language, where Backchat knows what it is about and not only how it was put."""

from collections.abc import Callable, Mapping
from typing import Any

from bot.connections import news
from bot.insights.bigquery import problems as of_bigquery
from bot.insights.bigquery import runs as bigquery
from bot.insights.summaries import problems as of_summaries
from bot.insights.summaries import runs as summaries
from bot.language import Say, translated
from bot.models.webhook import Alert
from bot.providers import cloud_alerts
from webhooks import in_hand

SAID: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    bigquery.ALERT: of_bigquery.alert,
    summaries.ALERT: lambda detail: of_summaries.alert(detail["problem"]),
    in_hand.ALERT: in_hand.alert,
}
"""Backchat's own by kind: their sentences from what was stored with it."""


def said(alert: Alert) -> str:
    """As it was stored where that is all there is: in a provider's words, or in those of another version."""
    try:
        return SAID[alert.kind](alert.detail) if alert.kind in SAID else _told(alert)
    except KeyError:
        return alert.text


def _told(alert: Alert) -> str:
    """What came in, read once more; only if that still says what it said then."""
    if _read(alert, str) != alert.text:
        return alert.text
    return _read(alert, translated) or alert.text


def _read(alert: Alert, say: Say) -> str | None:
    if alert.kind.startswith(f"{news.KIND}."):
        return news.bad_news(**alert.detail, say=say) if alert.detail else None
    return cloud_alerts.said(alert.kind, alert.detail, say)
