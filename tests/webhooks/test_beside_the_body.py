"""What a webhook tells beside its body reaches whoever reads it: the query of the address, and when it came in."""

import base64
import hashlib
import hmac
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest

from bot.connections import numbers
from bot.models.connection import Number
from bot.models.words import Environment
from tests import factories
from tests.webhooks.conftest import PHONE, Line, connect

OURS = "15550009999"


@pytest.fixture
def twilio(line: Line) -> Line:
    return with_connection(line, "twilio", {"auth_token": "token-of-twilio"})


@pytest.fixture
def kaleyra(line: Line) -> Line:
    return with_connection(line, "kaleyra-v1", {"api_key": "key", "webhook_secret": "planted"})


def with_connection(line: Line, provider: str, secrets: dict[str, str]) -> Line:
    added = connect(line, "other", provider, **secrets)
    with line.rt.transaction() as session:
        number = numbers.add(
            session,
            added,
            environment=Environment.LIVE,
            provider_number_id=OURS,
            phone=f"+{OURS}",
            name="Other line",
        )
        return Line(line.rt, line.app, line.client, number.id, added.id, "other")


def tell_twilio(line: Line, query: str, **fields: str) -> int:
    url = f"{line.rt.settings.base_url}/webhooks/other" + (f"?{query}" if query else "")
    told = "".join(name + value for name, value in sorted(fields.items()))
    digest = hmac.digest(b"token-of-twilio", (url + told).encode(), hashlib.sha1)
    headers = {
        "X-Twilio-Signature": base64.b64encode(digest).decode(),
        "Content-Type": "application/x-www-form-urlencoded",
    }
    address = f"/webhooks/other?{query}" if query else "/webhooks/other"
    return line.client.post(address, data=urlencode(fields), headers=headers).status_code


def status_of(sid: str, word: str) -> dict[str, str]:
    return {"MessageSid": sid, "MessageStatus": word, "From": f"whatsapp:+{OURS}", "To": f"whatsapp:+{PHONE}"}


def sent_in_doubt(line: Line) -> int:
    with line.rt.transaction() as session:
        number = session.get_one(Number, line.number_id)
        person = factories.make_person(session, phone=f"+{PHONE}")
        return factories.make_outbound(session, person, number, state="unknown", attempt=1).id


def test_a_status_finds_its_message_by_the_mark_in_the_address(twilio: Line) -> None:
    message_id = sent_in_doubt(twilio)
    assert tell_twilio(twilio, f"mark=o1.{message_id}.1", **status_of("SM1", "delivered")) == 200
    twilio.apply()
    assert twilio.rows("SELECT state, delivery_level, provider_message_id FROM message") == [("accepted", 2, "SM1")]


def test_the_same_status_for_two_marks_is_two_events(twilio: Line) -> None:
    first = sent_in_doubt(twilio)
    assert tell_twilio(twilio, f"mark=o1.{first}.1", **status_of("SM1", "sent")) == 200
    assert tell_twilio(twilio, f"mark=o1.{first + 1}.1", **status_of("SM1", "sent")) == 200
    assert tell_twilio(twilio, f"mark=o1.{first}.1", **status_of("SM1", "sent")) == 200
    assert twilio.ask("SELECT count(*) FROM webhook_event") == 2


def test_what_tells_no_time_happened_when_it_came_in(twilio: Line) -> None:
    fields = {"MessageSid": "SM2", "Body": "hello", "From": f"whatsapp:+{PHONE}", "To": f"whatsapp:+{OURS}"}
    assert tell_twilio(twilio, "", **fields) == 200
    twilio.apply()
    received_at = twilio.ask("SELECT received_at FROM webhook_event")
    assert twilio.rows("SELECT body, occurred_at FROM message") == [("hello", received_at)]


def test_a_get_may_be_a_message_and_a_second_one_is_no_second_message(kaleyra: Line) -> None:
    created_at = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=5)
    told = {"wanumber": OURS, "from": PHONE, "type": "text", "body": "hello", "mime_type": "<mime_type>"}
    query = urlencode(told | {"created_at": str(int(created_at.timestamp()))})
    for extra in ("", "&ref=again"):
        assert kaleyra.client.get(f"/webhooks/other/planted?{query}{extra}").status_code == 200
    kaleyra.apply()
    assert kaleyra.ask("SELECT count(*) FROM webhook_event") == 2
    assert kaleyra.rows("SELECT body, occurred_at FROM message") == [("hello", created_at)]
    assert kaleyra.client.get(f"/webhooks/other/wrong?{query}").status_code == 401


def test_kaleyra_s_status_by_get_finds_its_message_without_a_number_or_a_time(kaleyra: Line) -> None:
    with kaleyra.rt.transaction() as session:
        number = session.get_one(Number, kaleyra.number_id)
        person = factories.make_person(session, phone=f"+{PHONE}")
        factories.make_outbound(session, person, number, state="accepted", attempt=1, provider_message_id="58f8-1")
    assert kaleyra.client.get("/webhooks/other/planted?id=58f8-1%3A0&status=read").status_code == 200
    kaleyra.apply()
    assert kaleyra.rows("SELECT delivery_level FROM message") == [(3,)]
