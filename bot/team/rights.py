"""What somebody may do: permissions by name, the roles that are sets of them, and sets that a team makes itself."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from bot.language import later, translated
from bot.models.team import Invitation, Operator
from bot.models.words import Role


class Permission(StrEnum):
    """One thing a route asks of a team member, and one scope of an API token."""

    PEOPLE_READ = "people.read"
    PEOPLE_SEE_CONTACT = "people.see_contact"
    PEOPLE_UNMASK = "people.unmask"
    PEOPLE_CHANGE = "people.change"
    PEOPLE_MERGE = "people.merge"
    PEOPLE_EXPORT = "people.export"
    PEOPLE_ERASE = "people.erase"
    DATA_EXPORT = "data.export"
    FIELDS_CHANGE = "fields.change"
    SEGMENTS_READ = "segments.read"
    SEGMENTS_CHANGE = "segments.change"
    IMPORTS_RUN = "imports.run"
    INBOX_READ = "inbox.read"
    INBOX_REPLY = "inbox.reply"
    MESSAGES_SEND = "messages.send"
    REMINDERS_CHANGE = "reminders.change"
    JOURNEYS_READ = "journeys.read"
    LOGS_READ = "logs.read"
    INSIGHTS_READ = "insights.read"
    GOALS_CHANGE = "goals.change"
    SUMMARIES_CHANGE = "summaries.change"
    TEMPLATES_READ = "templates.read"
    TEMPLATES_CHANGE = "templates.change"
    BROADCASTS_READ = "broadcasts.read"
    BROADCASTS_CHANGE = "broadcasts.change"
    BROADCASTS_LAUNCH = "broadcasts.launch"
    POLICY_CHANGE = "policy.change"
    CONNECTIONS_MANAGE = "connections.manage"
    TEAM_MANAGE = "team.manage"
    AUDIT_READ = "audit.read"


SAID: Mapping[Permission, str] = {
    Permission.PEOPLE_READ: later("Look at people, what they want and what was sent to them"),
    Permission.PEOPLE_SEE_CONTACT: later("See phone numbers and e-mail addresses in full"),
    Permission.PEOPLE_UNMASK: later("See them of one person, with a reason that is written down"),
    Permission.PEOPLE_CHANGE: later("Add people and change their profiles"),
    Permission.PEOPLE_MERGE: later("Make one profile of two"),
    Permission.PEOPLE_EXPORT: later("Take lists of people along as files"),
    Permission.PEOPLE_ERASE: later("Erase somebody, and hand out all that is kept about them"),
    Permission.DATA_EXPORT: later("Take all raw data along for warehouses"),
    Permission.FIELDS_CHANGE: later("Change attributes, topics and stop words"),
    Permission.SEGMENTS_READ: later("Look at segments"),
    Permission.SEGMENTS_CHANGE: later("Make and change segments"),
    Permission.IMPORTS_RUN: later("Import lists, and undo imports"),
    Permission.INBOX_READ: later("Read conversations"),
    Permission.INBOX_REPLY: later("Answer, close and reopen conversations"),
    Permission.MESSAGES_SEND: later("Send single messages (for programs)"),
    Permission.REMINDERS_CHANGE: later("Add and cancel reminders"),
    Permission.JOURNEYS_READ: later("Look at journeys"),
    Permission.LOGS_READ: later("Look through the log of sends"),
    Permission.INSIGHTS_READ: later("Look at Insights"),
    Permission.GOALS_CHANGE: later("Make and change goals"),
    Permission.SUMMARIES_CHANGE: later("Have summaries of Insights sent by e-mail and to chats"),
    Permission.TEMPLATES_READ: later("Look at templates"),
    Permission.TEMPLATES_CHANGE: later("Make and change templates"),
    Permission.BROADCASTS_READ: later("Look at broadcasts and their results"),
    Permission.BROADCASTS_CHANGE: later("Prepare broadcasts and keep the rates"),
    Permission.BROADCASTS_LAUNCH: later("Launch, approve, pause and cancel broadcasts"),
    Permission.POLICY_CHANGE: later("Change what broadcasts have to keep to"),
    Permission.CONNECTIONS_MANAGE: later("Connections, webhooks, quarantine and alerts"),
    Permission.TEAM_MANAGE: later("The team, its permissions and API tokens"),
    Permission.AUDIT_READ: later("Read the audit log"),
}

_P = Permission
_EVERYBODY = {_P.PEOPLE_READ, _P.JOURNEYS_READ, _P.LOGS_READ, _P.INSIGHTS_READ}
_CONTACT = {_P.PEOPLE_SEE_CONTACT, _P.PEOPLE_UNMASK, _P.PEOPLE_CHANGE, _P.REMINDERS_CHANGE}

ROLES: Mapping[Role, frozenset[Permission]] = {
    Role.ADMIN: frozenset(Permission),
    Role.COACH: frozenset({*_EVERYBODY, *_CONTACT, _P.INBOX_READ, _P.INBOX_REPLY}),
    Role.MARKETER: frozenset(
        {
            *_EVERYBODY,
            *_CONTACT,
            _P.PEOPLE_MERGE,
            _P.PEOPLE_EXPORT,
            _P.FIELDS_CHANGE,
            _P.SEGMENTS_READ,
            _P.SEGMENTS_CHANGE,
            _P.GOALS_CHANGE,
            _P.SUMMARIES_CHANGE,
            _P.IMPORTS_RUN,
            _P.TEMPLATES_READ,
            _P.TEMPLATES_CHANGE,
            _P.BROADCASTS_READ,
            _P.BROADCASTS_CHANGE,
            _P.BROADCASTS_LAUNCH,
        }
    ),
    Role.VIEWER: frozenset(
        {*_EVERYBODY, _P.PEOPLE_UNMASK, _P.SEGMENTS_READ, _P.INBOX_READ, _P.TEMPLATES_READ, _P.BROADCASTS_READ}
    ),
}


NAMES: Mapping[str, str] = {
    Role.ADMIN: later("admin"),
    Role.COACH: later("coach"),
    Role.MARKETER: later("marketer"),
    Role.VIEWER: later("viewer"),
}


def named(role: object) -> str:
    """A role as a page says it; a set of the team's own is called as they call it."""
    word = str(role)
    return translated(NAMES[word]) if word in NAMES else word


@dataclass(frozen=True, slots=True)
class Rights:
    """A role that is built in or a set of the team's own, by its name."""

    name: str
    permissions: frozenset[Permission]

    def __contains__(self, permission: object) -> bool:
        return permission in self.permissions

    def __str__(self) -> str:
        return self.name


def of(operator: Operator | Invitation) -> Rights:
    """Asked anew at each request, so that a change of a set or of somebody's role takes hold at once."""
    if operator.permission_set is not None:
        return Rights(operator.permission_set.name, known(operator.permission_set.permissions))
    return of_role(Role(operator.role or Role.VIEWER))


def of_role(role: Role) -> Rights:
    return Rights(role.value, ROLES[role])


def known(words: Iterable[str]) -> frozenset[Permission]:
    """Without those that an older or a newer Backchat has and this one does not."""
    return frozenset(Permission(word) for word in words if word in _WORDS)


_WORDS = frozenset(Permission)
