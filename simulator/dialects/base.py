"""What one provider's API has of its own; whatever a dialect does not override is the Cloud API's way."""

import base64
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import orjson
from aiohttp import web

from simulator import graph
from simulator.config import Account, Number
from simulator.dialects.seals import Seal, Signed, by_hub
from simulator.graph import GraphError
from simulator.people import Contact
from simulator.posting import Webhook
from simulator.updates import Update, encode, envelope


class Surroundings(NamedTuple):
    """What a webhook is made with beside its updates; `address` is where this simulator answers."""

    numbers: Mapping[str, Number]
    spread: str
    address: str


class Taken(Protocol):
    """What of an accepted send its answer tells; `body` is in the Cloud API's shape, whatever was posted."""

    body: dict[str, Any]
    contact: Contact
    number: Number
    kind: str
    fault: str
    failed_code: int


class Dialect:
    name = "cloud"
    family = "cloud"
    """Dialects with the same paths; there an account is known by its key alone."""
    most = 1000
    """How many updates a webhook may carry."""
    samples_by_link = False
    """Whether the sample of a template's header is the address of a file, and not the handle of an upload."""
    tells_fields = True
    """Whether news of the account itself come by webhook."""
    accepted_status = 200
    seal: Seal = Signed("X-Hub-Signature-256", by_hub)

    def key(self, account: Account) -> str:
        """What a request has to show to be the account's."""
        return account.access_token

    async def key_of(self, request: web.BaseRequest) -> str:
        """The account's key as the request shows it, or nothing."""
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        return token if scheme == "Bearer" else ""

    def new_id(self, epoch: bytes, address: str, n: int) -> str:
        token = b"\x1c\x18" + address.encode() + b"\x15\x02\x00\x11\x18" + epoch + n.to_bytes(6)
        return "wamid." + base64.b64encode(token).decode()

    def answer(self, taken: Taken, message_id: str) -> bytes:
        to, contact = taken.body.get("to"), taken.contact
        person = {"input": to, "wa_id": contact.phone} if to else {}
        if not to:
            person = {"input": taken.body["recipient"], "user_id": contact.user_id}
        message = {"id": message_id}
        if taken.kind == "template":
            message["message_status"] = "held_for_quality_assessment" if taken.fault == "held" else "accepted"
        return orjson.dumps({"messaging_product": "whatsapp", "contacts": [person], "messages": [message]})

    def close_window(self, taken: Taken) -> None:  # noqa: ARG002 (some accept it, and let it fail)
        """What is sent freely to somebody who did not write for 24 hours."""
        raise GraphError(
            131047,
            "Message failed to send because more than 24 hours have passed since the customer last "
            "replied to this number.",
        )

    def refusal(self, error: GraphError) -> web.Response:
        return graph.refusal(error)

    def check_inbound(self, message: dict[str, Any], contact: Contact) -> None:
        """Raises ConfigError for what this provider has no words for."""

    def webhook(self, account: Account, updates: Sequence[Update], around: Surroundings) -> Webhook | None:
        """`most` updates at most; None if the provider has nowhere to tell them."""
        return Webhook(account.callback_url, encode(envelope(updates, around.numbers, around.spread)))

    def is_taken(self, status: int) -> bool:
        """Whether this answer to a webhook ends its deliveries well."""
        return status == 200

    def is_refused(self, status: int) -> bool:  # noqa: ARG002 (the Cloud API tries again whatever it was told)
        """Whether this answer ends them without success."""
        return False
