"""The template message that each sender of the broadcast's bench sends."""

from typing import Any

TEMPLATE: dict[str, Any] = {
    "name": "bench",
    "language": "en_US",
    "category": "UTILITY",
    "status": "APPROVED",
    "parameter_format": "POSITIONAL",
    "components": [{"type": "BODY", "text": "Hi {{1}}, see you on Monday."}],
}


def body(to: str, name: str, mark: str) -> dict[str, Any]:
    """What the Cloud API is posted."""
    return {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": to,
        "type": "template",
        "template": {
            "name": TEMPLATE["name"],
            "language": {"code": TEMPLATE["language"]},
            "components": [{"type": "body", "parameters": [{"type": "text", "text": name}]}],
        },
        "biz_opaque_callback_data": mark,
    }
