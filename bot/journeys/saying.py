"""What runs say: steps become messages, in order, with each person's values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.goals import noticing
from bot.goals.noticing import Passed
from bot.journeys import runs
from bot.journeys.language import Step
from bot.journeys.turns import buttons_of
from bot.messages.compose import Author, Draft, buttons_content, compose, text_content
from bot.messages.personalise import PlaceholderError, render
from bot.models.connection import Number
from bot.models.message import Message
from bot.models.words import AuthorKind
from bot.people.values import load_values

LONGEST_QUESTION: Final = 1024
"""Characters WhatsApp takes in a message with buttons (Cloud API)."""


@dataclass(frozen=True, slots=True)
class Line:
    """One step that a run says to somebody; `again` when the answer to it was none of the buttons."""

    run_id: int
    journey_id: int
    person_id: int
    cause_message_id: int
    index: int
    step: Step
    again: bool = False

    @property
    def source_key(self) -> str:
        return f"j:{self.run_id}:{self.index}{':again' if self.again else ''}"


def say(session: Session, number: Number, lines: Sequence[Line]) -> int:
    """Compose the lines' messages; how many. A run with a line too long for its person says nothing, and fails."""
    if not lines:
        return 0
    values = load_values(session, [line.person_id for line in lines])
    drafts: list[tuple[Line, Draft]] = []
    failed: set[int] = set()
    for line in lines:
        try:
            drafts += [(line, draft) for draft in _draft(line, values.get(line.person_id, {}))]
        except PlaceholderError:
            failed.add(line.run_id)
    runs.fail(session, failed)
    sent = [(line, draft) for line, draft in drafts if line.run_id not in failed]
    authors = [Author(AuthorKind.STACK, line.journey_id) for line, _ in sent]
    compose(session, number, authors, [draft for _, draft in sent])
    now = datetime.now(UTC)
    told = [line for line, _ in sent if "say" in line.step]
    passed = [Passed(line.person_id, line.journey_id, number.id, {line.index}, now) for line in told]
    noticing.passed(session, number.environment, passed)
    return len(sent)


def not_yet_repeated(session: Session, lines: Sequence[Line]) -> list[Line]:
    """Questions are repeated once, so that nobody talks with a parrot."""
    if not lines:
        return []
    keys = [line.source_key for line in lines]
    repeated = set(session.scalars(select(Message.source_key).where(Message.source_key.in_(keys))))
    return [line for line in lines if line.source_key not in repeated]


def _draft(line: Line, values: Mapping[str, str]) -> list[Draft]:
    """Nothing for a message that is blank without a value: WhatsApp takes no empty one."""
    if "say" in line.step:
        text = render(line.step["say"], values).text.strip()
        return [_made(line, "text", text, text_content(text))] if text else []
    template = line.step.get("otherwise", line.step["ask"]) if line.again else line.step["ask"]
    text = render(template, values).text.strip()
    if not 0 < len(text) <= LONGEST_QUESTION:
        raise PlaceholderError("The question is blank or too long with this person's values.")
    content = buttons_content(text, buttons_of(line.run_id, line.index, line.step))
    return [_made(line, "interactive", text, content)]


def _made(line: Line, kind: str, text: str, content: Mapping[str, Any]) -> Draft:
    return Draft(line.person_id, kind, content, text, line.source_key, line.cause_message_id)
