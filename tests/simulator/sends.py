"""A send in each provider's own words, written from its documentation."""

import base64
import json
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import urlencode

from tests.harness.lines import OTHERS, PLANTED, Line
from tests.simulator.desk import PERSON, Desk

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
MARK = "o1.7.1"


class Send(NamedTuple):
    path: str
    headers: Mapping[str, str]
    body: Any
    """A form where the headers say so, else JSON."""

    @property
    def raw(self) -> bytes:
        is_form = self.headers.get("Content-Type") == FORM["Content-Type"]
        return (urlencode(self.body) if is_form else json.dumps(self.body)).encode()

    def changed(self, **members: Any) -> "Send":
        """With other members at the top; None takes one out."""
        body = {name: value for name, value in (self.body | members).items() if value is not None}
        return self._replace(body=body)

    def by(self, headers: Mapping[str, str]) -> "Send":
        return self._replace(headers={**self.headers, **headers})


def login(line: Line, word: str = "") -> dict[str, str]:
    """What shows whose a request is; `word` stands in for the key."""
    key = word or str(line.account["access_token"])
    pair = base64.b64encode(f"{line.waba_id}:{key}".encode()).decode()
    return {
        "360dialog": {"D360-API-KEY": key},
        "turn": {"Authorization": f"Bearer {key}"},
        "onpremise": {"Authorization": f"Bearer {key}"},
        "kaleyra-v1": {"api-key": key},
        "kaleyra-v2": {"api-key": key},
        "twilio": {"Authorization": f"Basic {pair}"},
    }[line.provider]


def hello(line: Line, statuses: str = "", to: str = PERSON) -> Send:
    """A text; `statuses` is the address for them where a send names one."""
    text = {"type": "text", "text": {"body": "Hello"}}
    meta = {"messaging_product": "whatsapp", "to": to, **text}
    twilio = {"From": f"whatsapp:{line.phone}", "To": f"whatsapp:{to}", "Body": "Hello"}
    v1 = {"channel": "whatsapp", "from": line.phone, "to": to, "type": "text", "body": "Hello", "ref": MARK}
    calls: dict[str, tuple[str, dict[str, str], dict[str, Any]]] = {
        "360dialog": ("/messages", {}, meta | {"biz_opaque_callback_data": MARK}),
        "turn": ("/v1/messages", {}, {"to": to[1:], "preview_url": False, **text}),
        "onpremise": ("/v1/messages", {}, {"to": to[1:], "recipient_type": "individual", **text}),
        "kaleyra-v1": (f"/v1/{line.waba_id}/messages", FORM, v1),
        "kaleyra-v2": (
            f"/v2/{line.waba_id}/whatsapp/{line.phone}/messages",
            {},
            {"messaging_object": meta, "extra_info": {"ref": MARK}},
        ),
        "twilio": (f"/2010-04-01/Accounts/{line.waba_id}/Messages.json", FORM, twilio),
    }
    path, headers, body = calls[line.provider]
    if statuses and line.provider == "kaleyra-v1":
        body["callback_url"] = f"{statuses}/{PLANTED}"
    if statuses and line.provider == "twilio":
        body["StatusCallback"] = f"{statuses}/twilio?mark={MARK}"
    return Send(path, {**headers, **login(line)}, body)


def template(line: Line, *values: str) -> Send:
    """The template `visit` with its body filled."""
    parameters = [{"type": "text", "text": value} for value in values]
    components = [{"type": "body", "parameters": parameters}]
    about = {"name": "visit", "language": {"code": "en", "policy": "deterministic"}, "components": components}
    send = hello(line)
    if line.provider == "kaleyra-v1":
        form = {"type": "template", "template_name": "visit", "lang_code": "en", "body": None}
        return send.changed(**form, params=",".join(f'"{value}"' for value in values))
    if line.provider == "kaleyra-v2":
        told = {"messaging_product": "whatsapp", "to": PERSON, "type": "template", "template": about}
        return send.changed(messaging_object=told)
    namespace = {} if line.provider == "360dialog" else {"namespace": line.waba_id}
    return send.changed(type="template", text=None, preview_url=None, template=about | namespace)


def post(sim: Desk, send: Send) -> tuple[int, dict[str, Any]]:
    status, raw = sim.call("POST", send.path, send.raw, headers=send.headers)
    return status, json.loads(raw)


LINES = list(OTHERS.values())
