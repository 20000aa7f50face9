"""What a browser gets: the bytes, under headers that keep them from being anything else."""

from collections.abc import Callable
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from bot.media.shelf import Shelf, new_draft
from bot.models.message import Media
from bot.models.words import Environment, MediaState, Role
from bot.runtime import Runtime
from simulator.media_samples import SAMPLES
from tests.factories import make_conversation, make_inbound, make_number, make_person

PICTURE = SAMPLES["sample-image"][1]
Stored = Callable[..., Media]
SignIn = Callable[[str], FlaskClient]


@pytest.fixture
def stored(session: Session, shelf: Shelf) -> Stored:
    """A message with a file that is here."""

    def make(
        content: bytes = PICTURE, mime_type: str = "image/png", environment: str = "live", **more: object
    ) -> Media:
        number = make_number(session, environment=environment)
        person = make_person(session, environment=environment)
        make_conversation(session, person, number)
        message = make_inbound(session, person, number)
        columns = {"state": MediaState.STORED, "storage_key": f"key-{message.id}", "name": None} | more
        media = Media(message_id=message.id, number_id=number.id, mime_type=mime_type, size=len(content), **columns)
        session.add(media)
        session.commit()
        draft = new_draft(shelf)
        draft.write_bytes(content)
        shelf.put(f"key-{message.id}", draft)
        return media

    return make


@pytest.fixture
def coach(client_of: SignIn) -> FlaskClient:
    return client_of(Role.COACH)


def get(browser: FlaskClient, media: Media, query: str = "", **headers: str) -> TestResponse:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return browser.get(f"/media/{media.id}{query}", headers=named)


def test_a_photo_is_shown_as_what_it_is_and_kept_in_this_browser_alone(stored: Stored, coach: FlaskClient) -> None:
    answer = get(coach, stored(name="cat.png"))
    assert (answer.status_code, answer.data) == (200, PICTURE)
    assert answer.headers["Content-Type"] == "image/png"
    assert answer.headers["Content-Disposition"] == 'inline; filename="cat.png"'
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert answer.headers["Cache-Control"] == "private, max-age=600"
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize(
    "media_id, mime_type",
    [
        ("sample-svg", "application/octet-stream"),
        ("sample-svg", "image/svg+xml"),
        ("sample-html", "text/html"),
        ("sample-html", "application/octet-stream"),
        ("sample-document", "application/pdf"),
        ("sample-html", "text/xml"),
        ("sample-html", "image/x-unheard-of"),
    ],
)
def test_what_might_hold_a_script_is_only_ever_a_download_of_unknown_type(
    media_id: str, mime_type: str, stored: Stored, coach: FlaskClient
) -> None:
    answer = get(coach, stored(SAMPLES[media_id][1], mime_type, name="photo.jpg"))
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["Content-Disposition"].startswith("attachment;")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"


def test_a_hostile_name_stays_within_its_header(stored: Stored, coach: FlaskClient) -> None:
    name = '../x"\r\nSet-Cookie: a=b\r\n\r\n<script>' + "ü" * 4096 + ".pdf"
    answer = get(coach, stored(name=name, mime_type="application/pdf"))
    assert "Set-Cookie" not in answer.headers
    assert answer.headers["Content-Disposition"].startswith("attachment; filename=")
    assert len(answer.headers["Content-Disposition"]) < 2000


@pytest.mark.parametrize(
    "asked, status, part",
    [
        ("bytes=0-3", 206, slice(0, 4)),
        ("bytes=10-", 206, slice(10, None)),
        ("bytes=-5", 206, slice(-5, None)),
        ("bytes=0-999999", 206, slice(0, None)),
        ("bytes=0-1,5-6", 200, slice(0, None)),
        ("lines=0-1", 200, slice(0, None)),
        ("bytes=x", 200, slice(0, None)),
    ],
)
def test_a_player_may_ask_for_a_part(asked: str, status: int, part: slice, stored: Stored, coach: FlaskClient) -> None:
    answer = get(coach, stored(mime_type="audio/ogg"), Range=asked)
    assert (answer.status_code, answer.data) == (status, PICTURE[part])
    assert answer.content_length == len(answer.data)
    if status == 206:
        start = PICTURE.index(answer.data)
        assert answer.headers["Content-Range"] == f"bytes {start}-{start + len(answer.data) - 1}/{len(PICTURE)}"


def test_a_part_beyond_the_end_is_refused(stored: Stored, coach: FlaskClient) -> None:
    answer = get(coach, stored(), Range="bytes=999999-")
    assert answer.status_code == 416
    assert answer.headers["Content-Range"] == f"bytes */{len(PICTURE)}"


def test_a_file_the_browser_has_is_not_sent_again(stored: Stored, coach: FlaskClient) -> None:
    media = stored()
    etag = get(coach, media).headers["ETag"]
    answer = get(coach, media, If_None_Match=etag)
    assert (answer.status_code, answer.data) == (304, b"")


def test_only_coaches_and_admins_get_a_file(stored: Stored, client: FlaskClient, client_of: SignIn) -> None:
    media = stored()
    assert get(client, media).status_code == 401
    assert get(client_of(Role.MARKETER), media).status_code == 403
    assert get(client_of(Role.ADMIN), media).status_code == 200


def test_a_file_is_not_to_be_had_by_way_of_the_other_environment(stored: Stored, coach: FlaskClient) -> None:
    media = stored(environment=Environment.TEST)
    assert get(coach, media).status_code == 404
    assert get(coach, media, "?environment=test").status_code == 200


@pytest.mark.parametrize("state", [MediaState.WAITING, MediaState.FAILED, MediaState.REFUSED])
def test_what_is_not_here_is_not_found(state: MediaState, stored: Stored, coach: FlaskClient) -> None:
    assert get(coach, stored(state=state)).status_code == 404


def test_a_file_lost_from_the_shelf_is_not_found(stored: Stored, coach: FlaskClient, shelf: Shelf) -> None:
    media = stored()
    shelf.remove(media.storage_key or "")
    assert get(coach, media).status_code == 404


def test_a_shelf_that_cannot_be_read_says_so(stored: Stored, coach: FlaskClient, rt: Runtime) -> None:
    media = stored()
    key = media.storage_key or ""
    place = rt.settings.home / "media" / key[:2] / key[2:4]
    (place / key).unlink()
    (place / key).mkdir()
    assert get(coach, media).status_code == 503


def test_a_coach_has_what_failed_fetched_again(
    stored: Stored, client_of: SignIn, session: Session, rt: Runtime
) -> None:
    coach = client_of(Role.COACH)
    media = stored(state=MediaState.FAILED, storage_key=None, reason="The provider answered with 503.")
    token = csrf_of(coach)
    answer = coach.post(f"/media/{media.id}/again", data={"csrf_token": token})
    assert answer.status_code == 303
    assert answer.headers["Location"].endswith(f"#m{media.message_id}")
    session.expire_all()
    assert (media.state, media.reason) == (MediaState.WAITING, None)
    assert rt.redis.exists("backchat:rung:media")


def csrf_of(browser: FlaskClient) -> str:
    page = browser.get("/account").text
    return page.split('name="csrf_token" value="', 1)[1].split('"', 1)[0]


def test_nobody_has_it_fetched_again_without_a_token(stored: Stored, coach: FlaskClient, session: Session) -> None:
    media = stored(state=MediaState.FAILED, storage_key=None)
    assert coach.post(f"/media/{media.id}/again").status_code == 400
    session.expire_all()
    assert media.state == MediaState.FAILED


def test_the_folder_is_not_served(stored: Stored, coach: FlaskClient, rt: Runtime) -> None:
    stored()
    kept = [path for path in Path(rt.settings.home / "media").rglob("key-*") if path.is_file()]
    for path in (f"/media/{kept[0].name}", f"/media/..%2f{kept[0].name}", f"/static/../{kept[0].name}"):
        assert coach.get(path).status_code == 404
