"""Requests of machines pay nothing for what only browsers need."""

from flask import Flask

from bot.dashboard.access import MACHINES
from bot.team.permissions import is_for_machines


def test_every_address_of_a_machine_is_known_to_need_no_session(app: Flask) -> None:
    for rule in app.url_map.iter_rules():
        assert is_for_machines(rule.endpoint) == rule.rule.startswith(MACHINES), rule.rule
