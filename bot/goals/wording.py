"""What a behaviour is recognised by, in plain words."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from bot.language import _, later, ngettext
from bot.models.goals import Behaviour, BehaviourKind
from bot.people.rules import wording
from bot.people.rules.directory import Directory
from bot.people.rules.schema import Condition, load

KINDS: Final[Mapping[str, str]] = {
    BehaviourKind.KEYWORD: later("They write certain words"),
    BehaviourKind.STEP: later("They pass a step of a journey"),
    BehaviourKind.ATTRIBUTE: later("They reach an attribute"),
    BehaviourKind.EVENT: later("A program tells an event"),
    BehaviourKind.LINK: later("They follow a link"),
}
"""As a form offers them."""


def said(directory: Directory, behaviour: Behaviour) -> str:
    return _SAID[behaviour.kind](directory, behaviour.condition)


def _attribute(directory: Directory, condition: Mapping[str, Any]) -> str:
    asked = load(condition)
    return wording.sentence(directory, asked) if isinstance(asked, Condition) else ""


def _step(_directory: Directory, condition: Mapping[str, Any]) -> str:
    return _("Step %(step)s of the journey “%(name)s”", step=condition["step"], name=condition["journey"])


def _keyword(_directory: Directory, condition: Mapping[str, Any]) -> str:
    words = condition["words"]
    told = ", ".join(_("“%(word)s”", word=each) for each in words)
    return ngettext("The word %(words)s", "One of the words %(words)s", len(words), words=told)


def _event(_directory: Directory, condition: Mapping[str, Any]) -> str:
    return _("The event “%(name)s”", name=condition["event"])


def _link(_directory: Directory, condition: Mapping[str, Any]) -> str:
    return _("The link “%(name)s”", name=condition["link"])


_SAID: Final[Mapping[str, Callable[[Directory, Mapping[str, Any]], str]]] = {
    BehaviourKind.ATTRIBUTE: _attribute,
    BehaviourKind.STEP: _step,
    BehaviourKind.KEYWORD: _keyword,
    BehaviourKind.EVENT: _event,
    BehaviourKind.LINK: _link,
}
