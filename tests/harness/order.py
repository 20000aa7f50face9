"""Which files come first, so that no worker goes on alone with a long one while the others are done."""

from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]

LONGEST = (
    "gallery/test_every_page.py",
    "dashboard/test_pages.py",
    "stories/test_stories.py",
    "stories/test_first_run.py",
    "stories/test_broadcast_killed.py",
    "stories/test_refusals.py",
    "chaos/test_many_kills.py",
    "chaos/test_power_cut.py",
    "chaos/test_broadcast.py",
    "chaos/test_intake.py",
    "broadcasts/test_import_faults.py",
    "chaos/test_two_pumps.py",
    "insights/bigquery/test_sending.py",
    "messages/test_sender.py",
    "host/test_postgres.py",
    "insights/bigquery/test_troubles.py",
    "dashboard/test_every_address.py",
    "dashboard/test_guard.py",
    "dashboard/test_masked_doors.py",
    "dashboard/test_single_sign_on.py",
    "dashboard/test_inbox_live.py",
    "stories/test_two_coaches.py",
    "stories/test_compose.py",
    "people/test_finding.py",
    "webhooks/test_any_request.py",
    "webhooks/test_pump.py",
    "webhooks/test_log_pages.py",
    "host/test_processes.py",
    "messages/test_sender_faults.py",
    "chaos/test_failpoints.py",
    "webhooks/test_intake.py",
    "erasure/test_story.py",
    "media/test_story.py",
    "host/test_house.py",
    "chaos/test_silence.py",
    "stories/test_providers.py",
    "stories/test_templates.py",
    "webhooks/test_deadly.py",
    "webhooks/test_recorder.py",
    "chaos/test_on_the_way.py",
    "providers/test_any_body.py",
    "insights/test_blocks.py",
    "test_guards.py",
    "stories/test_hostile_words.py",
    "stories/test_imports.py",
)
"""As measured, the longest first, slow ones among them; renew it from `pytest --durations=0` when others are long."""

PROCESSES = frozenset({"house", "empty_house", "line", "sent", "fresh", "simulator"})
"""Fixtures that start processes: the files that ask for them come next."""


def put_longest_first(items: list[pytest.Item]) -> None:
    rank = {TESTS / name: place for place, name in enumerate(LONGEST)}
    slow = {item.path for item in items if PROCESSES.intersection(getattr(item, "fixturenames", ()))}
    items.sort(key=lambda item: rank.get(item.path, len(rank) + (item.path not in slow)))
