"""The webhook most tutorials build: parse, then read and save each row with the ORM, all inside the request."""

import os
from datetime import UTC, datetime
from typing import Any

from flask import Flask, request
from sqlalchemy import create_engine, select
from sqlalchemy.orm import Session

from bot.models.message import Message, StatusEvent
from bot.models.schema import MODULES  # noqa: F401 (its relationships name tables of every module)

LEVELS = {"sent": 1, "delivered": 2, "read": 3}


def create_app() -> Flask:
    app = Flask(__name__)
    engine = create_engine(os.environ["DATABASE_URL"], pool_size=16, max_overflow=0)

    @app.post("/webhooks/bare")
    def receive() -> tuple[str, int]:
        document = request.get_json(silent=True) or {}
        with Session(engine) as session, session.begin():
            for entry in document.get("entry", []):
                for change in entry["changes"]:
                    for status in change["value"].get("statuses", []):
                        _save(session, status)
        return "", 200

    return app


def _save(session: Session, status: dict[str, Any]) -> None:
    message = session.scalars(select(Message).where(Message.provider_message_id == status["id"])).first()
    if message is None:
        return
    at = datetime.fromtimestamp(int(status["timestamp"]), UTC)
    known = select(StatusEvent).where(
        StatusEvent.number_id == message.number_id,
        StatusEvent.provider_message_id == status["id"],
        StatusEvent.status == status["status"],
        StatusEvent.occurred_at == at,
    )
    if session.scalars(known).first() is None:
        session.add(
            StatusEvent(
                number_id=message.number_id,
                provider_message_id=status["id"],
                message_id=message.id,
                status=status["status"],
                occurred_at=at,
            )
        )
    message.delivery_level = max(message.delivery_level, LEVELS[status["status"]])
    setattr(message, f"{status['status']}_at", at)
