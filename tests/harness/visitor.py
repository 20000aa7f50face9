"""A browser without scripts, for people who click through pages that a real process serves."""

import http.cookiejar
import json
import re
import urllib.parse
import urllib.request
from collections.abc import Mapping
from typing import Any

TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


class Visitor:
    """Keeps cookies and the CSRF token of the page it saw last."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url
        self.page = ""
        self._cookies = http.cookiejar.CookieJar()
        self._opener = urllib.request.build_opener(
            urllib.request.HTTPCookieProcessor(self._cookies), urllib.request.ProxyHandler({})
        )

    def get(self, path: str) -> str:
        return self._see(urllib.request.Request(f"{self.base_url}{path}"))

    def submit(self, path: str, **fields: str) -> str:
        """Send a form of the page seen last, as pressing its button does; the page that follows."""
        return self._see(self._form(path, fields))

    def tell(self, path: str, **fields: str) -> Any:
        """Send a form as the page's script does, which stays where it is; the JSON that it is answered."""
        with self._opener.open(self._form(path, fields, Accept="application/json"), timeout=30) as answer:
            return json.loads(answer.read())

    def sign_in(self, email: str, password: str) -> str:
        self.get("/sign-in")
        return self.submit("/sign-in", email=email, password=password)

    def cookie(self) -> str:
        """The Cookie header, for another client that is the same person."""
        return "; ".join(f"{each.name}={each.value}" for each in self._cookies)

    def _form(self, path: str, fields: Mapping[str, str], **headers: str) -> urllib.request.Request:
        token = TOKEN.search(self.page)
        assert token, "the page has no form to send"
        data = urllib.parse.urlencode({"csrf_token": token[1], **fields}).encode()
        return urllib.request.Request(f"{self.base_url}{path}", data=data, headers=headers)

    def _see(self, request: urllib.request.Request) -> str:
        with self._opener.open(request, timeout=30) as answer:
            self.page = answer.read().decode()
        return self.page
