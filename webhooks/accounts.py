"""What webhooks tell of accounts, their templates and numbers, and of what people want to get from a business."""

from collections.abc import Iterable, Sequence

from sqlalchemy.orm import Session

from bot.connections import alerts, news
from bot.messages import consequences
from bot.people import consent
from bot.people.consent import Word
from bot.providers.events import AccountAlert, NumberChange, PreferenceChange, TemplateChange
from webhooks.placing import Item

CATEGORIES = {"marketing_messages": consent.MARKETING}
VALUES = {"stop": consent.STOP, "resume": consent.RESUME, "signup": consent.RESUME}
RESUMES = frozenset(word for word, value in VALUES.items() if value == consent.RESUME)


def apply(session: Session, items: Sequence[Item]) -> None:
    """Templates, numbers, alerts: rare, so one by one; items that are none of these cost nothing."""
    told = [item for item in items if isinstance(item.event, TemplateChange | NumberChange | AccountAlert)]
    # Two workers with news of the same rows take them in one order.
    for item in sorted(told, key=_place):
        match item.event:
            case TemplateChange() as change:
                _follow_template(session, item, change)
            case NumberChange() as change:
                news.follow_number(session, item.connection_id, change)
            case AccountAlert() as alert:
                alerts.tell(session, item.connection_id, alert, item.webhook_event_id)


def prefer(session: Session, changes: Iterable[tuple[PreferenceChange, int]]) -> None:
    """What people told WhatsApp they want, with the person of each."""
    consent.tell(
        session,
        [
            Word(
                person_id=person_id,
                category=CATEGORIES.get(change.category, change.category),
                value=VALUES.get(change.value, change.value),
                source="webhook",
                occurred_at=change.occurred_at,
                detail=change.detail,
            )
            for change, person_id in changes
        ],
    )


def _place(item: Item) -> tuple[int, str]:
    match item.event:
        case TemplateChange() as change:
            return 0, f"{change.name} {change.language}"
        case NumberChange():
            return 1, ""
        case _:
            return 2, ""


def _follow_template(session: Session, item: Item, change: TemplateChange) -> None:
    """What is still in force pauses the broadcasts under way; bad news are an alert as well."""
    template = news.follow_template(session, item.connection_id, change)
    told: news.Told = {
        "name": change.name,
        "language": change.language,
        "status": change.status,
        "reason": change.reason,
    }
    why = news.unsendable(**told)
    if why is not None and template.status == change.status:
        consequences.pause_for_template(session, template.id, why)
    text = news.bad_news(**told)
    if text is not None:
        kind = f"{news.KIND}.{change.status}"
        alert = AccountAlert(change.pointer, kind, "warning", text, dict(told), occurred_at=change.occurred_at)
        alerts.tell(session, item.connection_id, alert, item.webhook_event_id)
