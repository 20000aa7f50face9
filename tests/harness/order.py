"""Which files come first, so that no worker goes on alone with a long one while the others are done."""

from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]

LONGEST = (
    "gallery/test_every_page.py",
    "dashboard/test_pages.py",
    "host/test_postgres.py",
    "stories/test_stories.py",
    "stories/test_first_run.py",
    "messages/test_sender.py",
    "stories/test_broadcast_killed.py",
    "chaos/test_broadcast.py",
    "stories/test_refusals.py",
    "people/rules/test_rules.py",
    "webhooks/test_any_request.py",
    "providers/test_any_body.py",
    "dashboard/test_guard.py",
    "dashboard/test_masked_doors.py",
    "dashboard/test_single_sign_on.py",
    "dashboard/test_inbox_live.py",
    "host/test_processes.py",
    "stories/test_two_coaches.py",
    "stories/test_compose.py",
    "people/test_finding.py",
    "providers/test_cloud_property.py",
    "erasure/test_story.py",
    "chaos/test_silence.py",
    "media/test_story.py",
    "messages/test_machine.py",
    "host/test_house.py",
    "chaos/test_intake.py",
    "stories/test_providers.py",
    "stories/test_templates.py",
    "chaos/test_failpoints.py",
    "test_guards.py",
    "chaos/test_on_the_way.py",
    "stories/test_hostile_words.py",
    "stories/test_imports.py",
)
"""As measured, the longest first; renew it from `pytest --durations=0` when others have become long."""

PROCESSES = frozenset({"house", "empty_house", "line", "sent", "fresh", "simulator"})
"""Fixtures that start processes: the files that ask for them come next."""


def put_longest_first(items: list[pytest.Item]) -> None:
    rank = {TESTS / name: place for place, name in enumerate(LONGEST)}
    slow = {item.path for item in items if PROCESSES.intersection(getattr(item, "fixturenames", ()))}
    items.sort(key=lambda item: rank.get(item.path, len(rank) + (item.path not in slow)))
