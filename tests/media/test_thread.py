"""How a coach sees files: in the thread, with what became of them in words."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Connection, event
from sqlalchemy.orm import Session

from bot.dashboard.attachments import size_words
from bot.models.connection import Number
from bot.models.conversation import Conversation
from bot.models.message import Media
from bot.models.person import Person
from bot.models.words import MediaState, Role
from tests.dashboard.visitor import Page
from tests.factories import make_conversation, make_inbound, make_number, make_person


@pytest.fixture
def ada(session: Session) -> tuple[Person, Number, Conversation]:
    number, person = make_number(session), make_person(session)
    return person, number, make_conversation(session, person, number)


@pytest.fixture
def say(session: Session, ada: tuple[Person, Number, Conversation]) -> Callable[..., Media]:
    """Ada sends a file."""
    person, number, _ = ada

    def send(kind: str, mime_type: str, content: dict[str, Any] | None = None, **columns: Any) -> Media:
        message = make_inbound(session, person, number, body=columns.pop("caption", None))
        message.kind, message.content = kind, {"type": kind, kind: content or {}}
        columns = {"state": MediaState.STORED, "storage_key": "key", "size": 20_480} | columns
        media = Media(message_id=message.id, number_id=number.id, mime_type=mime_type, **columns)
        session.add(media)
        session.commit()
        return media

    return send


@pytest.fixture
def look(client_of: Callable[[str], FlaskClient], ada: tuple[Person, Number, Conversation]) -> Callable[[], Page]:
    coach = client_of(Role.COACH)

    def read() -> Page:
        answer = coach.get(f"/inbox/{ada[2].id}")
        assert answer.status_code == 200
        page = Page(answer.text)
        assert page.complaints() == []
        return page

    return read


def test_a_photo_is_seen_with_its_caption(say: Callable[..., Media], look: Callable[[], Page]) -> None:
    media = say("image", "image/jpeg", caption="My <b>arm</b>")
    page = look()
    [picture] = page.all("img")
    assert picture["src"] == f"/media/{media.id}"
    assert picture["alt"] == "Photo, 20 kB"
    assert {"width", "height"} <= set(picture)
    assert "My &lt;b&gt;arm&lt;/b&gt;" in page.text


def test_a_voice_note_and_a_video_are_played_without_a_script(
    say: Callable[..., Media], look: Callable[[], Page]
) -> None:
    voice = say("audio", "audio/ogg", {"voice": True})
    video = say("video", "video/mp4")
    page = look()
    [audio], [film] = page.all("audio"), page.all("video")
    assert (audio["src"], audio["aria-label"]) == (f"/media/{voice.id}", "Voice message, 20 kB")
    assert (film["src"], film["aria-label"]) == (f"/media/{video.id}", "Video, 20 kB")
    assert {"controls"} <= set(audio) & set(film)


@pytest.mark.parametrize("mime_type", ["application/pdf", "image/svg+xml", "application/octet-stream", "text/html"])
def test_a_document_is_a_card_with_name_and_size(
    mime_type: str, say: Callable[..., Media], look: Callable[[], Page]
) -> None:
    media = say("image", mime_type, name='../"><img src=x onerror=alert(1)>.pdf', size=1_500_000)
    page = look()
    assert page.all("img") == page.all("video") == page.all("iframe") == page.all("object") == []
    [card] = [link for link in page.all("a") if link.get("href") == f"/media/{media.id}"]
    assert card["download"] == "img src=x onerror=alert(1).pdf"
    assert "1.4 MB" in page.text


@pytest.mark.parametrize(
    "state, reason, words, has_button",
    [
        ("waiting", None, "The file is being fetched.", False),
        ("waiting", "The provider answered with 503.", "Backchat will try again by itself.", False),
        ("failed", "The provider no longer has the file.", "The file could not be fetched.", True),
        ("refused", "The file is larger than 5 MB.", "There is no file here.", False),
    ],
)
def test_a_file_that_is_not_here_says_why_and_what_to_do(
    state: str,
    reason: str | None,
    words: str,
    has_button: bool,
    say: Callable[..., Media],
    look: Callable[[], Page],
) -> None:
    media = say("image", "image/jpeg", state=state, reason=reason, storage_key=None, size=None)
    page = look()
    shown = re.sub(r"\s+", " ", page.text)
    assert words in shown
    assert (reason or "") in shown
    assert page.all("img") == []
    asked = [form for form in page.all("form") if form.get("action") == f"/media/{media.id}/again"]
    assert bool(asked) is has_button


@pytest.fixture
def statements(connection: Connection) -> Iterator[list[str]]:
    heard: list[str] = []

    def hear(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        heard.append(statement)

    event.listen(connection.engine, "before_cursor_execute", hear)
    yield heard
    event.remove(connection.engine, "before_cursor_execute", hear)


def test_a_thread_full_of_files_asks_for_them_once(
    say: Callable[..., Media], look: Callable[[], Page], statements: list[str]
) -> None:
    for _ in range(20):
        say("image", "image/jpeg")
    statements.clear()
    assert len(look().all("img")) == 20
    assert len([statement for statement in statements if "FROM media" in statement]) == 1


@pytest.mark.parametrize(
    "size, words", [(312, "312 bytes"), (1024, "1.0 kB"), (20_480, "20 kB"), (1_500_000, "1.4 MB")]
)
def test_sizes_are_told_in_words(size: int, words: str) -> None:
    assert size_words(size) == words
