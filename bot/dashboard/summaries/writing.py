"""What a summary says: the page's figures in its words, as a mail in two forms and as a chat's text."""

from collections.abc import Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formatdate
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from flask import Flask, render_template
from itsdangerous import BadSignature, URLSafeSerializer
from sqlalchemy.orm import Session

from bot.dashboard import languages, times
from bot.dashboard.insights import wording
from bot.insights.asking import Filter, Period
from bot.insights.blocks import telling
from bot.insights.blocks.shapes import ASKED, Kind, Part
from bot.insights.blocks.table import BLOCKS
from bot.insights.blocks.telling import Told
from bot.insights.choosing import Choice
from bot.language import _, translated
from bot.models.summary import Summary, SummaryRun
from bot.settings import Settings

ROOT: Final = Path(__file__).parents[3]
RANKS: Final = 5
"""So many rows of what is a ranking on the page."""


@dataclass(frozen=True, slots=True)
class Shown:
    label: str
    value: str
    change: str
    """Against the period before; empty if there is nothing to say."""


@dataclass(frozen=True, slots=True)
class Section:
    title: str
    figures: Sequence[Shown]
    """The first is the big one."""
    ranks: Sequence[tuple[str, str]]
    """What a row is about, and its count."""


@dataclass(frozen=True, slots=True)
class Written:
    title: str
    days: str
    zone: str
    parts: Sequence[tuple[str, Sequence[Section]]]
    """By question; one without a block is left out."""
    page: str
    stop: str
    """Addresses: of the figures, and of where to have no more of it."""


def make_app(settings: Settings) -> Flask:
    """Enough of the application to speak the languages of its pages, for a process that answers nobody."""
    app = Flask("summaries", root_path=str(ROOT), static_folder=None)
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = "bot/translations"
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    languages.init(app)
    times.init(app, settings.time_zone)
    return app


def write(session: Session, settings: Settings, summary: Summary, run: SummaryRun) -> Written:
    """In the language being spoken; raises NotCountedYetError."""
    period = Period(run.first, run.last)
    choice = Choice(period, period.before, Filter(summary.environment), "", "")
    told = list(telling.tell(session, choice, [block for block in BLOCKS.values() if not block.above]))
    parts = [(translated(ASKED[part]), [_section(each) for each in told if each.block.part == part]) for part in Part]
    return Written(
        _("Insights (Test)") if summary.environment == "test" else _("Insights"),
        wording.days(period, lambda day: languages.written(day, _("d MMM y"))),
        settings.time_zone,
        [(question, sections) for question, sections in parts if sections],
        f"{settings.base_url}/insights?environment={summary.environment}&since={run.first}&until={run.last}",
        f"{settings.base_url}/summaries/stop/{stop_word(settings, summary.id)}",
    )


def letter(settings: Settings, place: str, written: Written, run: SummaryRun) -> EmailMessage:
    """With the same Message-ID at each attempt, so that one that went out twice is one to a mail program."""
    message = EmailMessage()
    message["Subject"] = f"{written.title}: {written.days}"
    message["From"], message["To"] = settings.mail_from, place
    message["Date"] = formatdate()
    message["Message-ID"] = f"<summary-{run.id}@{urlsplit(settings.base_url).hostname}>"
    message["List-Unsubscribe"] = f"<{written.stop}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(render_template("dashboard/summaries/mail.txt", written=written))
    html = render_template("dashboard/summaries/mail.html", written=written, language=str(languages.locale()))
    message.add_alternative(html, subtype="html")
    return message


def chat_text(written: Written) -> str:
    """`*bold*` and `<`, `>`, `&` are all that chats read as more than text."""
    said = render_template("dashboard/summaries/chat.txt", written=written)
    return said.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def stop_word(settings: Settings, summary_id: int) -> str:
    """Whoever has it may stop this one summary, signed in or not."""
    return str(_serializer(settings).dumps(summary_id))


def stopped_by(settings: Settings, word: str) -> int | None:
    """The summary's id; None if the word is not of our making."""
    try:
        return int(_serializer(settings).loads(word))
    except BadSignature:
        return None


def _section(told: Told) -> Section:
    figures = []
    for each in told.answer.figures:
        before = told.before(each)
        change = wording.change(each, before) if before else _("as of now") if each.is_now else ""
        figures.append(Shown(translated(each.label), wording.say(each.value, each.unit), change))
    is_ranked = told.block.picture.kind is Kind.RANKS
    rows = told.answer.rows[:RANKS] if is_ranked else []
    counted = told.answer.values(told.block.picture.series[0]) if rows else []
    unit = next((c.unit for c in told.answer.columns if c.name == told.block.picture.series[0]), None)
    ranks = [
        (wording.name(told.answer, row), wording.say(count, unit))
        for row, count in zip(rows, counted, strict=False)
        if unit is not None
    ]
    return Section(translated(told.block.title), figures, ranks)


def _serializer(settings: Settings) -> URLSafeSerializer:
    return URLSafeSerializer(settings.secret_key, salt="stop a summary")
