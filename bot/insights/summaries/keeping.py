"""What there is to be sent, to whom and when; an address that leads nowhere is refused where it is typed."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot.connections.secrets import open_sealed, seal
from bot.insights.summaries import runs
from bot.insights.summaries.delivery import checked_chat
from bot.language import LANGUAGES, _
from bot.media.addresses import ForbiddenAddressError
from bot.models.summary import Summary, SummaryRun
from bot.models.words import SummaryRhythm, SummaryWay
from bot.settings import Settings
from bot.team import audit
from bot.team.audit import Action, By

MOST: Final = 50
"""In an environment: a summary is for a few, and each of them asks all the questions."""
_EMAIL = re.compile(r"[^\s@<>,;:\"\\]+@[^\s@<>,;:\"\\]+\.[^\s@<>,;:\"\\]+")


class SummaryError(Exception):
    """What was typed is no summary that could go out; the text says why, `about` names the field."""

    def __init__(self, text: str, about: str) -> None:
        super().__init__(text)
        self.about = about


@dataclass(frozen=True, slots=True)
class Listed:
    summary: Summary
    last: SummaryRun | None
    """What was tried last."""


def make(
    session: Session, settings: Settings, environment: str, given: Mapping[str, str], operator_id: int, now: datetime
) -> Summary:
    """Raises SummaryError. `given`: way, place, rhythm, weekday, hour, language."""
    way, place = _place(settings, given)
    if session.scalars(select(func.count()).where(Summary.environment == environment)).one() >= MOST:
        raise SummaryError(_("There are %(most)s already: delete one first.", most=MOST), "place")
    made = Summary(
        environment=environment,
        rhythm=_one_of(given, "rhythm", [word.value for word in SummaryRhythm]),
        weekday=int(_one_of(given, "weekday", [str(day) for day in range(1, 8)], "1")),
        hour=int(_one_of(given, "hour", [str(hour) for hour in range(24)])),
        way=way,
        place=place.partition("://")[2].partition("/")[0] if way == SummaryWay.CHAT else place,
        sealed_place=seal(settings.secret_key, {"place": place}),
        language=_one_of(given, "language", list(LANGUAGES)),
        created_by_operator_id=operator_id,
        next_at=now,
    )
    made.next_at = runs.calendar_of(made, ZoneInfo(settings.time_zone)).following(now)
    session.add(made)
    session.flush()
    return made


def place_of(settings: Settings, summary: Summary) -> str:
    """Raises SealError."""
    return open_sealed(settings.secret_key, summary.sealed_place)["place"]


def stop(session: Session, summary: Summary, by: By, now: datetime) -> None:
    """One that has stopped stays as it is."""
    if summary.stopped_at is None:
        summary.stopped_at = now
        audit.note(session, by, Action.SUMMARY_STOPPED, f"summary {summary.id}", after={"to": summary.place})


def go_on(session: Session, summary: Summary, by: By, zone: ZoneInfo, now: datetime) -> None:
    """From the next time on: what it missed meanwhile stays away. One that goes stays as it is."""
    if summary.stopped_at is not None:
        summary.stopped_at, summary.next_at = None, runs.calendar_of(summary, zone).following(now)
        audit.note(session, by, Action.SUMMARY_RESUMED, f"summary {summary.id}", after={"to": summary.place})


def listed(session: Session, environment: str) -> Sequence[Listed]:
    latest = (
        select(SummaryRun.summary_id, func.max(SummaryRun.id).label("run_id"))
        .group_by(SummaryRun.summary_id)
        .subquery()
    )
    query = (
        select(Summary, SummaryRun)
        .outerjoin(latest, latest.c.summary_id == Summary.id)
        .outerjoin(SummaryRun, SummaryRun.id == latest.c.run_id)
        .where(Summary.environment == environment)
        .order_by(Summary.id)
    )
    return [Listed(summary, run) for summary, run in session.execute(query)]


def _place(settings: Settings, given: Mapping[str, str]) -> tuple[str, str]:
    way, place = _one_of(given, "way", [word.value for word in SummaryWay]), given.get("place", "").strip()
    if way == SummaryWay.CHAT:
        try:
            return way, str(checked_chat(place, settings.chat_server))
        except ForbiddenAddressError:
            raise SummaryError(
                _("That is no address a chat is written to: it begins with https://, as the chat gave it to you."),
                "place",
            ) from None
    if not settings.smtp_url:
        raise SummaryError(_("No mail goes out yet: an operator has to set BACKCHAT_SMTP_URL first."), "way")
    if len(place) > 254 or not _EMAIL.fullmatch(place):
        raise SummaryError(_("That is no e-mail address: it looks like name@example.org."), "place")
    return way, place


def _one_of(given: Mapping[str, str], name: str, known: Sequence[str], usual: str | None = None) -> str:
    word = given.get(name, usual)
    if word is None or word not in known:
        raise SummaryError(_("%(name)s is one of %(known)s.", name=name, known=", ".join(known)), name)
    return word
