"""Uploading a file that is to be sent (Meta, "Media"): multipart, answered with an id that holds for 30 days."""

import secrets

from bot.providers.base import Account, AnswerError, HttpRequest
from bot.providers.cloud_graph import GraphMedia, answer_of

_QUOTED = str.maketrans({'"': "'", "\r": " ", "\n": " ", "\\": "/"})


class CloudMedia(GraphMedia):
    def upload(self, account: Account, number_id: str, name: str, mime_type: str, content: bytes) -> HttpRequest:
        mark = secrets.token_hex(16)
        fields = {"messaging_product": "whatsapp", "type": mime_type}
        parts = [
            f'--{mark}\r\nContent-Disposition: form-data; name="{field}"\r\n\r\n{value}\r\n'
            for field, value in fields.items()
        ]
        parts.append(
            f'--{mark}\r\nContent-Disposition: form-data; name="file"; filename="{name.translate(_QUOTED)}"\r\n'
            f"Content-Type: {mime_type}\r\n\r\n"
        )
        body = b"".join(("".join(parts).encode(), content, f"\r\n--{mark}--\r\n".encode()))
        headers = {**self.headers(account), "Content-Type": f"multipart/form-data; boundary={mark}"}
        return HttpRequest("POST", f"{account.base_url}/{number_id}/media", headers, body)

    def uploaded(self, status: int, body: bytes) -> str:
        """The id of the file; raises AnswerError."""
        found = answer_of(status, body).get("id")
        if not isinstance(found, str) or not found:
            raise AnswerError("The answer to the file names no id for it.")
        return found
