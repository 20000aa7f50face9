"""Are we making an impact? The goals that were set up, with who started and who completed each."""

from bot.goals import goals
from bot.insights import impact
from bot.insights.asking import Question
from bot.insights.blocks.shapes import Answer, Block, Column, Figure, Kind, Part, Picture, Unit
from bot.language import later


def _goals(question: Question) -> Answer:
    every = goals.every(question.session, question.which.environment)
    found = impact.impacts(question.session, every, question.period, question.which)
    told = sorted(found, key=lambda each: -each.completed)
    return Answer(
        [
            Figure("completed", later("Completed, over all goals"), Unit.PEOPLE, sum(each.completed for each in told)),
            Figure("started", later("Started, over all goals"), Unit.PEOPLE, sum(each.started for each in told)),
        ],
        [
            Column("goal_id", later("Number"), Unit.ID),
            Column("name", later("Goal"), Unit.NAME),
            Column("started", later("Started"), Unit.PEOPLE),
            Column("completed", later("Completed"), Unit.PEOPLE),
            Column("share", later("Of those who started"), Unit.SHARE),
            Column("median_s", later("Half took less than"), Unit.SECONDS),
        ],
        [
            (each.asked.goal.id, each.asked.goal.name, each.started, each.completed, each.share, each.median_s)
            for each in told
        ],
    )


BLOCKS = (
    Block(
        "goals",
        Part.IMPACT,
        later("Goals"),
        impact.EXPLANATION,
        Picture(Kind.RANKS, ("completed",)),
        _goals,
        nothing=later(
            "A goal is something you hope people will do, as to finish a course: say what they do first and what they"
            " have done in the end, and here stands how many do."
        ),
    ),
)
