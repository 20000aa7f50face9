"""An identity provider as a process of its own: OpenID Connect as far as a sign-in goes, with faults by order.

A test says by `POST /next` what the next sign-in is to look like; everybody who comes is let in without a question.
It checks what it is given as a real one does: client, redirect address, PKCE, and each code once.
"""

import base64
import hashlib
import json
import secrets
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, OctKey

from tests.harness.children import Child, wait_until
from tests.harness.house import free_port

CLIENT, SECRET = "backchat", "a-secret-of-the-client"


@dataclass(frozen=True)
class Provider:
    """The running process, for tests."""

    issuer: str

    def prepare(self, **order: Any) -> None:
        """What the next sign-in looks like: `claims` over the usual ones (None leaves one out), and faults by name."""
        urllib.request.urlopen(f"{self.issuer}/next", json.dumps(order).encode(), timeout=30).close()

    def send_back(self, address: str) -> str:
        """Go where a browser was sent to; where the provider sends it on to."""
        opener = urllib.request.build_opener(_StayHere, urllib.request.ProxyHandler({}))
        with opener.open(address, timeout=30) as answer:
            return str(json.load(answer)["location"])


class _StayHere(urllib.request.HTTPRedirectHandler):
    """The address beyond is the test client's to open, and no server's."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


@contextmanager
def running(folder: Path) -> Iterator[Provider]:
    issuer = f"http://127.0.0.1:{free_port()}"
    child = Child("provider", [sys.executable, "-m", "tests.harness.provider", issuer], {}, folder)
    child.start()
    try:
        wait_until(lambda: "ready" in child.output() or not child.alive(), "the identity provider to listen")
        assert child.alive(), child.output()
        yield Provider(issuer)
    finally:
        child.stop()


@dataclass
class _State:
    issuer: str
    key: ECKey = field(default_factory=lambda: ECKey.generate_key("P-256", {"kid": "one"}))
    order: dict[str, Any] = field(default_factory=dict)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    """Code → what was asked for; gone with its first use."""

    def discovery(self) -> dict[str, Any]:
        told: dict[str, Any] = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            "jwks_uri": f"{self.issuer}/keys",
            "response_types_supported": ["code"],
            "id_token_signing_alg_values_supported": ["ES256", "HS256", "none"],
        }
        return {**told, **self.order.get("discovery", {})}

    def exchange(self, given: dict[str, str], authorization: str) -> dict[str, Any]:
        asked = self.codes.pop(given.get("code", ""), {})
        challenge = hashlib.sha256(given.get("code_verifier", "").encode()).digest()
        client = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        is_right = (
            asked.get("code_challenge_method") == "S256"
            and asked["code_challenge"] == base64.urlsafe_b64encode(challenge).decode().rstrip("=")
            and asked["redirect_uri"] == given.get("redirect_uri")
            and authorization == f"Basic {client}"
        )
        if not is_right:
            return {"error": "invalid_grant"}
        return {"access_token": "at", "token_type": "Bearer", "expires_in": 60, "id_token": self.id_token(asked)}

    def id_token(self, asked: dict[str, str]) -> str:
        now = int(time.time())
        usual = {"iss": self.issuer, "aud": CLIENT, "sub": "1", "iat": now, "exp": now + 300, "nonce": asked["nonce"]}
        claims = usual | {"email": "kim@example.org", "email_verified": True, "name": "Kim"}
        told = {name: value for name, value in (claims | self.order.get("claims", {})).items() if value is not None}
        match self.order.get("signed_by"):
            case "stranger":
                return jwt.encode({"alg": "ES256", "kid": "one"}, told, ECKey.generate_key("P-256"))
            case "client":
                return jwt.encode({"alg": "HS256"}, told, OctKey.import_key(SECRET))
            case "nobody":
                return f"{_part({'alg': 'none'})}.{_part(told)}."
        return jwt.encode({"alg": "ES256", "kid": "one"}, told, self.key)


def _part(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


class _Handler(BaseHTTPRequestHandler):
    state: _State

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        match parts.path:
            case "/.well-known/openid-configuration":
                self._tell(self.state.discovery())
            case "/keys":
                self._tell(KeySet([self.state.key]).as_dict())
            case "/userinfo":
                self._tell(
                    {"sub": "1", "email": "kim@example.org", "email_verified": True}
                    | self.state.order.get("userinfo", {})
                )
            case "/authorize":
                self._tell({"location": self._sent_on(asked)})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        if self.path == "/next":
            self.state.order = json.loads(body)
            self._tell({})
        elif "token_status" in self.state.order:
            self._tell({}, self.state.order["token_status"])
        else:
            given = {name: values[0] for name, values in parse_qs(body).items()}
            told = self.state.exchange(given, self.headers.get("Authorization", ""))
            self._tell(told, 400 if "error" in told else 200)

    def _sent_on(self, asked: dict[str, str]) -> str:
        if "error" in self.state.order:
            answer = {"error": self.state.order["error"], "state": asked["state"]}
        else:
            code = secrets.token_urlsafe(16)
            self.state.codes[code] = asked
            answer = {"code": code, "state": asked["state"]}
        return f"{asked['redirect_uri']}?{urlencode(answer | self.state.order.get('answer', {}))}"

    def _tell(self, told: object, status: int = 200) -> None:
        body = json.dumps(told).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing: its output is for what goes wrong."""


def main(issuer: str) -> None:
    _Handler.state = _State(issuer)
    server = ThreadingHTTPServer(("127.0.0.1", urlsplit(issuer).port or 0), _Handler)
    print("ready", flush=True)  # noqa: T201 (the test waits for it)
    server.serve_forever()


if __name__ == "__main__":
    main(sys.argv[1])
