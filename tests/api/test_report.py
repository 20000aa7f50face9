"""The team's numbers for programs."""

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from bot.team import tokens
from tests.factories import make_conversation, make_number, make_person


@pytest.fixture
def bearer(session: Session) -> dict[str, str]:
    _, secret = tokens.create(session, "live", "charts")
    make_conversation(session, make_person(session), make_number(session))
    session.commit()
    return {"Authorization": f"Bearer {secret}"}


def test_a_program_is_told_days_figures_and_coaches(client: FlaskClient, bearer: dict[str, str]) -> None:
    told = client.get("/api/v1/team/report?since=2025-01-01&until=2027-01-01", headers=bearer).get_json()
    assert (told["period"]["first"], told["period"]["time_zone"]) == ("2025-01-01", "UTC")
    assert told["period"]["first_response"] == {"count": 0, "median": None, "p90": None}
    assert (told["before"]["last"], told["before"]["opened"]) == ("2024-12-31", 0)
    assert (told["waiting"], told["coaches"]) == ({"count": 0, "since": None}, [])


@pytest.mark.parametrize(
    "query, field",
    [
        ("", "since"),
        ("since=2030-02-30&until=2030-03-01", "since"),
        ("since=20300301&until=2030-03-01", "since"),
        ("since=2030-03-02&until=2030-03-01", "until"),
        ("since=2020-03-02&until=2030-03-01", "until"),
        ("since=2030-03-01&until=2030-03-01&label=-1", "label"),
    ],
)
def test_what_cannot_be_asked_is_refused_by_name(
    client: FlaskClient, bearer: dict[str, str], query: str, field: str
) -> None:
    answer = client.get(f"/api/v1/team/report?{query}", headers=bearer)
    assert (answer.status_code, answer.get_json()["error"]["field"]) == (400, field)
