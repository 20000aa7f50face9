"""Page: what messages cost by country and category, kept by hand or as a file."""

from collections.abc import Callable

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from bot import phone, runtime
from bot.dashboard import downloads
from bot.language import _, translated
from broadcasts.preflight import rates
from broadcasts.preflight.rates import CATEGORIES, EVERYWHERE, HEADER, RateError

pages = Blueprint("rates", __name__)


@pages.get("/broadcasts/rates")
def index() -> ResponseReturnValue:
    return _page()


@pages.post("/broadcasts/rates")
def keep() -> ResponseReturnValue:
    given = [request.form.get(name, "") for name in HEADER]
    return _do(lambda tx: rates.put(tx, *given), _("Kept."))


@pages.post("/broadcasts/rates/<int:rate_id>/remove")
def remove(rate_id: int) -> ResponseReturnValue:
    return _do(lambda tx: rates.remove(tx, rate_id), _("Removed."))


@pages.post("/broadcasts/rates/file")
def upload() -> ResponseReturnValue:
    """All prices of the file, or none."""
    file = request.files.get("file")
    content = file.stream.read(rates.LARGEST_FILE + 1) if file else b""

    def take_in(tx: Session) -> None:
        if not content:
            raise RateError(_("Choose a CSV file first."))
        rates.take_in(tx, content)

    return _do(take_in, _("The prices of the file are kept."))


@pages.get("/broadcasts/rates.csv")
def export() -> Response:
    with runtime.current().transaction() as tx:
        rows = [
            (each.country, each.category, format(each.price.normalize(), "f"), each.currency)
            for each in rates.every(tx)
        ]
    return downloads.csv("rates", HEADER, rows)


def _do(work: Callable[[Session], None], done: str) -> ResponseReturnValue:
    try:
        with runtime.current().transaction() as tx:
            work(tx)
    except RateError as error:
        return _page(str(error).splitlines()), 422
    flash(done)
    return redirect(url_for("rates.index"), 303)


def _page(problems: list[str] | None = None) -> str:
    with runtime.current().transaction() as tx:
        kept = rates.every(tx)
    countries = [(EVERYWHERE, _("everywhere else")), *((country, country) for country in phone.calling_codes())]
    return render_template(
        "broadcasts/rates.html",
        rates=kept,
        countries=countries,
        categories=[(each, translated(each.title())) for each in CATEGORIES],
        currency=kept[0].currency if kept else "USD",
        given=request.form if problems else {},
        problems=problems or [],
    )
