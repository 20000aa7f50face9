"""Which requests and statuses go wrong: by magic recipient, or drawn from the seed and the recipient."""

import hashlib
import time
from typing import NamedTuple

from simulator.chats import Sent
from simulator.config import Config
from simulator.people import Contact

MAGIC_PREFIX = "1500"
MAGIC_LENGTH = 11


class Magic(NamedTuple):
    """`times` is how many requests to the recipient are hit (0: all); `status` names status faults of the message."""

    send: str = ""
    times: int = 0
    status: tuple[str, ...] = ()
    code: int = 0


MAGIC: dict[str, Magic] = {
    "0001": Magic("131026"),
    "0002": Magic("131049"),
    "0003": Magic("131056"),
    "0004": Magic("130429", times=1),
    "0005": Magic("190"),
    "0006": Magic("server_error_before", times=1),
    "0007": Magic("server_error_after", times=1),
    "0008": Magic("drop_before", times=1),
    "0009": Magic("drop_after", times=1),
    "0010": Magic("reset_after", times=1),
    "0011": Magic("garbage", times=1),
    "0012": Magic("empty", times=1),
    "0013": Magic("truncated", times=1),
    "0014": Magic("html", times=1),
    "0015": Magic("hang", times=1),
    "0016": Magic("slow", times=1),
    "0017": Magic(status=("never_delivered",)),
    "0018": Magic(status=("fail_later",), code=131026),
    "0019": Magic("reset_before", times=1),
    "0020": Magic("131050"),
    "0021": Magic("held"),
    "0022": Magic("close_idle"),
    "0023": Magic(status=("read_without_delivered",)),
    "0024": Magic(status=("no_callback_data",)),
    "0025": Magic(status=("order", "repeat")),
    "0026": Magic(status=("fail_later",), code=131049),
    "0027": Magic(status=("loss",)),
    "0028": Magic(status=("delay",)),
    "0029": Magic(status=("delivered_then_failed",), code=131026),
    "0030": Magic(status=("failed_then_delivered",), code=131026),
}
"""Last four digits of a recipient +1500 NXX SSSS; docs/simulator.md tells what each does."""


def draw(seed: int, what: str, who: str, nth: int) -> float:
    """A number in [0, 1) that is the same whenever seed, purpose, recipient and count are the same."""
    digest = hashlib.blake2b(f"{seed}|{what}|{who}|{nth}".encode(), digest_size=7).digest()
    return int.from_bytes(digest) / (1 << 56)


def magic_of(contact: Contact) -> Magic | None:
    phone = contact.phone
    if len(phone) == MAGIC_LENGTH and phone.startswith(MAGIC_PREFIX):
        return MAGIC.get(phone[-4:])
    return None


def pick_send_fault(config: Config, contact: Contact) -> str:
    """The name of what happens to this request, or nothing; counts the request."""
    contact.asked += 1
    faults = config.faults
    magic = magic_of(contact) if faults.magic else None
    if magic is not None:
        if magic.send == "131056":
            return "131056" if _is_cooling(contact, faults.pair_s) else ""
        return magic.send if not magic.times or contact.asked <= magic.times else ""
    if not faults.send:
        return ""
    point = draw(config.seed, "send", contact.address, contact.asked)
    for name, odd in faults.send.items():
        if point < odd:
            return name
        point -= odd
    return ""


def _is_cooling(contact: Contact, pair_s: float) -> bool:
    """A pair that hit its limit is refused until `pair_s` after the first refusal."""
    now = time.monotonic()
    contact.cool_at = contact.cool_at or now + pair_s
    return now < contact.cool_at


def pick_status_faults(config: Config, sent: Sent) -> frozenset[str]:
    """The names of what goes wrong with the statuses of one accepted message."""
    faults = config.faults
    magic = magic_of(sent.contact) if faults.magic else None
    if magic is not None:
        sent.failed_code = magic.code
        return frozenset(magic.status)
    if not faults.status:
        return frozenset()
    who = sent.contact.address
    return frozenset(name for name, odd in faults.status.items() if draw(config.seed, name, who, sent.nth) < odd)
