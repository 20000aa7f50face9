"""What somebody, or a token, gets to by the table of routes."""

from bot.team.rights import Permission, Rights
from bot.team.routes import ROUTES, WITH_CONTACT, Door, Scope

SCOPES: tuple[Permission, ...] = tuple(
    each for each in Permission if each is Permission.PEOPLE_SEE_CONTACT or Scope(each) in ROUTES.values()
)
"""What a token of the API can be allowed."""


def may(rights: Rights, endpoint: str) -> bool:
    """Whether somebody with these rights, signed in, gets to the page."""
    rule = ROUTES.get(endpoint)
    if endpoint in WITH_CONTACT and Permission.PEOPLE_SEE_CONTACT not in rights:
        return False
    return rule in {Door.PUBLIC, Door.SIGNED_IN} or (isinstance(rule, Permission) and rule in rights)


def scopes_of(endpoint: str | None) -> tuple[Permission, ...]:
    """What a token must be allowed to get to this route of the API; () where the table has none, so that none do."""
    rule = ROUTES.get(endpoint or "")
    if not isinstance(rule, Scope):
        return ()
    return (rule.permission, Permission.PEOPLE_SEE_CONTACT) if endpoint in WITH_CONTACT else (rule.permission,)


def is_for_machines(endpoint: str | None) -> bool:
    """Whether the route proves itself, so that it has no session and answers its errors as JSON."""
    rule = ROUTES.get(endpoint or "")
    return rule is Door.MACHINE or isinstance(rule, Scope)
