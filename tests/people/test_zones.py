"""Everybody has a clock, and what it shows when is known, also on the days it is put on or back."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import phone
from bot.people.fields import time_zones
from bot.people.zones import at_wall, main_zone, zone_of

BERLIN = ZoneInfo("Europe/Berlin")
ZONES = st.sampled_from(sorted(time_zones())).map(ZoneInfo)


@pytest.mark.parametrize(
    "profile, country, zone",
    [
        ("Asia/Tokyo", "DE", "Asia/Tokyo"),
        (None, "DE", "Europe/Berlin"),
        ("Mars/Olympus", "EG", "Africa/Cairo"),
        (None, None, "Europe/Madrid"),
        (None, "ZZ", "Europe/Madrid"),
        (None, "US", "America/New_York"),
        (None, "BR", "America/Sao_Paulo"),
        (None, "PS", "Asia/Gaza"),
        (None, "AU", "Australia/Sydney"),
    ],
)
def test_a_clock_is_by_the_profile_else_by_the_country_else_the_workspaces(
    profile: str | None, country: str | None, zone: str
) -> None:
    assert zone_of(profile, country, "Europe/Madrid").key == zone


def test_every_country_with_numbers_has_a_zone() -> None:
    assert [country for country in phone.calling_codes() if main_zone(country) is None] == []


@pytest.mark.parametrize(
    "wall, instant",
    [
        ("2026-03-29 01:59", "2026-03-29 00:59"),
        ("2026-03-29 02:00", "2026-03-29 01:00"),  # 02:00 to 03:00 is left out
        ("2026-03-29 02:30", "2026-03-29 01:00"),
        ("2026-03-29 03:00", "2026-03-29 01:00"),
        ("2026-10-25 02:30", "2026-10-25 00:30"),  # 02:00 to 03:00 comes twice
        ("2026-10-25 03:00", "2026-10-25 02:00"),
    ],
)
def test_an_hour_that_is_left_out_is_its_end_and_one_that_comes_twice_is_its_first(wall: str, instant: str) -> None:
    assert at_wall(datetime.fromisoformat(wall), BERLIN) == datetime.fromisoformat(f"{instant}+00:00")


@given(st.integers(0, 46 * 365 * 24 * 60), ZONES)
def test_a_clock_shows_the_time_asked_for_or_the_first_minute_after_it(minute: int, zone: ZoneInfo) -> None:
    wall = datetime.fromisoformat("1990-01-01") + timedelta(minutes=minute)
    at = at_wall(wall, zone)

    shown = at.astimezone(zone).replace(tzinfo=None)
    assert at.tzinfo is UTC
    assert shown >= wall
    before = (at - timedelta(minutes=1)).astimezone(zone).replace(tzinfo=None)
    assert before < wall or shown == wall
