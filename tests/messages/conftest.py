import pytest

from bot.connections import connections, numbers
from bot.models.connection import Number
from bot.models.words import Environment
from bot.runtime import Runtime
from tests.harness import simulator as sim
from tests.harness.simulator import Simulator
from tests.messages.outboxes import TEMPLATE


@pytest.fixture
def line(live_rt: Runtime, simulator: Simulator) -> Number:
    """A number at the simulator, which asks no 24-hour window of it."""
    simulator.configure(
        numbers=[{"id": sim.NUMBER_ID, "waba_id": sim.WABA_ID, "display_phone_number": "1", "check_window": False}],
        templates=[{"waba_id": sim.WABA_ID, **TEMPLATE}],
    )
    with live_rt.transaction() as session:
        connection = connections.add(
            session,
            live_rt.settings.secret_key,
            slug="line",
            provider="cloud",
            account_id=sim.WABA_ID,
            base_url=f"{simulator.url}/v25.0",
            secrets={"access_token": sim.ACCESS_TOKEN, "app_secret": sim.APP_SECRET, "verify_token": sim.VERIFY_TOKEN},
        )
        return numbers.add(
            session,
            connection,
            environment=Environment.LIVE,
            provider_number_id=sim.NUMBER_ID,
            phone=sim.BUSINESS_PHONE,
            name="Line",
            pace_per_s=1000,
        )
