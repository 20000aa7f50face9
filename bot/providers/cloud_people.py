"""What is told of people and is no message: a user id that was renewed, a wish about marketing."""

from bot.providers import cloud_identity as identity
from bot.providers.cloud_items import Item, ItemError, Surroundings, part_of, time_of, word_of
from bot.providers.events import IdentityChange, PreferenceChange, Sender

_MAX_TEXT = 500


def user_id_event(at: str, item: Item, around: Surroundings) -> IdentityChange:
    """An item of the field `user_id_update`; raises ItemError. It has no message id, for it is no message."""
    ids = part_of(item, "user_id")
    previous, current = identity.text_of(ids, "previous"), identity.text_of(ids, "current")
    phone = identity.digits_of(identity.text_of(item, identity.OF_CONTACT.phone))
    if current is None or (previous is None and phone is None):
        raise ItemError("user_id.current, or who it belonged to, is missing")
    parent = identity.text_of(part_of(item, identity.OF_CONTACT.parent), "previous")
    sender = Sender(phone=phone, user_id=previous, parent_user_id=parent)
    return IdentityChange(at, around.number_id, "", sender, None, current, None, time_of(item))


def preference_event(at: str, item: Item, around: Surroundings) -> PreferenceChange:
    """An item of the field `user_preferences`; raises ItemError."""
    sender = identity.person_of(item, identity.OF_CONTACT, around.contacts)
    category, value = word_of(item, "category"), word_of(item, "value")
    if sender is None:
        raise ItemError("nothing says whose preference it is")
    if category is None or value is None:
        raise ItemError("category or value is missing or not a word")
    detail = item.get("detail")
    told = detail[:_MAX_TEXT] if isinstance(detail, str) and detail else None
    return PreferenceChange(at, around.number_id, sender, category, value.lower(), told, time_of(item))
