"""The contract every provider keeps: recorded requests in, normalised events out."""

import re
from pathlib import Path
from typing import Any

import pytest

from bot.providers import cloud_alerts
from bot.providers.base import BadSignatureError, Call
from bot.providers.registry import PROVIDERS
from tests.harness import recorded
from webhooks import cases
from webhooks.cases import Case

CASES = recorded.every()
GENUINE = [case for case in CASES if case.genuine]
FORGED = [case for case in CASES if not case.genuine]


@pytest.mark.parametrize("case", GENUINE, ids=str)
def test_a_genuine_request_is_accepted_and_says_what_was_recorded(case: Case) -> None:
    provider = PROVIDERS[case.provider]
    provider.verify(case.account, case.call)
    events = provider.parse(case.call.body, cases.kept_headers(provider, case.call))
    assert [cases.told(event) for event in events] == case.events


ALERTS = [event for case in GENUINE for event in case.events if event["event"] == "AccountAlert"]


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert["kind"])
def test_what_an_alert_says_is_read_again_from_what_came_in(alert: dict[str, Any]) -> None:
    kind, detail = alert["kind"], alert["detail"]
    assert cloud_alerts.said(kind, detail, str) == alert["text"]
    is_meta_s = "alert_description" in (detail.get("alert_info") or detail)
    said = cloud_alerts.said(kind, detail, lambda text: f"«{text}»") or ""
    assert ("«" in said) != is_meta_s


@pytest.mark.parametrize("case", FORGED, ids=str)
def test_a_forged_request_is_refused(case: Case) -> None:
    with pytest.raises(BadSignatureError) as refusal:
        PROVIDERS[case.provider].verify(case.account, case.call)
    assert refusal.value.args == ()  # whoever tries learns nothing of what was expected


ODD = ("", "é, é", "\x00", "sha256=", "Basic =", "Basic w6k=", "Bearer x", "a" * 5000)


@pytest.mark.parametrize("case", GENUINE, ids=str)
def test_nothing_odd_proves_a_request(case: Case) -> None:
    call, provider = case.call, PROVIDERS[case.provider]
    # Whatever else came along, it is not the account's address with the secret behind it any more.
    address = case.account.webhook_url + (f"?{call.url.partition('?')[2]}" if "?" in call.url else "")
    names = [name for name, _ in call.headers.items() if name.lower() != "content-type"]
    for odd in (None, *ODD):
        headers = cases.headers({} if odd is None else dict.fromkeys(names, odd))
        for path_secret in (None, odd):
            with pytest.raises(BadSignatureError):
                provider.verify(case.account, Call(call.method, address, headers, call.body, path_secret))


@pytest.mark.parametrize("name", PROVIDERS)
def test_every_provider_has_recorded_a_message_a_status_and_a_forged_request(name: str) -> None:
    of_name = [case for case in CASES if case.provider == name]
    kinds = {event["event"] for case in of_name for event in case.events}
    assert {"InboundMessage", "StatusUpdate", "Unreadable"} <= kinds
    assert any(not case.genuine for case in of_name)


@pytest.mark.parametrize("name", PROVIDERS)
def test_what_we_choose_is_among_a_provider_s_secrets(name: str) -> None:
    assert set(PROVIDERS[name].chosen_secrets) <= set(PROVIDERS[name].secret_names)


def test_every_folder_of_recordings_is_a_provider_s() -> None:
    assert {case.provider for case in CASES} <= set(PROVIDERS)


@pytest.mark.parametrize("name", PROVIDERS)
def test_every_provider_says_what_its_connections_need(name: str) -> None:
    provider = PROVIDERS[name]
    assert provider.name == name
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name)
    assert provider.title
    assert all(re.fullmatch(r"[a-z][a-z0-9_]*", secret) for secret in provider.secret_names)
    assert provider.secret_names
    base = provider.default_base_url
    assert base is None or (base.startswith("https://") and not base.endswith("/"))
    assert all(header == header.lower() for header in provider.kept_headers)
    content_type, text = provider.acknowledgement
    assert "/" in content_type
    assert text.isprintable()


@pytest.mark.parametrize("name", PROVIDERS)
def test_the_manual_says_what_every_provider_needs(name: str) -> None:
    manual, provider = (Path(__file__).parents[2] / "docs" / "providers.md").read_text(), PROVIDERS[name]
    needed = (name, *provider.secret_names, *filter(None, [provider.default_base_url]))
    assert [word for word in needed if f"`{word}`" not in manual] == []
