"""A connection to the simulator, whose reviewers judge templates as a test says, and the form that goes to them."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.connections import connections
from bot.models.broadcast import Template
from bot.models.connection import Connection
from bot.runtime import Runtime
from tests import factories
from tests.dashboard.visitor import Page, Visitor
from tests.harness import simulator as harness
from tests.harness.simulator import Simulator

FORM: Mapping[str, Any] = {
    "name": "course_starts",
    "language": "en",
    "category": "UTILITY",
    "parameter_format": "POSITIONAL",
    "header_format": "",
    "body": "Hello {{1}}, your course starts on {{2}}.",
    "body.example.1": "Amina",
    "body.example.2": "Monday",
    "footer": "",
}


def connect(rt: Runtime, whatsapp: Simulator, slug: str = "line", provider: str = "cloud") -> Connection:
    secrets = {"access_token": harness.ACCESS_TOKEN, "app_secret": harness.APP_SECRET, "verify_token": "v"}
    url = f"{whatsapp.url}/v25.0"
    if provider == "360dialog":
        account = {"waba_id": "360", "access_token": "the-key", "dialect": "360dialog"}
        whatsapp.configure(accounts=[account])
        secrets, url = {"api_key": "the-key", "webhook_secret": "planted"}, whatsapp.url
    with rt.transaction() as session:
        made = connections.add(
            session,
            rt.settings.secret_key,
            slug=slug,
            provider=provider,
            account_id=harness.WABA_ID,
            base_url=url,
            secrets=secrets,
        )
        factories.make_number(session, made)
        return made


def there(whatsapp: Simulator) -> list[dict[str, Any]]:
    """The templates that the provider has."""
    found: list[dict[str, Any]] = whatsapp.control("config")["templates"]
    return found


def submit(visitor: Visitor, line: Connection, path: str = "/templates", **fields: Any) -> Any:
    visitor.get("/templates/new")
    return visitor.post(path, {**FORM, "connection": str(line.id), **fields})


def made(session: Session) -> Template:
    session.expire_all()
    return session.scalars(select(Template)).one()


def values(page: str) -> dict[str, str]:
    """What stands in the fields of a page."""
    return {field["name"]: field.get("value", "") for field in Page(page).all("input") if "name" in field}
