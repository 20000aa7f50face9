"""Templates and files by the Graph API (Meta, "Message templates" and "Media").

A provider that hands the Graph API through subclasses GraphTemplateMaker (cloud_template_making.py) and GraphMedia: it
overrides `headers` (how it is told who asks), `list_url` or `media_url` (where things are), and for files `own_origins`
(who may see the secret) or `fetch` (where it serves files itself). Reading the answers stays as it is.
"""

import re
from typing import Any, Final
from urllib.parse import parse_qs, urlencode, urlsplit

from bot.providers import cloud_answers, cloud_json
from bot.providers import cloud_identity as identity
from bot.providers.base import Account, AnswerError, HttpRequest, MediaLocation, TemplatePage
from bot.providers.cloud_codes import MEANINGS
from bot.providers.cloud_items import part_of
from bot.providers.events import MediaRef

FIELDS: Final = "id,name,language,status,category,quality_score,components,parameter_format,rejected_reason"
PAGE: Final = 100
FILES: Final = "https://lookaside.fbsbx.com"
"""Where Meta serves what people sent; it wants the token, as the Graph API does."""

_MEDIA_ID = re.compile(r"[A-Za-z0-9_-]{1,200}")
_MAX_URL = 4000


class Graph:
    def headers(self, account: Account) -> dict[str, str]:
        """What goes to the provider only."""
        return {"Authorization": f"Bearer {account.secrets['access_token']}"}


class GraphTemplates(Graph):
    def list_url(self, account: Account) -> str:
        return f"{account.base_url}/{account.account_id}/message_templates"

    def request(self, account: Account, after: str | None, name: str | None = None) -> HttpRequest:
        asked = {"fields": FIELDS, "limit": PAGE, "after": after, "name": name}
        asked = {key: value for key, value in asked.items() if value}
        return HttpRequest("GET", f"{self.list_url(account)}?{urlencode(asked)}", self.headers(account), b"")

    def page(self, status: int, body: bytes) -> TemplatePage:
        """Raises AnswerError."""
        answer = answer_of(status, body)
        listed = answer.get("data")
        if not isinstance(listed, list) or not all(isinstance(each, dict) for each in listed):
            raise AnswerError("The answer is not a list of templates: check the connection's base URL and account id.")
        return TemplatePage(tuple(listed), _after(part_of(answer, "paging")))


class GraphMedia(Graph):
    def media_url(self, account: Account, media_id: str) -> str:
        return f"{account.base_url}/{media_id}"

    def own_origins(self, account: Account) -> frozenset[str]:
        """Scheme and host (with its port) of the addresses that the secret may be shown to; lower case."""
        return frozenset({FILES, origin_of(account.base_url)})

    def locate(self, account: Account, number_id: str, media: MediaRef) -> HttpRequest | None:  # noqa: ARG002 (the contract)
        """By id where there is one, for the URL in a webhook may have died of age (it lives for minutes)."""
        if media.id is None or not _MEDIA_ID.fullmatch(media.id):
            return None
        return HttpRequest("GET", self.media_url(account, media.id), self.headers(account), b"")

    def location(self, account: Account, status: int, body: bytes) -> MediaLocation:  # noqa: ARG002 (the contract)
        """Raises AnswerError."""
        answer = answer_of(status, body)
        url = answer.get("url")
        if not isinstance(url, str) or not url.startswith(("https://", "http://")) or len(url) > _MAX_URL:
            raise AnswerError("The answer does not say where the file is.")
        size = identity.text_of(answer, "file_size")
        return MediaLocation(
            url=url,
            mime_type=identity.text_of(answer, "mime_type"),
            sha256=identity.text_of(answer, "sha256"),
            size=int(size) if size is not None and size.isascii() and size.isdecimal() else None,
        )

    def fetch(self, account: Account, url: str) -> HttpRequest:
        is_own = origin_of(url) in self.own_origins(account)
        return HttpRequest("GET", url, self.headers(account) if is_own else {}, b"")


def origin_of(url: str) -> str:
    """Scheme and authority exactly as written, in lower case: one with a login in it, say, equals no other."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return f"{parts.scheme}://{parts.netloc}".lower()


def answer_of(status: int, body: bytes) -> dict[str, Any]:
    """The answer of a successful call; raises AnswerError, with the sentence that the send path has for the code."""
    answer = cloud_answers.read(body)
    if 200 <= status < 300:
        if not answer or not cloud_json.is_storable(answer):
            raise AnswerError(f"HTTP {status}, but the answer is not a JSON object: check the connection's base URL.")
        return answer
    match answer.get("error"):
        case {"code": int(code)}:
            meaning = MEANINGS.get(code)
            raise AnswerError(f"The provider refused with error {code}{f': {meaning}' if meaning else ''}.")
    raise AnswerError(f"The provider answered HTTP {status} without a reason: check the connection's base URL.")


def _after(paging: Any) -> str | None:  # noqa: ANN401 (a member of JSON)
    """The cursor of the next page; the last page has a cursor as well, but no `next`. Raises AnswerError."""
    following = paging.get("next")
    if not following:
        return None
    told = part_of(paging, "cursors").get("after")
    if not told and isinstance(following, str):
        told = next(iter(parse_qs(urlsplit(following).query).get("after", [])), None)
    if not isinstance(told, str):
        raise AnswerError("The answer says that there are more templates, but not where.")
    return told
