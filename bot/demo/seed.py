"""The demo: a connection to the simulator with one test number, a journey, a template and ten people to import."""

import json
import secrets
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.connections import connections, numbers
from bot.connections.secrets import open_sealed
from bot.journeys import loading
from bot.models.broadcast import Template
from bot.models.connection import Connection
from bot.models.words import Environment

SLUG = "demo"
ACCOUNT_ID = "100000000000001"
NUMBER_ID = "200000000000001"
PHONE = "+4915735985001"
TEMPLATE: dict[str, Any] = {
    "name": "course_starts",
    "language": "en_US",
    "category": "UTILITY",
    "status": "APPROVED",
    "parameter_format": "POSITIONAL",
    "components": [
        {
            "type": "BODY",
            "text": "Hi {{1}}, your course starts on {{2}}. See you there!",
            "example": {"body_text": [["Asha", "Monday"]]},
        },
        {"type": "BUTTONS", "buttons": [{"type": "QUICK_REPLY", "text": "I'll be there"}]},
    ],
}
PEOPLE = ("Asha", "Bruno", "Chen", "Dina", "Emre", "Fatou", "Goran", "Hana", "Ivo", "Jaya")


@dataclass(frozen=True, slots=True)
class DemoFiles:
    """What the demo leaves in the data folder."""

    simulator_config: Path
    people: Path


def seed(session: Session, secret_key: str, simulator: str) -> Connection:
    """Make the demo's rows unless they are there; its connection always points at `simulator`'s present address."""
    base_url = f"{simulator}/v25.0"
    found = session.scalar(select(Connection).where(Connection.slug == SLUG))
    if found is not None:
        found.base_url = base_url
        return found
    connection = connections.add(
        session,
        secret_key,
        slug=SLUG,
        provider="cloud",
        account_id=ACCOUNT_ID,
        base_url=base_url,
        secrets={name: secrets.token_hex(16) for name in ("access_token", "app_secret", "verify_token")},
    )
    numbers.add(
        session,
        connection,
        environment=Environment.TEST,
        provider_number_id=NUMBER_ID,
        phone=PHONE,
        name="Demo",
        pace_per_s=80,
    )
    session.add(Template(connection_id=connection.id, **TEMPLATE))
    journey = files("bot.demo").joinpath("welcome.yaml").read_text()
    loading.load(session, Environment.TEST, journey, "bot/demo/welcome.yaml")
    return connection


def write_files(folder: Path, connection: Connection, secret_key: str, webhook_url: str) -> DemoFiles:
    """The simulator's configuration (it holds secrets: 0600) and a CSV to try an import with."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    config, people = folder / "simulator.json", folder / "people.csv"
    opened = open_sealed(secret_key, connection.sealed_secrets)
    config.touch(mode=0o600)
    config.write_text(json.dumps(_simulator_config(opened, webhook_url), indent=2))
    rows = [f"{name.lower()}01,+49157359860{n:02},{name}" for n, name in enumerate(PEOPLE, start=1)]
    people.write_text("user_id,phone_number,first_name\n" + "\n".join(rows) + "\n")
    return DemoFiles(config, people)


def _simulator_config(opened: dict[str, str], webhook_url: str) -> dict[str, Any]:
    return {
        "accounts": [{"waba_id": ACCOUNT_ID, "callback_url": webhook_url, **opened}],
        "numbers": [
            {
                "id": NUMBER_ID,
                "waba_id": ACCOUNT_ID,
                "display_phone_number": PHONE,
                "verified_name": "Backchat demo",
            }
        ],
        "templates": [{"waba_id": ACCOUNT_ID, **TEMPLATE}],
    }
