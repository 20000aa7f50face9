"""How a summary gets where it is wanted: SMTP as the operator set it, or the address that a chat gave out."""

import asyncio
import smtplib
import ssl
from email.message import EmailMessage
from urllib.parse import unquote, urlsplit

import aiohttp
from yarl import URL

from bot.insights.summaries import problems
from bot.media.addresses import ForbiddenAddressError, Origin, PublicResolver, checked, origin
from bot.settings import Settings

_TIMEOUT_S = 20.0
_HERE = frozenset({"localhost", "127.0.0.1", "::1"})
_REFUSED = frozenset({400, 401, 403, 404, 405, 410, 413, 415})
"""A chat's answers that another attempt would get again."""


class DeliveryError(Exception):
    """It did not arrive, for one of problems.SENTENCES; `is_final` says that trying again would change nothing."""

    def __init__(self, code: str, what: str | int = "", *, is_final: bool = False) -> None:
        self.problem, self.is_final = problems.problem(code, what), is_final
        super().__init__(problems.sentence(self.problem))


def send_mail(settings: Settings, letter: EmailMessage) -> None:
    """Raises DeliveryError. Encrypted wherever the server can; a password leaves this machine no other way."""
    try:
        with _connected(settings.smtp_url or "") as server:
            server.send_message(letter)
    except smtplib.SMTPRecipientsRefused as error:
        code = max(code for code, _said in error.recipients.values())
        raise DeliveryError("mail_refused", code, is_final=code >= 500) from error
    except smtplib.SMTPResponseException as error:
        raise DeliveryError("mail_answered", error.smtp_code) from error
    except (smtplib.SMTPException, OSError) as error:
        raise DeliveryError("mail_unreached", type(error).__name__) from error


def _connected(address: str) -> smtplib.SMTP:
    url = urlsplit(address)
    host, context = url.hostname or "", ssl.create_default_context()
    if url.scheme == "smtps":
        server: smtplib.SMTP = smtplib.SMTP_SSL(host, url.port or 465, timeout=_TIMEOUT_S, context=context)
    else:
        server = smtplib.SMTP(host, url.port or 25, timeout=_TIMEOUT_S)
        server.ehlo()
        if server.has_extn("starttls"):
            server.starttls(context=context)
        elif url.username and host not in _HERE:
            server.close()
            raise DeliveryError("mail_open")
    if url.username:
        server.login(unquote(url.username), unquote(url.password or ""))
    return server


def checked_chat(address: str, chat_server: str | None) -> URL:
    """Raises ForbiddenAddressError for what is neither on the open web nor at the operator's own chat."""
    return checked(address, _home(chat_server))


def post(address: str, text: str, chat_server: str | None) -> None:
    """Raises DeliveryError. `{"text": …}` is what Slack, Mattermost, Rocket.Chat and Google Chat read."""
    try:
        status = asyncio.run(_post(address, text, chat_server))
    except ForbiddenAddressError as error:
        raise DeliveryError("chat_forbidden") from error
    except (aiohttp.ClientError, OSError) as error:
        raise DeliveryError("chat_unreached", type(error).__name__) from error
    if not 200 <= status < 300:
        raise DeliveryError("chat_answered", status, is_final=status in _REFUSED)


async def _post(address: str, text: str, chat_server: str | None) -> int:
    connector = aiohttp.TCPConnector(resolver=PublicResolver(_home(chat_server)), force_close=True)
    timeout = aiohttp.ClientTimeout(total=_TIMEOUT_S)
    async with (
        aiohttp.ClientSession(connector=connector, timeout=timeout) as client,
        client.post(checked_chat(address, chat_server), json={"text": text}, allow_redirects=False) as answer,
    ):
        return answer.status


def _home(chat_server: str | None) -> Origin | None:
    return origin(URL(chat_server)) if chat_server else None
