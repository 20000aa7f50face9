"""Bodies such as each provider might send, and such as none would: recorded ones bent and cut, and made-up ones."""

import json
from typing import Any
from urllib.parse import parse_qsl, urlencode

from hypothesis import strategies as st

from bot.providers.base import RECEIVED_AT
from bot.providers.registry import PROVIDERS
from tests.harness import recorded
from tests.harness.sizes import sizes
from webhooks import cases

CASES = recorded.every()
NASTY: tuple[Any, ...] = ("a\0b", "\ud800", "9" * 400, "1" + "0" * 30, 2**70, -(2**63) - 1, 10**400, 1e308, [[]] * 40)
"""What a database, a date or a number's type may choke on."""
HOW_OFTEN = sizes(50, 600, 10_000)


def documents_of(name: str) -> list[Any]:
    found = []
    for case in CASES:
        if case.provider == name and case.genuine:
            try:
                found.append(json.loads(case.call.body))
            except ValueError:
                found.append(dict(parse_qsl(case.call.body.decode("latin-1"))))
    return found


def words_in(value: Any) -> set[str]:
    """Every member name and short text of a document: what a made-up one is made of."""
    if isinstance(value, dict):
        return set(value) | {word for inner in value.values() for word in words_in(inner)}
    if isinstance(value, list):
        return {word for inner in value for word in words_in(inner)}
    return {value} if isinstance(value, str) and len(value) <= 40 else set()


def bodies_of(name: str) -> st.SearchStrategy[bytes]:
    documents, raw = documents_of(name), [case.call.body for case in CASES if case.provider == name]
    words = st.sampled_from(sorted({word for document in documents for word in words_in(document)} | {"id"}))
    scalars = (
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | words | st.sampled_from(NASTY)
    )
    values = st.recursive(
        scalars,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(words, inner, max_size=6),
        max_leaves=25,
    )
    shapes = [values.map(dumped), st.dictionaries(words, words | st.text(max_size=8), max_size=8).map(form)]
    if documents:
        shapes += [bent(st.sampled_from(documents), values), cut(st.sampled_from(raw))]
    return st.one_of(*shapes, st.binary(max_size=200))


def dumped(value: Any) -> bytes:
    return json.dumps(value).encode()


def form(fields: dict[str, str]) -> bytes:
    return urlencode(fields, errors="replace").encode()


@st.composite
def bent(draw: st.DrawFn, documents: st.SearchStrategy[Any], values: st.SearchStrategy[Any]) -> bytes:
    """A recorded document with one to three of its members replaced or taken out."""
    document = json.loads(json.dumps(draw(documents)))
    for _ in range(draw(st.integers(1, 3))):
        holder = document
        while isinstance(holder, dict | list) and holder:
            key = draw(st.sampled_from(sorted(holder) if isinstance(holder, dict) else range(len(holder))))
            if not isinstance(holder[key], dict | list) or draw(st.booleans()):
                if draw(st.booleans()):
                    holder[key] = draw(values)
                else:
                    del holder[key]
                break
            holder = holder[key]
    is_form = isinstance(document, dict) and all(isinstance(value, str) for value in document.values())
    return form(document) if is_form else dumped(document)


@st.composite
def cut(draw: st.DrawFn, bodies: st.SearchStrategy[bytes]) -> bytes:
    body = draw(bodies)
    start, end = sorted((draw(st.integers(0, len(body))), draw(st.integers(0, len(body)))))
    return body[:start] + draw(st.binary(max_size=4)) + body[end:]


def headers_of(name: str) -> st.SearchStrategy[dict[str, str]]:
    words = st.sampled_from(
        ["application/json", "application/x-www-form-urlencoded", "turn", "whatsapp", "1", "", cases.RECEIVED]
    )
    names = ["content-type", RECEIVED_AT, *PROVIDERS[name].kept_headers]
    return st.dictionaries(st.sampled_from(names), words | st.text(max_size=8), max_size=len(names))
