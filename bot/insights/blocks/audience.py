"""Is our audience growing? Who wrote, where they are, and who asked for no more."""

from bot.insights import active, wishes
from bot.insights.asking import Question
from bot.insights.blocks.shapes import Answer, Block, Column, Figure, Kind, Part, Picture, Unit
from bot.language import later


def _active(question: Question) -> Answer:
    told = active.active(question)
    return Answer(
        [
            Figure("people", later("Active people"), Unit.PEOPLE, told.people),
            Figure("new", later("New"), Unit.PEOPLE, told.new),
            Figure("returning", later("Returning"), Unit.PEOPLE, told.people - told.new),
        ],
        [
            Column("day", later("Day"), Unit.DAY),
            Column("people", later("Active people"), Unit.PEOPLE),
            Column("new", later("New"), Unit.PEOPLE),
            Column("returning", later("Returning"), Unit.PEOPLE),
        ],
        [(row.day, row.people, row.new, row.returning) for row in told.rows],
    )


def _countries(question: Question) -> Answer:
    told = active.countries(question)
    everybody = sum(row.people for row in told)
    known = [row for row in told if row.country]
    return Answer(
        [
            Figure("countries", later("Countries"), Unit.COUNT, len(known)),
            Figure("most", later("Most people"), Unit.COUNTRY, known[0].country if known else None),
        ],
        [
            Column("country", later("Country"), Unit.COUNTRY),
            Column("people", later("Active people"), Unit.PEOPLE),
            Column("share", later("Share"), Unit.SHARE),
        ],
        [(row.country, row.people, row.people / everybody) for row in told],
    )


def _wishes(question: Question) -> Answer:
    told = wishes.wishes(question)
    return Answer(
        [
            Figure("opted_out", later("Opt-outs"), Unit.PEOPLE, sum(row.opted_out for row in told)),
            Figure("opted_in", later("Opt-ins"), Unit.PEOPLE, sum(row.opted_in for row in told)),
        ],
        [
            Column("day", later("Day"), Unit.DAY),
            Column("opted_out", later("Opt-outs"), Unit.PEOPLE),
            Column("opted_in", later("Opt-ins"), Unit.PEOPLE),
        ],
        [(row.day, row.opted_out, row.opted_in) for row in told],
    )


BLOCKS = (
    Block(
        "active",
        Part.AUDIENCE,
        later("Active people"),
        active.EXPLANATION,
        Picture(Kind.DAYS, ("returning", "new")),
        _active,
    ),
    Block(
        "countries",
        Part.AUDIENCE,
        later("Most active countries"),
        active.COUNTRIES_EXPLANATION,
        Picture(Kind.RANKS, ("people",)),
        _countries,
    ),
    Block(
        "wishes",
        Part.AUDIENCE,
        later("Opt-ins and opt-outs"),
        wishes.EXPLANATION,
        Picture(Kind.BESIDE, ("opted_out", "opted_in")),
        _wishes,
        heeds_number=False,
    ),
)
