"""Where a run goes from a step and which button an answer means: pure rules, no database."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.journeys.language import Spec, Step
from bot.people.phrases import LONGEST, normalise


@dataclass(frozen=True, slots=True)
class Turn:
    """The steps a run takes at once: up to and including the next question, or to the end; none if it is there."""

    steps: range
    waits: bool

    @property
    def rests_at(self) -> int:
        return self.steps.stop - 1


def turn_from(spec: Spec, first: int) -> Turn:
    steps = spec["steps"]
    for index in range(first, len(steps)):
        if "ask" in steps[index]:
            return Turn(range(first, index + 1), waits=True)
    return Turn(range(first, len(steps)), waits=False)


def buttons_of(run_id: int, index: int, step: Step) -> list[tuple[str, str]]:
    """(id, title) of a question's buttons; the id names run and step, so a tap on an old question is told apart."""
    return [(f"j:{run_id}:{index}:{place}", title) for place, title in enumerate(step["buttons"])]


def answer_to(buttons: Sequence[tuple[str, str]], body: str | None, choice: str | None) -> str | None:
    """The title of the button that was tapped, or whose title was typed; None if it is none of them."""
    said = normalise(body) if body and len(body) <= LONGEST else None
    by_id = (title for id_, title in buttons if id_ == choice)
    by_title = (title for _, title in buttons if said == normalise(title))
    return next(by_id, None) or next(by_title, None)
