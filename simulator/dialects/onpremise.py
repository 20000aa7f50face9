"""The on-premises API: phones only, its own error codes, and strict about members it does not know."""

from typing import Any

from simulator.config import Account, ConfigError
from simulator.dialects.legacy import Legacy
from simulator.dialects.seals import Planted, Seal
from simulator.graph import ERRORS, GraphError
from simulator.people import Contact
from simulator.updates import Piece
from simulator.validate import Body, member

CODES: dict[int, tuple[int, int]] = {
    100: (400, 1009),
    190: (401, 1005),
    130429: (429, 1015),
    131000: (500, 1000),
    131008: (400, 1008),
    131009: (400, 1009),
    131026: (400, 1013),
    131047: (400, 470),
    131049: (400, 472),
    131056: (429, 1015),
    132000: (400, 2000),
    132001: (404, 2001),
    132005: (400, 2005),
    132012: (400, 2004),
    132015: (400, 2001),
    132016: (400, 2001),
    132018: (400, 2006),
}
"""Code of the Cloud API: HTTP status and code of the on-premises API."""

KINDS = frozenset({"text", "image", "audio", "video", "document", "sticker", "location", "contacts", "template"})
INTERACTIVE = frozenset({"button", "list"})
MEMBERS = frozenset({"to", "recipient_type", "type", "preview_url", "context"})
UNTOLD = frozenset({"from_user_id", "group_id"})


class OnPremise(Legacy):
    name = "onpremise"
    seal: Seal = Planted()

    def code_of(self, code: int) -> tuple[int, int]:
        return CODES.get(code, (ERRORS[code][0], code))

    def read(self, account: Account, body: Body) -> Body:
        kind = str(body.get("type", "text"))
        inner = member(body, "interactive").get("type") if kind == "interactive" else None
        if kind not in KINDS and inner not in INTERACTIVE:
            raise GraphError(100, f"type: {inner or kind} is not known.")
        if unknown := sorted(set(body) - MEMBERS - {kind}):
            raise GraphError(100, f"{unknown[0]}: the parameter is not known.")
        if not str(body.get("to", "")).isdecimal():
            raise GraphError(100, "to: a WhatsApp id is needed, digits only.")
        if kind == "text" and set(member(body, "text")) != {"body"}:
            raise GraphError(100, "text: has a body only; preview_url stands beside it.")
        if kind == "template":
            language = member(member(body, "template"), "language")
            if language.get("policy") != "deterministic":
                raise GraphError(131008, "template.language.policy: must be deterministic.")
        return super().read(account, body)

    def check_inbound(self, message: dict[str, Any], contact: Contact) -> None:  # noqa: ARG002 (the contract)
        if contact.hide_phone:
            raise ConfigError("from: the on-premises API knows people by phone only")

    def message(self, piece: Piece) -> dict[str, Any]:
        """A voice note has a type of its own here."""
        told = {name: value for name, value in piece.item.items() if name not in UNTOLD}
        audio = told.get("audio")
        if isinstance(audio, dict) and audio.get("voice"):
            told = {name: value for name, value in told.items() if name != "audio"}
            told |= {"type": "voice", "voice": {name: value for name, value in audio.items() if name != "voice"}}
        return told

    def status(self, item: dict[str, Any]) -> dict[str, Any]:
        told = {name: item[name] for name in ("id", "status", "timestamp")} | {"type": "message"}
        told["message"] = {"recipient_id": item.get("recipient_id")}
        if errors := item.get("errors"):
            told["errors"] = [{"code": self.code_of(each["code"])[1], "title": each["title"]} for each in errors]
        return told


DIALECT = OnPremise()
