"""A configuration from JSON: read, laid over another, checked."""

from collections.abc import Iterable
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, TypeVar, get_type_hints
from urllib.parse import urlsplit

import orjson

from simulator.config import (
    DIALECTS,
    LOOPBACK,
    SEND_FAULTS,
    SPREADS,
    STATUS_FAULTS,
    VERDICTS,
    Account,
    Config,
    ConfigError,
    Number,
    Person,
    Template,
)

Section = TypeVar("Section")

SIGNING = frozenset({"cloud", "turn"})
"""Dialects that sign with a secret of their own for it."""

LONE = frozenset({"360dialog", "turn", "onpremise"})
"""Dialects in which nothing names the number, so that an account has one."""

LISTS: dict[str, tuple[type, tuple[str, ...]]] = {
    "accounts": (Account, ("waba_id",)),
    "numbers": (Number, ("id",)),
    "templates": (Template, ("waba_id", "name", "language")),
    "people": (Person, ("phone", "user_id")),
}
"""List sections: what an item is, and the members that make it the same item as an earlier one."""


def load_config(path: Path) -> Config:
    try:
        document = orjson.loads(path.read_bytes())
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    except orjson.JSONDecodeError as error:
        raise ConfigError(f"{path}: not JSON: {error}") from None
    return merge_config(Config(), document)


def merge_config(config: Config, document: object) -> Config:
    """A new configuration with the members of `document` laid over: list items by their key, sections by member."""
    given = _mapping(document, "config")
    _refuse_unknown(given, (f.name for f in fields(Config)), "config")
    merged: dict[str, Any] = {f.name: getattr(config, f.name) for f in fields(Config)}
    for name, value in given.items():
        if name in LISTS:
            merged[name] = _merge_list(merged[name], value, name)
        elif is_dataclass(merged[name]):
            merged[name] = _read_over(merged[name], value, name)
        else:
            merged[name] = _checked(value, int, name)
    result = Config(**merged)
    _check(result)
    return result


def _merge_list(old: list[Any], value: object, name: str) -> list[Any]:
    if not isinstance(value, list):
        raise ConfigError(f"{name}: a list is needed")
    kind, key = LISTS[name]
    items = {tuple(getattr(item, member) for member in key): item for item in old}
    for position, raw in enumerate(value):
        item: Any = read_section(kind, raw, f"{name}[{position}]")
        items[tuple(getattr(item, member) for member in key)] = item
    return list(items.values())


def _read_over(old: Any, value: object, place: str) -> Any:  # noqa: ANN401 - any section
    members = {f.name: getattr(old, f.name) for f in fields(old)}
    return read_section(type(old), members | _mapping(value, place), place)


def read_section(kind: type[Section], value: object, place: str) -> Section:
    """Make one dataclass from JSON; raises ConfigError naming the member."""
    given = _mapping(value, place)
    hints = get_type_hints(kind)
    _refuse_unknown(given, hints, place)
    members = {name: _checked(member, hints[name], f"{place}.{name}") for name, member in given.items()}
    try:
        return kind(**members)
    except TypeError as error:
        raise ConfigError(f"{place}: {str(error).partition('() ')[2]}") from None


def _checked(value: object, hint: Any, place: str) -> Any:  # noqa: ANN401 - hints are read at run time
    kind = getattr(hint, "__origin__", hint)
    wanted: tuple[type, ...] = (int, float) if kind is float else (kind,)
    if not isinstance(value, wanted) or (isinstance(value, bool) and kind is not bool):
        raise ConfigError(f"{place}: {kind.__name__} is needed, not {type(value).__name__}")
    return value


def _mapping(value: object, place: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ConfigError(f"{place}: an object is needed")
    return value


def _refuse_unknown(given: dict[str, Any], known: Iterable[str], place: str) -> None:
    names = set(known)
    for name in given:
        if name not in names:
            raise ConfigError(f"{place}.{name}: unknown; known are {', '.join(sorted(names))}")


def _check(config: Config) -> None:
    _check_owners(config)
    for person in config.people:
        if not (person.phone or person.user_id):
            raise ConfigError("people: each needs a phone or a user_id")
    _check_odds(config.faults.send, SEND_FAULTS, "faults.send")
    _check_odds(config.faults.status, STATUS_FAULTS, "faults.status")
    if sum(config.faults.send.values()) > 1:
        raise ConfigError("faults.send: the probabilities add up to more than 1")
    if config.delivery.spread not in SPREADS:
        raise ConfigError(f"delivery.spread: one of {', '.join(SPREADS)}")
    if config.review.verdict not in VERDICTS:
        raise ConfigError("review.verdict: APPROVED, REJECTED or empty")
    for name, most in (("window_ms", 60_000), ("concurrency", 1000), ("tries", 1000), ("max_updates", 1000)):
        if not 1 <= getattr(config.delivery, name) <= most:
            raise ConfigError(f"delivery.{name}: 1 to {most}")


def _check_owners(config: Config) -> None:
    accounts = {account.waba_id for account in config.accounts}
    for account in config.accounts:
        if account.callback_url and urlsplit(account.callback_url).hostname not in LOOPBACK:
            raise ConfigError(f"accounts {account.waba_id}.callback_url: only loopback addresses are called")
        if account.dialect not in DIALECTS:
            raise ConfigError(f"accounts {account.waba_id}.dialect: one of {', '.join(DIALECTS)}")
        if account.dialect in SIGNING and not account.app_secret:
            raise ConfigError(f"accounts {account.waba_id}.app_secret: needed, for it signs the webhooks")
        numbers = sum(number.waba_id == account.waba_id for number in config.numbers)
        if account.dialect in LONE and numbers > 1:
            raise ConfigError(f"accounts {account.waba_id}: speaks {account.dialect} and can have one number only")
    owners = [("numbers", number.waba_id) for number in config.numbers]
    owners += [("templates", template.waba_id) for template in config.templates]
    for place, waba_id in owners:
        if waba_id not in accounts:
            raise ConfigError(f"{place}: no account has the waba_id {waba_id!r}")


def _check_odds(odds: dict[str, float], known: frozenset[str], place: str) -> None:
    _refuse_unknown(odds, known, place)
    for name, odd in odds.items():
        if isinstance(odd, bool) or not isinstance(odd, int | float) or not 0 <= odd <= 1:
            raise ConfigError(f"{place}.{name}: a probability from 0 to 1 is needed")
