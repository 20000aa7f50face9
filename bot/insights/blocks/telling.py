"""A block's answers for a period and for the one it is compared with, asked in one transaction."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sqlalchemy.orm import Session

from bot.insights.asking import Question
from bot.insights.blocks.shapes import Answer, Block, Figure
from bot.insights.choosing import Choice


@dataclass(frozen=True, slots=True)
class Told:
    block: Block
    answer: Answer
    earlier: Answer | None
    """Of the period that is compared with, if there is one."""

    def before(self, figure: Figure) -> Figure | None:
        """What the figure was then; None also for what is as of now."""
        if self.earlier is None or figure.is_now:
            return None
        return next((each for each in self.earlier.figures if each.name == figure.name), None)


def tell(session: Session, choice: Choice, blocks: Iterable[Block]) -> Iterator[Told]:
    """Raises InsightError or NotCountedYetError before the first."""
    now = Question(session, choice.period, choice.which)
    then = None if choice.compared is None else Question(session, choice.compared, choice.which, now.people)
    for block in blocks:
        yield Told(block, block.ask(now), None if then is None else block.ask(then))
