"""Who may do what: the one table of every route there is. A route that is not in it is refused to everybody.

Add a line with the route; a test compares the table with the app's routes, both ways.
"""

from collections.abc import Mapping
from enum import StrEnum

from bot.models.words import Role


class Door(StrEnum):
    """Routes that no role opens."""

    PUBLIC = "public"
    """Anybody, signed in or not."""
    MACHINE = "machine"
    """Asks for its own proof: a signature or a bearer token. No cookie is read, so no CSRF token is asked for."""


ADMIN = frozenset({Role.ADMIN})
COACHES = frozenset({Role.ADMIN, Role.COACH})
MARKETERS = frozenset({Role.ADMIN, Role.MARKETER})
EVERYBODY = frozenset(Role)

ROUTES: Mapping[str, Door | frozenset[Role]] = {
    "static": Door.PUBLIC,
    "bootstrap.static": Door.PUBLIC,
    "healthz": Door.MACHINE,
    "webhooks.handshake": Door.MACHINE,
    "webhooks.receive": Door.MACHINE,
    "api.send_message": Door.MACHINE,
    "api.message_status": Door.MACHINE,
    "log_api.logs": Door.MACHINE,
    "why_api.why": Door.MACHINE,
    "merging_api.merge": Door.MACHINE,
    "profiles_api.create": Door.MACHINE,
    "profiles_api.show": Door.MACHINE,
    "profiles_api.change": Door.MACHINE,
    "profiles_api.notifications": Door.MACHINE,
    "wishes_api.show_preferences": Door.MACHINE,
    "wishes_api.choose": Door.MACHINE,
    "wishes_api.show_consent": Door.MACHINE,
    "wishes_api.tell": Door.MACHINE,
    "wishes_api.index": Door.MACHINE,
    "wishes_api.create_topic": Door.MACHINE,
    "wishes_api.change_topic": Door.MACHINE,
    "sign_in.form": Door.PUBLIC,
    "sign_in.submit": Door.PUBLIC,
    "sign_in.leave": EVERYBODY,
    "home.index": EVERYBODY,
    "account.index": EVERYBODY,
    "account.change_password": EVERYBODY,
    "inbox.index": COACHES,
    "inbox.rows": COACHES,
    "inbox.thread": COACHES,
    "inbox.live": COACHES,
    "inbox.reply": COACHES,
    "inbox.mark_read": COACHES,
    "inbox.close": COACHES,
    "inbox.reopen": COACHES,
    "media.show": COACHES,
    "media.fetch_again": COACHES,
    "people.show": EVERYBODY,
    "people.change": EVERYBODY,
    "people.change_attributes": EVERYBODY,
    "people.add_attribute": EVERYBODY,
    "people.switch": EVERYBODY,
    "people.add_address": EVERYBODY,
    "people.remove_address": EVERYBODY,
    "people.choose": EVERYBODY,
    "people.tell": EVERYBODY,
    "notifications.index": EVERYBODY,
    "notifications.show": EVERYBODY,
    "topics.index": EVERYBODY,
    "topics.add": MARKETERS,
    "topics.describe": MARKETERS,
    "topics.archive": MARKETERS,
    "topics.restore": MARKETERS,
    "why.show": EVERYBODY,
    "logs.index": EVERYBODY,
    "logs.export": EVERYBODY,
    "merging.show": MARKETERS,
    "merging.merge": MARKETERS,
    "reminders.index": EVERYBODY,
    "reminders.export": EVERYBODY,
    "reminders.add": EVERYBODY,
    "reminders.cancel": EVERYBODY,
    "journeys.index": EVERYBODY,
    "journeys.show": EVERYBODY,
    "team.index": ADMIN,
    "team.add": ADMIN,
    "team.reset": ADMIN,
    "team.change_role": ADMIN,
    "team.deactivate": ADMIN,
    "team.activate": ADMIN,
    "connections.index": ADMIN,
    "connections.show": ADMIN,
    "connections.live": ADMIN,
    "connections.reveal": ADMIN,
    "events.index": ADMIN,
    "events.export": ADMIN,
    "events.show": ADMIN,
    "events.body": ADMIN,
    "quarantine.index": ADMIN,
    "quarantine.export": ADMIN,
    "quarantine.replay_one": ADMIN,
    "quarantine.replay_like": ADMIN,
    "quarantine.dismiss": ADMIN,
    "quarantine.dismiss_like": ADMIN,
    "alerts.index": ADMIN,
    "alerts.export": ADMIN,
    "alerts.resolve": ADMIN,
    "erasure.show": ADMIN,
    "erasure.erase": ADMIN,
    "erasure.export": ADMIN,
    "erasure_api.erase": Door.MACHINE,
    "erasure_api.export": Door.MACHINE,
    "segments.index": MARKETERS,
    "segments.show": MARKETERS,
    "imports.new": MARKETERS,
    "imports.upload": MARKETERS,
    "imports.together": MARKETERS,
    "imports.together_live": MARKETERS,
    "imports.index": MARKETERS,
    "imports.show": MARKETERS,
    "imports.live": MARKETERS,
    "imports.original": MARKETERS,
    "imports.comments": MARKETERS,
    "templates.index": MARKETERS,
    "templates.export": MARKETERS,
    "templates.live": MARKETERS,
    "templates.fetch": MARKETERS,
    "broadcasts.index": MARKETERS,
    "recipients.index": MARKETERS,
    "recipients.export": MARKETERS,
    "recipients.broadcasts": MARKETERS,
    "broadcasts.new": MARKETERS,
    "broadcasts.create": MARKETERS,
    "broadcasts.show": MARKETERS,
    "broadcasts.live": MARKETERS,
    "broadcasts.gaps": MARKETERS,
    "broadcasts.launch": MARKETERS,
    "broadcasts.pause": MARKETERS,
    "broadcasts.resume": MARKETERS,
    "broadcasts.cancel": MARKETERS,
}


def may(role: Role, endpoint: str) -> bool:
    rule = ROUTES.get(endpoint)
    return rule is Door.PUBLIC or (isinstance(rule, frozenset) and role in rule)
