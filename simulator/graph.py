"""What the Graph API answers: success and error bodies (Cloud API reference, "Error codes")."""

import secrets
from typing import Any

import orjson
from aiohttp import web

JSON_HEADERS = {"Content-Type": "application/json; charset=UTF-8"}

ERRORS: dict[int, tuple[int, str]] = {
    1: (500, "An unknown error occurred"),
    2: (503, "Service temporarily unavailable"),
    4: (429, "(#4) Application request limit reached"),
    10: (403, "(#10) Application does not have permission for this action"),
    100: (400, "(#100) Invalid parameter"),
    190: (401, "Invalid OAuth access token - Cannot parse access token"),
    2200: (400, "(#2200) Callback verification failed with the following errors"),
    130429: (429, "(#130429) Rate limit hit"),
    131000: (500, "(#131000) Something went wrong"),
    131008: (400, "(#131008) Required parameter is missing"),
    131009: (400, "(#131009) Parameter value is not valid"),
    131026: (400, "(#131026) Message undeliverable"),
    131047: (400, "(#131047) Re-engagement message"),
    131049: (400, "(#131049) This message was not delivered to maintain healthy ecosystem engagement"),
    131050: (400, "(#131050) User has stopped receiving marketing messages from your business"),
    131051: (400, "(#131051) Unsupported message type"),
    131052: (400, "(#131052) Media download error"),
    131053: (400, "(#131053) Media upload error"),
    131056: (429, "(#131056) (Business Account, Consumer Account) pair rate limit hit"),
    131060: (400, "(#131060) This message is unavailable"),
    131062: (400, "(#131062) Business-scoped user id recipients are not supported for this message"),
    132000: (400, "(#132000) Number of parameters does not match the expected number of params"),
    132001: (404, "(#132001) Template name does not exist in the translation"),
    132005: (400, "(#132005) Translated text too long"),
    132012: (400, "(#132012) Parameter format does not match format in the created template"),
    132015: (400, "(#132015) Template is paused"),
    132016: (400, "(#132016) Template is disabled"),
    132018: (400, "(#132018) There is an issue with the template parameters"),
    132068: (400, "(#132068) Flow is blocked"),
}
"""Code: HTTP status and message. Throttles are 429 as in live traffic, though the reference says 400."""


class GraphError(Exception):
    """Ends a request with the provider's error object; `details` is what the reference puts into error_data.

    With a `title` they are words for people instead, as template management has them.
    """

    def __init__(self, code: int, details: str = "", *, status: int = 0, subcode: int = 0, title: str = "") -> None:
        super().__init__(code, details)
        self.code = code
        self.details = details
        self.title = title
        self.status = status or ERRORS[code][0]
        self.subcode = subcode

    def as_object(self) -> dict[str, Any]:
        message = ERRORS[self.code][1]
        error: dict[str, Any] = {
            "message": f"{message}: {self.details}" if self.code in {100, 2200} and self.details else message,
            "type": "GraphMethodException" if self.subcode == 33 else "OAuthException",
            "code": self.code,
        }
        if self.subcode:
            error["error_subcode"] = self.subcode
        if self.title:
            error |= {"message": message, "error_user_title": self.title, "error_user_msg": self.details}
        elif self.details:
            error["error_data"] = {"messaging_product": "whatsapp", "details": self.details}
        error["fbtrace_id"] = "A" + secrets.token_urlsafe(16)
        return {"error": error}


def title_of(code: int) -> str:
    """The message without its code, as webhooks carry it."""
    return ERRORS[code][1].partition(") ")[2] or ERRORS[code][1]


def answer(body: object, status: int = 200) -> web.Response:
    return web.Response(body=orjson.dumps(body), status=status, headers=JSON_HEADERS)


def refusal(error: GraphError) -> web.Response:
    response = answer(error.as_object(), error.status)
    if error.code == 190:
        response.headers["WWW-Authenticate"] = f'OAuth "Facebook Platform" "invalid_token" "{ERRORS[190][1]}"'
    return response
