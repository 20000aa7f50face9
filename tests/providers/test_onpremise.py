"""How an on-premises installation is asked, and what its answers mean."""

from typing import Any

import orjson
import pytest

from bot.providers import cloud_codes, legacy_codes
from bot.providers.base import Account, Action, OutboundMessage, UnsendableError
from bot.providers.onpremise import OnPremise

ACCOUNT = Account("https://wa.example:9090", "ns_7a1f", {"access_token": "the-token", "webhook_secret": "planted"})
onpremise = OnPremise()


def asked(content: dict[str, Any], to: str = "+254700000011") -> Any:
    request = onpremise.request(ACCOUNT, "", OutboundMessage(to, content, "o1.7.1"))
    assert (request.method, request.url) == ("POST", "https://wa.example:9090/v1/messages")
    assert request.headers == {"Authorization": "Bearer the-token", "Content-Type": "application/json"}
    return orjson.loads(request.body)


@pytest.mark.parametrize(
    "content, sent",
    [
        (
            {"type": "text", "text": {"body": "Habari", "preview_url": False}},
            {"type": "text", "preview_url": False, "text": {"body": "Habari"}},
        ),
        ({"type": "image", "image": {"link": "https://x.example/1.png"}},) * 2,
        (
            {"type": "template", "template": {"name": "visit", "language": {"code": "sw"}}},
            {
                "type": "template",
                "template": {
                    "namespace": "ns_7a1f",
                    "name": "visit",
                    "language": {"policy": "deterministic", "code": "sw"},
                },
            },
        ),
        ({"type": "interactive", "interactive": {"type": "list", "action": {}}},) * 2,
    ],
)
def test_content_is_put_as_the_installation_wants_it(content: dict[str, Any], sent: dict[str, Any]) -> None:
    assert asked(content) == {"recipient_type": "individual", "to": "254700000011"} | sent


@pytest.mark.parametrize(
    "content, to, reason",
    [
        ({"type": "text", "text": {"body": "hm"}}, "KE.42", "cannot write to a user id"),
        ({"type": "reaction", "reaction": {"message_id": "g", "emoji": "x"}}, "254700000011", "the kind reaction"),
        ({"type": "interactive", "interactive": {"type": "cta_url"}}, "254700000011", "of the kind cta_url"),
        ({"type": "interactive"}, "254700000011", "interactive"),
    ],
)
def test_what_the_installation_cannot_carry_is_said(content: dict[str, Any], to: str, reason: str) -> None:
    with pytest.raises(UnsendableError, match=reason):
        asked(content, to)


@pytest.mark.parametrize(
    "status, code, action",
    [
        (400, 470, Action.FAIL),
        (400, 1013, Action.FAIL),
        (403, 1005, Action.STOP_NUMBER),
        (403, 1031, Action.STOP_NUMBER),
        (402, 402, Action.STOP_NUMBER),
        (400, 471, Action.STOP_NUMBER),
        (429, 1015, Action.THROTTLE),
        (400, 1016, Action.RETRY),
        (400, 2001, Action.STOP_BROADCAST),
        (400, 2002, Action.RETRY),
        (400, 1000, Action.UNKNOWN),
        (500, 1013, Action.UNKNOWN),
        (400, 131026, Action.FAIL),
        (400, 424242, Action.FAIL),
    ],
)
def test_a_code_means_one_thing(status: int, code: int, action: Action) -> None:
    outcome = onpremise.outcome(status, orjson.dumps({"meta": {}, "errors": [{"code": code, "title": "no"}]}))
    assert (outcome.action, outcome.code) == (action, code)


def test_the_codes_of_both_apis_stand_in_one_table_without_a_clash() -> None:
    own = [code for listed in legacy_codes._BY_ACTION.values() for code in listed]
    assert len(own) == len(set(own))
    assert not set(own) & set(cloud_codes.ACTIONS)
    assert set(legacy_codes.MEANINGS) <= set(legacy_codes.ACTIONS)


def test_a_link_in_a_message_is_followed_without_the_token() -> None:
    assert onpremise.media
    assert onpremise.media.fetch(ACCOUNT, "https://files.example/7.png").headers == {}
    assert onpremise.media.fetch(ACCOUNT, "//files.example/7.png").url == "https://wa.example:9090//files.example/7.png"
