"""A connection to the simulator, whose reviewers judge templates as a test says."""

from typing import Any

from bot.connections import connections
from bot.models.connection import Connection
from bot.runtime import Runtime
from tests import factories
from tests.harness import simulator as harness
from tests.harness.simulator import Simulator


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
