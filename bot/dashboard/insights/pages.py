"""Pages: the four questions, one block and what is behind it, and the block as a file; all of one answer."""

from collections.abc import Iterable
from datetime import datetime

from flask import Blueprint, Response, abort, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot import runtime
from bot.dashboard import access, downloads, times
from bot.dashboard.insights import chosen, drawing, leading, wording
from bot.insights import choosing
from bot.insights.asking import InsightError, NotCountedYetError
from bot.insights.blocks import telling
from bot.insights.blocks.shapes import ASKED, Block
from bot.insights.blocks.table import BLOCKS
from bot.insights.blocks.telling import Told
from bot.insights.choosing import Choice
from bot.language import _
from bot.models.connection import Number
from bot.models.segment import Segment
from bot.team.rights import Permission

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
        choice = _choice()
        [told] = _told(choice, [block])
    except InsightError as error:
        abort(400, str(error))
    except NotCountedYetError as error:
        abort(503, str(error))
    period = choice.period
    header = [column.name for column in told.answer.columns]
    return downloads.csv(f"insights-{name}-{period.first}-{period.last}", header, told.answer.rows)


def _page(template: str, blocks: list[Block]) -> ResponseReturnValue:
    """What cannot be asked is said, beside the choices, in place of the blocks."""
    choice, told, problem, wait = None, [], None, None
    try:
        choice = _choice()
        told = _told(choice, blocks)
    except InsightError as error:
        problem = str(error)
    except NotCountedYetError as error:
        wait = str(error)
    answer = render_template(
        template,
        block=blocks[0],
        blocks=BLOCKS,
        told=told,
        choice=choice,
        problem=problem,
        wait=wait,
        given=request.args,
        asked=ASKED,
        draw=drawing.draw,
        wording=wording,
        leading=leading,
        periods=[(word, label) for word, (label, _made) in choosing.PERIODS.items()],
        against=[(word, label) for word, (label, _made) in choosing.AGAINST.items()],
        zone=times.zone().key,
        **_choices(),
    )
    return answer, 400 if problem else 200


def _block(name: str) -> Block:
    return BLOCKS.get(name) or abort(404)


def _told(choice: Choice, blocks: Iterable[Block]) -> list[Told]:
    with runtime.current().transaction() as tx:
        return list(telling.tell(tx, choice, blocks))


def _choice() -> Choice:
    me = access.operator()
    as_coach = None if Permission.TEAM_MANAGE in me.role else me.id
    today = datetime.now(times.zone()).date()
    choice = choosing.read(request.args, access.environment().value, today, as_coach)
    if choice.which.segment_id and Permission.SEGMENTS_READ not in me.role:
        raise InsightError(_("Your role does not look at segments: leave the segment out."), "segment")
    return choice


def _choices() -> dict[str, list[tuple[int, str]]]:
    with runtime.current().transaction() as tx:
        told = {"numbers": _named(tx, Number), "segments": []}
        if Permission.SEGMENTS_READ in access.operator().role:
            told["segments"] = _named(tx, Segment)
    return told


def _named(session: Session, of: type[Number | Segment]) -> list[tuple[int, str]]:
    query = select(of.id, of.name).where(of.environment == access.environment().value).order_by(of.name)
    return [(id_, name) for id_, name in session.execute(query)]
