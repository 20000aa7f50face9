from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Any

from simulator.people import Contact

KEPT_CHATS = 20_000
KEPT_MESSAGES = 200
KEPT_HEARD = 50_000
RANK = {"accepted": 0, "sent": 1, "delivered": 2, "read": 3, "failed": 4}


class Sent:
    """A message the business sent and the simulator accepted."""

    __slots__ = (
        *("body", "by_user_id", "callback", "category", "contact", "failed_code", "in_window", "kind", "level"),
        *("nth", "number_id", "opened", "status_url", "time", "waba_id", "wamid"),
    )

    def __init__(self, *, wamid: str, waba_id: str, number_id: str, contact: Contact, body: bytes) -> None:
        self.wamid = wamid
        self.waba_id = waba_id
        self.number_id = number_id
        self.contact = contact
        self.body = body  # in the Cloud API's shape; parsed again only when somebody looks
        self.time = 0.0
        self.kind = "text"
        self.callback: str | None = None
        self.status_url = ""  # where its statuses go, if the send named a place
        self.category = "service"
        self.in_window = True
        self.by_user_id = False
        self.level = "accepted"
        self.failed_code = 0
        self.nth = 0
        self.opened = False  # a phone page showed it, so its read status is on the way


class Received:
    """A message a person sent to the business."""

    __slots__ = ("is_read", "message", "time")

    def __init__(self, message: dict[str, Any], time: float) -> None:
        self.message = message
        self.time = time
        self.is_read = False  # the business has said so


Item = Sent | Received


class Chat:
    __slots__ = ("contact", "items", "number_id", "time", "typing_until", "unread")

    def __init__(self, number_id: str, contact: Contact) -> None:
        self.number_id = number_id
        self.contact = contact
        self.items: deque[Item] = deque(maxlen=KEPT_MESSAGES)
        self.time = 0.0
        self.typing_until = 0.0  # unix seconds; the business is writing an answer
        self.unread = 0


class Chats:
    """The threads of all phones, the least recently used forgotten first."""

    def __init__(self) -> None:
        self._chats: OrderedDict[tuple[str, str], Chat] = OrderedDict()
        self._heard: OrderedDict[str, Chat] = OrderedDict()  # by the id of what a person sent
        self.listeners: list[Callable[[Chat, Item], None]] = []

    def at(self, number_id: str, contact: Contact) -> Chat:
        key = (number_id, contact.address)
        chat = self._chats.get(key)
        if chat is None:
            chat = self._chats[key] = Chat(number_id, contact)
            if len(self._chats) > KEPT_CHATS:
                self._chats.popitem(last=False)
        else:
            self._chats.move_to_end(key)
        return chat

    def add(self, number_id: str, contact: Contact, item: Item) -> None:
        chat = self.at(number_id, contact)
        chat.items.append(item)
        chat.time = item.time
        if isinstance(item, Sent):
            chat.unread += 1
            chat.typing_until = 0.0
        else:
            self._remember(str(item.message.get("id", "")), chat)
        self.tell(chat, item)

    def mark_read(self, number_id: str, wamid: str, typing_until: float) -> None:
        """The business has read a message, and with it all before; of one that was forgotten nothing is shown."""
        chat = self._heard.get(wamid)
        if chat is None or chat.number_id != number_id:
            return
        chat.typing_until = typing_until
        for item in chat.items:
            if isinstance(item, Received):
                item.is_read = True
                if item.message.get("id") == wamid:
                    self.tell(chat, item)
                    return

    def _remember(self, wamid: str, chat: Chat) -> None:
        self._heard[wamid] = chat
        if len(self._heard) > KEPT_HEARD:
            self._heard.popitem(last=False)

    def raise_level(self, sent: Sent, level: str) -> None:
        """Move a message's ticks forward, never back."""
        if RANK[level] <= RANK[sent.level]:
            return
        sent.level = level
        if self.listeners:
            self.tell(self.at(sent.number_id, sent.contact), sent)

    def tell(self, chat: Chat, item: Item) -> None:
        for listener in self.listeners:
            listener(chat, item)

    def newest(self, *, address: str = "", number_id: str = "", limit: int = 50) -> list[Chat]:
        found = [
            chat
            for chat in reversed(self._chats.values())
            if (not address or chat.contact.address == address) and (not number_id or chat.number_id == number_id)
        ]
        return sorted(found[: limit * 4], key=lambda chat: -chat.time)[:limit]
