"""Rows of messages with files, as the intake makes them."""

from typing import Any

from sqlalchemy.orm import Session

from bot.connections import connections, numbers
from bot.media import claims
from bot.models.connection import Number
from bot.models.message import Media
from bot.models.words import Environment, MediaState
from bot.settings import Settings
from tests.factories import make_inbound, make_person, next_phone
from tests.harness import simulator as harness
from tests.harness.simulator import Simulator


def make_line(session: Session, settings: Settings, simulator: Simulator, slug: str = "line") -> Number:
    """A number under a connection to the simulator."""
    connection = connections.add(
        session,
        settings.secret_key,
        slug=slug,
        provider="cloud",
        account_id=harness.WABA_ID,
        base_url=f"{simulator.url}/v25.0",
        secrets={
            "access_token": harness.ACCESS_TOKEN,
            "app_secret": harness.APP_SECRET,
            "verify_token": harness.VERIFY_TOKEN,
        },
    )
    return numbers.add(
        session,
        connection,
        environment=Environment.LIVE,
        provider_number_id=harness.NUMBER_ID if slug == "line" else f"{harness.NUMBER_ID}-{slug}",
        phone=next_phone(),
        name="Helpline",
    )


def make_media(session: Session, number: Number, media_id: str | None, kind: str = "image", **columns: Any) -> Media:
    message = make_inbound(session, make_person(session, environment=number.environment), number)
    message.kind = kind
    columns = {"state": MediaState.WAITING} | columns
    found = Media(message_id=message.id, number_id=number.id, provider_media_id=media_id, **columns)
    session.add(found)
    session.flush()
    return found


def claim_all(session: Session) -> list[claims.Claimed]:
    found = []
    while claimed := claims.claim(session, ()):
        found.append(claimed)
    return found
