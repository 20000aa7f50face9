"""Pages: the four questions, one block and what is behind it, and the block as a file; all of one answer."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date

from flask import Blueprint, Response, abort, render_template
from flask.typing import ResponseReturnValue

from bot import runtime
from bot.dashboard import downloads
from bot.dashboard.insights import chosen, drawing, leading, wording
from bot.dashboard.insights.remarks import remarks
from bot.insights import beginning
from bot.insights.asking import InsightError, NotCountedYetError, Question
from bot.insights.blocks import telling
from bot.insights.blocks.shapes import ASKED, Block
from bot.insights.blocks.table import BLOCKS
from bot.insights.blocks.telling import Told
from bot.insights.choosing import Choice

pages = Blueprint("insights", __name__)
chosen.keep(pages)


@pages.get("/insights")
def index() -> ResponseReturnValue:
    return _page("dashboard/insights/index.html", [block for block in BLOCKS.values() if not block.above])


@pages.get("/insights/<name>")
def show(name: str) -> ResponseReturnValue:
    return _page("dashboard/insights/block.html", [_block(name)])


@pages.get("/insights/<name>.csv")
def export(name: str) -> Response:
    block = _block(name)
    try:
        choice = chosen.read()
        [told] = _told(choice, [block])
    except InsightError as error:
        abort(400, chosen.said(error))
    except NotCountedYetError as error:
        abort(503, str(error))
    period = choice.period
    whose = "" if block.heeds_number or choice.which.number_id is None else "-all-numbers"
    header = [column.name for column in told.answer.columns]
    return downloads.csv(f"insights-{name}-{period.first}-{period.last}{whose}", header, told.answer.rows)


def _page(template: str, blocks: list[Block]) -> ResponseReturnValue:
    """What cannot be asked is said, beside the choices, in place of the blocks."""
    choice, told, first, problem, wait = None, [], None, None, None
    try:
        choice = chosen.read()
        told, first = _told(choice, blocks), _first_day(choice)
    except InsightError as error:
        problem = chosen.said(error)
    except NotCountedYetError as error:
        wait = str(error)
    with runtime.current().transaction() as tx:
        offered = chosen.offered(tx)
    answer = render_template(
        template,
        block=blocks[0],
        blocks=BLOCKS,
        told=told,
        choice=choice,
        remarks=list(remarks(choice, wording.today(), first)) if choice else [],
        is_silent=bool(told) and first is None,
        problem=problem,
        wait=wait,
        asked=ASKED,
        draw=drawing.draw,
        leading=leading,
        **offered,
    )
    return answer, 400 if problem else 200


def _block(name: str) -> Block:
    return BLOCKS.get(name) or abort(404)


def _first_day(choice: Choice) -> date | None:
    which = replace(choice.which, segment_id=None)
    with runtime.current().transaction() as tx:
        return beginning.first_day(Question(tx, choice.period, which))


def _told(choice: Choice, blocks: Iterable[Block]) -> list[Told]:
    with runtime.current().transaction() as tx:
        return list(telling.tell(tx, choice, blocks))
