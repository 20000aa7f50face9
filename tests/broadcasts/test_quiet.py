"""Nobody is written to in quiet hours, by their own clock, whatever is done to it that night."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.people.fields import time_zones
from broadcasts.audience.quiet import QuietHours

MINUTE = timedelta(minutes=1)
NIGHT = QuietHours(time(21), time(8))


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}+00:00")


@pytest.mark.parametrize(
    "zone, now, begins, ends",
    [
        ("UTC", "2026-05-01 12:00", "2026-05-01 12:00", "2026-05-01 21:00"),
        ("UTC", "2026-05-01 21:00", "2026-05-02 08:00", "2026-05-02 21:00"),
        ("UTC", "2026-05-01 07:59", "2026-05-01 08:00", "2026-05-01 21:00"),
        ("Asia/Tokyo", "2026-05-01 13:00", "2026-05-01 23:00", "2026-05-02 12:00"),
        ("Europe/Berlin", "2026-03-29 00:30", "2026-03-29 06:00", "2026-03-29 19:00"),  # the clock is put on
        ("Europe/Berlin", "2026-10-25 00:30", "2026-10-25 07:00", "2026-10-25 20:00"),  # and back
    ],
)
def test_who_is_in_quiet_hours_waits_for_their_end(zone: str, now: str, begins: str, ends: str) -> None:
    assert NIGHT.free(at(now), ZoneInfo(zone)) == (at(begins), at(ends))


def test_quiet_hours_that_end_in_an_hour_that_comes_twice_end_both_times() -> None:
    short = QuietHours(time(0), time(2, 30))

    assert short.free(at("2026-10-25 01:10"), ZoneInfo("Europe/Berlin"))[0] == at("2026-10-25 01:30")


CLOCKS = st.builds(time, st.integers(0, 23), st.integers(0, 59))
MINUTES = st.integers(0, 36 * 365 * 24 * 60).map(lambda minute: datetime(2000, 1, 1, tzinfo=UTC) + minute * MINUTE)


@given(
    CLOCKS,
    CLOCKS,
    MINUTES,
    st.sampled_from(sorted(time_zones())).map(ZoneInfo),
)
def test_the_free_time_found_is_ahead_and_outside_the_quiet_hours(
    begins: time, ends: time, now: datetime, zone: ZoneInfo
) -> None:
    hours = QuietHours(begins, ends)
    if begins == ends:
        return

    start, end = hours.free(now, zone)

    assert now <= start < end
    assert not hours.are_now(start.astimezone(zone).time())
