"""Page: the start."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

pages = Blueprint("home", __name__)


@pages.get("/")
def index() -> ResponseReturnValue:
    return render_template("dashboard/home.html")
