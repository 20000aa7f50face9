"""What an alert of the Cloud API says, from what came in: in English when it does, in its reader's language later."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from bot.language import Say
from bot.providers import cloud_account, cloud_numbers, cloud_statuses, cloud_templates
from bot.providers.cloud_items import ItemError

_SAID: Final[Mapping[str, Callable[[dict[str, Any], Say], str]]] = {
    "account_update": cloud_account.update_said,
    "account_alerts": cloud_account.alert_said,
    "security": cloud_account.security_said,
    "phone_number_quality_update": cloud_numbers.quality_said,
    "phone_number_name_update": cloud_numbers.name_said,
    "business_capability_update": cloud_numbers.capability_said,
    "errors": cloud_statuses.error_said,
    "template_category_update": cloud_templates.coming_said,
}
"""By how its kind begins."""


def said(kind: str, detail: dict[str, Any], say: Say) -> str | None:
    """None for what is none of these, or is not as it came in."""
    try:
        return _SAID[kind.partition(".")[0]](detail, say)
    except (KeyError, ItemError):
        return None
