"""Media, numbers and subscriptions."""

import base64
import hashlib
from urllib.parse import urlsplit

from tests.harness.simulator import NUMBER_ID, VERIFY_TOKEN, WABA_ID
from tests.simulator.business import Business
from tests.simulator.desk import PERSON, Desk

PNG = b"\x89PNG\r\n\x1a\n not really"


def upload(sim: Desk, content: bytes, kind: str, product: str = "whatsapp") -> tuple[int, bytes]:
    lines = (
        b"--edge",
        b'Content-Disposition: form-data; name="messaging_product"',
        b"",
        product.encode(),
        b"--edge",
        b'Content-Disposition: form-data; name="file"; filename="a.png"',
        b"Content-Type: " + kind.encode(),
        b"",
        content,
        b"--edge--",
        b"",
    )
    body = b"\r\n".join(lines)
    headers = {"Content-Type": "multipart/form-data; boundary=edge"}
    return sim.call("POST", f"/v25.0/{NUMBER_ID}/media", body, headers=headers)


def upload_id(sim: Desk) -> str:
    status, raw = upload(sim, PNG, "image/png")
    assert status == 200, raw
    return raw.decode().split('"')[3]


def test_an_upload_can_be_sent_looked_up_and_downloaded_with_the_token_only(sim: Desk) -> None:
    media_id = upload_id(sim)
    about = sim.graph("GET", f"/v25.0/{media_id}").body
    assert (about["mime_type"], about["file_size"], about["id"]) == ("image/png", len(PNG), media_id)
    assert about["sha256"] == hashlib.sha256(PNG).hexdigest()
    url = urlsplit(about["url"])
    assert sim.call("GET", f"{url.path}?{url.query}") == (200, PNG)
    assert sim.call("GET", f"{url.path}?{url.query}", token="wrong")[0] == 401
    assert sim.call("GET", f"{url.path}?{url.query}0")[0] == 404
    assert sim.call("GET", f"{url.path}?ext=1&hash=0")[0] == 404
    sim.control("faults", {"media_life_s": 0}, method="PUT")
    old = urlsplit(sim.graph("GET", f"/v25.0/{media_id}").body["url"])
    assert sim.call("GET", f"{old.path}?{old.query}")[0] == 404
    sim.open_window()
    assert sim.send(type="image", image={"id": media_id}).status == 200
    assert sim.graph("DELETE", f"/v25.0/{media_id}").body == {"success": True}
    assert sim.graph("GET", f"/v25.0/{media_id}").code == 100


def test_an_upload_of_the_wrong_kind_or_size_is_refused(sim: Desk) -> None:
    assert b"(#100)" in upload(sim, PNG, "image/gif")[1]
    assert b"131053" in upload(sim, bytes(5 * 1024 * 1024 + 1), "image/png")[1]
    assert b"(#100)" in upload(sim, PNG, "image/png", product="other")[1]
    assert sim.graph("POST", f"/v25.0/{NUMBER_ID}/media", {}).code == 100


def test_media_people_send_can_be_downloaded(sim: Desk, business: Business) -> None:
    sim.control("inbound", {"from": PERSON, "type": "image"})
    image = business.messages()[0]["image"]
    about = sim.graph("GET", f"/v25.0/{image['id']}").body
    status, content = sim.call("GET", urlsplit(about["url"])._replace(scheme="", netloc="").geturl())
    assert (status, content[:4]) == (200, b"\x89PNG")
    assert image["sha256"] == base64.b64encode(hashlib.sha256(content).digest()).decode()


def test_a_number_and_its_account_can_be_looked_up(sim: Desk) -> None:
    number = sim.graph("GET", f"/v25.0/{NUMBER_ID}").body
    assert (number["id"], number["display_phone_number"], number["status"]) == (
        NUMBER_ID,
        "+201000000000",
        "CONNECTED",
    )
    assert sim.graph("GET", f"/v25.0/{WABA_ID}").body["id"] == WABA_ID
    (listed,) = sim.graph("GET", f"/v25.0/{WABA_ID}/phone_numbers").body["data"]
    assert listed == number
    assert sim.graph("GET", "/v25.0/404").body["error"]["error_subcode"] == 33
    assert sim.graph("GET", "/nowhere").status == 404


def test_subscribing_shakes_hands_with_the_new_callback_first(sim: Desk, business: Business) -> None:
    path = f"/v25.0/{WABA_ID}/subscribed_apps"
    address = {"override_callback_uri": business.url}
    assert sim.graph("POST", path, address | {"verify_token": "wrong"}).code == 2200
    assert sim.graph("POST", path, address | {"verify_token": VERIFY_TOKEN}).body == {"success": True}
    assert sim.graph("POST", path, {"override_callback_uri": "https://example.org"}).code == 100
    assert sim.graph("POST", path).body == {"success": True}
    assert sim.graph("GET", path).body["data"][0]["override_callback_uri"] == business.url


def test_the_handshake_can_be_asked_for(sim: Desk, business: Business) -> None:
    assert sim.control("verify", {})["problem"] == ""
    account = sim.control("config")["accounts"][0]
    sim.control("config", {"accounts": [account | {"verify_token": "wrong"}]}, method="PUT")
    assert "403" in sim.control("verify", {})["problem"]
    nobody = {"callback_url": "http://127.0.0.1:9/"}
    sim.control("config", {"accounts": [account | nobody]}, method="PUT")
    assert "No answer" in sim.control("verify", {})["problem"]
    assert business.bodies == []
