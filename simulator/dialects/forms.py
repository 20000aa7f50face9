"""Bodies that are forms: `application/x-www-form-urlencoded`, or `multipart/form-data` where a file comes along."""

from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import NamedTuple
from urllib.parse import parse_qsl

from aiohttp import web

from simulator.graph import GraphError


class Form(NamedTuple):
    raw: bytes
    fields: dict[str, str]
    files: dict[str, tuple[bytes, str]]
    """Content and type by the name of the field."""


async def read_form(request: web.BaseRequest) -> Form:
    raw = await request.read()
    if request.content_type == "application/x-www-form-urlencoded":
        try:
            return Form(raw, dict(parse_qsl(raw.decode(), keep_blank_values=True)), {})
        except UnicodeDecodeError:
            raise GraphError(100, "The form is not UTF-8.") from None
    if request.content_type != "multipart/form-data":
        raise GraphError(100, "The body must be a form.")
    form = Form(raw, {}, {})
    head = f"Content-Type: {request.headers['Content-Type']}\r\n\r\n".encode()
    for part in message_from_bytes(head + raw, EmailMessage, policy=policy.HTTP).iter_parts():
        name = str(part.get_param("name", "", header="content-disposition"))
        content = part.get_payload(decode=True)
        content = content if isinstance(content, bytes) else b""
        if part.get_filename() is None:
            form.fields[name] = content.decode("utf-8", "replace")
        else:
            form.files[name] = (content, part.get_content_type())
    return form
