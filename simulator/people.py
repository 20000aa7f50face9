import hashlib
import re
from collections.abc import Iterable

from simulator.config import Person

USER_ID = re.compile(r"[A-Z]{2}\.(ENT\.)?[A-Za-z0-9]{1,128}")
PHONE_NOISE = str.maketrans("", "", "+ -().")
NAMES = ("Amina", "Bilal", "Chidi", "Divya", "Elif", "Farah", "Grace", "Hassan", "Ines", "Joao", "Kemi", "Lina")
CALLING_CODES = (
    "US+1 EG+20 ZA+27 GR+30 NL+31 BE+32 FR+33 ES+34 IT+39 GB+44 DE+49 MX+52 AR+54 BR+55 AU+61 ID+62 PH+63 JP+81 "
    "TR+90 IN+91 PK+92 MA+212 DZ+213 TN+216 NG+234 RW+250 KE+254 LB+961 JO+962 IQ+964 SA+966 AE+971"
)
REGIONS = {pair[3:]: pair[:2] for pair in CALLING_CODES.split()}
"""Calling code to the country that opens a business-scoped user id; the rest are called ZZ."""


class Contact:
    """One WhatsApp user as the businesses of this simulator see them."""

    __slots__ = (
        *("_user_id", "accepted", "asked", "attended", "cool_at", "hide_phone", "last_inbound"),
        *("name", "phone", "username"),
    )

    def __init__(self, phone: str, user_id: str, name: str = "") -> None:
        self.phone = phone
        self._user_id = user_id
        self.name = name or NAMES[int(phone[-3:] or len(user_id)) % len(NAMES)]
        self.username = ""
        self.hide_phone = not phone
        self.last_inbound: dict[str, float] = {}  # phone_number_id: unix seconds; opens the service window
        self.asked = 0  # send requests seen, and of these accepted: the counters faults are drawn from
        self.accepted = 0
        self.cool_at = 0.0  # monotonic; until then the pair limit of a magic recipient refuses
        self.attended = 0  # phone pages open for this person

    @property
    def address(self) -> str:
        return self.phone or self._user_id

    @property
    def user_id(self) -> str:
        """The business-scoped user id; derived from the phone, so that it is the same on every run."""
        if not self._user_id:
            region = next((REGIONS[self.phone[:n]] for n in (3, 2, 1) if self.phone[:n] in REGIONS), "ZZ")
            digest = hashlib.blake2b(self.phone.encode(), digest_size=8).digest()
            self._user_id = f"{region}.{int.from_bytes(digest):020d}"
        return self._user_id

    def profile(self, *, with_username: bool = True) -> dict[str, object]:
        """An item of a webhook's `contacts`."""
        profile = {"name": self.name}
        if self.username and with_username:
            profile["username"] = self.username
        item: dict[str, object] = {"profile": profile}
        if not self.hide_phone:
            item["wa_id"] = self.phone
        item["user_id"] = self.user_id
        return item


def digits_of(address: str) -> str:
    """The digits of a phone number in any of the spellings the provider takes, or nothing."""
    digits = address.translate(PHONE_NOISE)
    return digits if digits.isascii() and digits.isdigit() and 5 <= len(digits) <= 15 else ""


class People:
    """Everybody the simulator has heard of; whoever is not known yet comes into being when addressed."""

    def __init__(self, known: Iterable[Person] = ()) -> None:
        self._by_phone: dict[str, Contact] = {}
        self._by_user_id: dict[str, Contact] = {}
        for person in known:
            self.learn(person)

    def learn(self, person: Person) -> Contact:
        phone = digits_of(person.phone)
        contact = self._by_phone.get(phone) or self._by_user_id.get(person.user_id)
        if contact is None:
            contact = Contact(phone, person.user_id)
        elif phone and not contact.phone:
            contact.phone = phone
        contact.name = person.name or contact.name
        contact.username = person.username.removeprefix("@") or contact.username
        contact.hide_phone = person.hide_phone or not contact.phone
        self._by_user_id[contact.user_id] = contact
        if contact.phone:
            self._by_phone[contact.phone] = contact
        return contact

    def by_phone(self, digits: str) -> Contact:
        contact = self._by_phone.get(digits)
        if contact is None:
            contact = self._by_phone[digits] = Contact(digits, "")
        return contact

    def by_user_id(self, user_id: str) -> Contact:
        contact = self._by_user_id.get(user_id)
        if contact is None:
            contact = self._by_user_id[user_id] = Contact("", user_id)
        return contact

    def find(self, address: str) -> Contact | None:
        """By phone in any spelling or by user id; raises ValueError for what is neither."""
        if USER_ID.fullmatch(address):
            return self.by_user_id(address)
        digits = digits_of(address)
        return self.by_phone(digits) if digits else None

    def named(self) -> list[Contact]:
        """People somebody introduced, as against those who were only sent to."""
        return list(self._by_user_id.values())
