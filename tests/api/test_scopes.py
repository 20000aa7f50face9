"""What a token may do, asked at every address of the API."""

from collections.abc import Iterator

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from bot.team import permissions, tokens
from bot.team.routes import ROUTES, Scope


def addresses(app: Flask) -> Iterator[tuple[str, str, str]]:
    """Endpoint, method and an address to try it."""
    for rule in app.url_map.iter_rules():
        if isinstance(ROUTES[rule.endpoint], Scope):
            values = {name: 1 if "int" in type(c).__name__.lower() else "x" for name, c in rule._converters.items()}
            with app.test_request_context():
                _, address = rule.build(values) or ("", "")
            yield from ((rule.endpoint, method, address) for method in (rule.methods or set()) - {"HEAD", "OPTIONS"})


def test_every_address_refuses_a_token_without_its_scope_and_names_it(
    app: Flask, client: FlaskClient, session: Session
) -> None:
    secrets = {
        scope: tokens.create(session, "live", f"all but {scope}", scopes=set(permissions.SCOPES) - {scope})[1]
        for scope in permissions.SCOPES
    }
    session.commit()
    tried = list(addresses(app))
    assert len(tried) > 40
    for endpoint, method, address in tried:
        scope, *_ = permissions.scopes_of(endpoint)
        headers = {"Authorization": f"Bearer {secrets[scope]}"}
        answer = client.open(address, method=method, headers=headers, json=None if method == "GET" else {})
        assert answer.status_code == 403, (endpoint, answer.text)
        error = answer.get_json()["error"]
        assert error["code"] == "missing_scope"
        assert f" {scope}:" in error["message"]
