"""A browser without a screen: keeps cookies, fills in the CSRF token of the last page, checks every page it sees."""

import re
from collections import Counter
from collections.abc import Mapping
from html.parser import HTMLParser

from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from bot.language import LANGUAGES
from bot.models.team import Operator
from bot.team import sign_ins
from tests.factories import PASSWORD

VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
NAMED = {"input", "select", "textarea"}
NAMELESS_BUTTON = re.compile(r"<button(?![^>]*aria-label)[^>]*>\s*(<svg(?:(?!</svg>).)*</svg>)?\s*</button>", re.DOTALL)


class Page(HTMLParser):
    """What the page-wide rules look at."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.problems: list[str] = []
        self._open: list[str] = []
        self._labelled_by_parent: list[dict[str, str]] = []
        self.feed(text)
        self.close()
        if self._open:
            self.problems.append(f"never closed: {self._open}")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.elements.append((tag, found))
        if tag in NAMED and "label" in self._open:
            self._labelled_by_parent.append(found)
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open.pop() != tag:
            self.problems.append(f"</{tag}> closes nothing")

    def all(self, *tags: str) -> list[dict[str, str]]:
        return [attributes for tag, attributes in self.elements if tag in tags]

    def complaints(self) -> list[str]:
        """What breaks our rules for every page; an empty list is a good page."""
        ids = Counter(attributes["id"] for _, attributes in self.elements if "id" in attributes)
        labels = {label.get("for") for label in self.all("label")}
        unnamed = [
            field
            for field in self.all(*NAMED)
            if field.get("type") != "hidden"
            and field.get("id") not in labels
            and not field.keys() & {"aria-label", "aria-labelledby"}
            and field not in self._labelled_by_parent
        ]
        rules = {
            "one h1": len(self.all("h1")) == 1,
            "a title": bool(re.search(r"<title>\s*[^<\s][^<]* · Backchat</title>", self.text)),
            "a language": self.all("html")[0].get("lang") in LANGUAGES,
            "no inline script": re.search(r"<script(?![^>]*\bsrc=)", self.text) is None,
            "no inline style": "<style" not in self.text and not any("style" in a for _, a in self.elements),
            "no inline handler": not any(name.startswith("on") for _, a in self.elements for name in a),
            "everything from here": not re.findall(r"(?:src|href)=[\"']?(?:https?:)?//", self._own_links()),
            "a token in every form that changes something": self._forms() == self._tokens(),
            "a name on every button": NAMELESS_BUTTON.search(self.text) is None,
        }
        broken = [rule for rule, is_kept in rules.items() if not is_kept]
        twice = [f"id {name} twice" for name, count in ids.items() if count > 1]
        return [*self.problems, *broken, *twice, *(f"no label: {field}" for field in unnamed)]

    def token(self) -> str:
        found = [meta["content"] for meta in self.all("meta") if meta.get("name") == "csrf-token"]
        return found[0] if found else ""

    def _own_links(self) -> str:
        return re.sub(r'<a [^>]*rel="noopener noreferrer"[^>]*>', "", self.text)

    def _forms(self) -> int:
        return sum(form.get("method", "get").lower() == "post" for form in self.all("form"))

    def _tokens(self) -> int:
        return sum(field.get("name") == "csrf_token" for field in self.all("input"))


class Visitor:
    def __init__(self, client: FlaskClient) -> None:
        self.client = client
        self._token = ""

    def get(self, path: str, **more: object) -> TestResponse:
        response: TestResponse = self.client.get(path, **more)
        self._look_at(response)
        return response

    def post(self, path: str, data: Mapping[str, object] | None = None, **more: object) -> TestResponse:
        """Post a form with the token of the last page seen."""
        return self.client.post(path, data={"csrf_token": self.token, **(data or {})}, **more)

    @property
    def token(self) -> str:
        """Of the last page looked at; looks at one if there was none."""
        if not self._token:
            self.get("/account")
        return self._token

    def enter(self, session: Session, operator: Operator) -> "Visitor":
        """Be signed in as if by the form, without an argon2id hash and three pages."""
        with self.client.session_transaction() as cookie:
            cookie["secret"] = sign_ins.begin(session, operator.id)
        session.commit()
        return self

    def sign_in(self, operator: Operator, password: str = PASSWORD) -> "Visitor":
        """By the form."""
        self.get("/sign-in")
        response = self.post("/sign-in", {"email": operator.email, "password": password})
        assert response.status_code == 303, response.text
        self.get("/account")
        return self

    def _look_at(self, response: TestResponse) -> None:
        if response.mimetype == "text/html" and "<html" in response.text and not 300 <= response.status_code < 400:
            page = Page(response.text)
            assert page.complaints() == [], response.request.path
            self._token = page.token()
