from bot.providers.base import Account, AnswerError, HttpRequest, MediaLocation
from bot.providers.events import MediaRef


class OpenLinks:
    """Kaleyra copies each file to a store of its own and names a link that needs no key; no key is sent along."""

    def locate(self, account: Account, number_id: str, media: MediaRef) -> HttpRequest | None:  # noqa: ARG002
        """Never asks: a file without a link cannot be had."""
        return None

    def location(self, account: Account, status: int, body: bytes) -> MediaLocation:  # noqa: ARG002 (the contract)
        raise AnswerError("Kaleyra is not asked where a file is: its callback names the link, or there is none.")

    def fetch(self, account: Account, url: str) -> HttpRequest:  # noqa: ARG002 (the contract)
        return HttpRequest("GET", url, {}, b"")
