"""The school's lines to WhatsApp: what came in over them, what could not be read, and what the provider warned of."""

from datetime import UTC, datetime, timedelta

import orjson
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.connections import connections, numbers
from bot.models.connection import Connection, Number
from bot.models.webhook import Quarantine, WebhookEvent
from bot.runtime import Runtime
from tests.gallery.school import LIVE, School
from tests.webhooks.conftest import NUMBER_ID, SECRETS, Line, contact, envelope, text_message

SLUG = "lingua"
PHONE = "+4930901820"


def connect(rt: Runtime) -> int:
    """Id of the number."""
    with rt.transaction() as session:
        for slug, provider in ((SLUG, "cloud"), ("summer-school", "360dialog")):
            names = {"cloud": SECRETS, "360dialog": {"api_key": "the-key", "webhook_secret": "planted"}}
            connection = connections.add(
                session,
                rt.settings.secret_key,
                slug=slug,
                provider=provider,
                account_id="102290129340398",
                base_url="http://127.0.0.1:9/v25.0",
                secrets=names[provider],
            )
            if slug == SLUG:
                number = _number(session, connection)
        return number.id


def _number(session: Session, connection: Connection) -> Number:
    number = numbers.add(
        session,
        connection,
        environment=LIVE,
        provider_number_id=NUMBER_ID,
        phone=PHONE,
        name="Lingua",
    )
    number.pace_per_s = 80
    return number


def ring(rt: Runtime, app: Flask, school: School) -> None:
    """A message, a report, a body nobody can read and a warning, as webhooks that are signed and applied."""
    line = Line(rt, app, app.test_client(), school.number.id, school.number.connection_id, SLUG)
    line.tell(text_message("שלום", sender="972501234608"), contacts=[contact("972501234608", "Shira")])
    line.tell(statuses=[{"id": "wamid.gone", "status": "delivered", "timestamp": "1780000000", "recipient_id": "1"}])
    line.post(orjson.dumps(envelope(messages=[{"id": "wamid.odd", "type": "text", "text": "not an object"}])))
    line.post(orjson.dumps(envelope("999999999999", messages=[text_message("hello?")])))
    line.post(b"{ this is no JSON")
    line.apply()
    line.post(orjson.dumps(_alert()))
    line.apply()
    with rt.transaction() as session:
        school.ids["event_id"] = session.scalars(select(WebhookEvent.id).order_by(WebhookEvent.id)).first() or 0
        odd = session.scalars(select(Quarantine.webhook_event_id).order_by(Quarantine.id)).first()
        school.ids["odd_event_id"] = odd or 0


def _alert() -> dict[str, object]:
    at = int((datetime.now(UTC) - timedelta(hours=2)).timestamp())
    value = {
        "entity_type": "PHONE_NUMBER",
        "entity_id": NUMBER_ID,
        "alert_severity": "CRITICAL",
        "alert_status": "ACTIVE",
        "alert_type": "PROFILE_PICTURE_LOST",
        "alert_description": "The picture of the profile is gone: upload it again.",
    }
    change = {"field": "account_alerts", "value": value}
    return {
        "object": "whatsapp_business_account",
        "entry": [{"id": "102290129340398", "time": at, "changes": [change]}],
    }
