"""A program with a token that asks the API about broadcasts, and something for it to make them of."""

from dataclasses import dataclass
from typing import Any

from flask import Flask
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from bot.models.connection import Number
from bot.models.person import Person
from bot.models.words import Environment
from bot.runtime import Runtime
from bot.team import tokens
from tests import factories

ALL = "/api/v1/broadcasts"


@dataclass(frozen=True)
class Program:
    app: Flask
    secret: str

    def ask(
        self, method: str, path: str = "", *, key: str | None = None, match: str | None = None, **more: Any
    ) -> TestResponse:
        """`path` is below all broadcasts; `json` the body; `key` makes it idempotent, `match` is an If-Match."""
        given = {"Authorization": f"Bearer {self.secret}", "Idempotency-Key": key, "If-Match": match}
        headers = {name: value for name, value in given.items() if value is not None}
        return self.app.test_client().open(f"{ALL}{path}", method=method, headers=headers, **more)

    def told(self, method: str, path: str = "", *, status: int = 200, **more: Any) -> Any:
        answer = self.ask(method, path, **more)
        assert answer.status_code == status, answer.text
        return answer.json

    def refused(self, method: str, path: str = "", **more: Any) -> tuple[int, str, str | None]:
        """Status, code and field; a refusal always has words for people."""
        answer = self.ask(method, path, **more)
        assert answer.json is not None, answer.text
        error = answer.json["error"]
        assert error["message"]
        return answer.status_code, error["code"], error.get("field")


def program(app: Flask, session: Session, environment: str = Environment.LIVE) -> Program:
    _, secret = tokens.create(session, environment, f"shop-{environment}")
    session.commit()
    return Program(app, secret)


@dataclass(frozen=True)
class Stock:
    """A number, a segment `Students` of two people, `Paid` of one of them, and a template in two languages."""

    number: Number
    people: list[Person]


def stock(rt: Runtime, environment: str = Environment.LIVE) -> Stock:
    with rt.transaction() as session:
        number = factories.make_number(session, environment=environment)
        people = [
            factories.make_person(session, environment=environment, distinct_id=name, first_name=name.title())
            for name in ("mona", "omar")
        ]
        factories.make_segment(session, people, name="Students", environment=environment)
        factories.make_segment(session, people[1:], name="Paid", environment=environment)
        for language in ("en", "de"):
            factories.make_template(session, number.connection, name="greeting", language=language)
        return Stock(number, people)


SPRING = {
    "name": "Spring",
    "segments": ["Students"],
    "template": {"name": "greeting", "language": "en"},
    "slots": {"body.1": "<<user.first_name>>"},
}
