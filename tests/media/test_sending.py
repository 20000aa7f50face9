"""A coach sends a file: ours first, the provider's by the worker, the person's last; it holds up nothing for ever."""

import urllib.request
from pathlib import Path

import pytest
from sqlalchemy import select, update

from bot.conversations import files
from bot.conversations.coach import ReplyError
from bot.media import jobs, sending
from bot.media.sending import FileError
from bot.media.shelf import new_draft, open_shelf
from bot.media.uploading import ATTEMPTS, NOT_YET
from bot.models.connection import Connection
from bot.models.message import Media, Message
from bot.models.words import MessageState, Role
from bot.runtime import Runtime
from tests.factories import make_conversation, make_operator, make_person
from tests.harness.simulator import ACCESS_TOKEN, Simulator
from tests.media.rows import make_line

PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)
MB = 1024 * 1024


def send(rt: Runtime, provider: Simulator, content: bytes = PNG, caption: str = "") -> int:
    """A coach sends it; the message's id."""
    shelf = open_shelf(rt.settings)
    draft = new_draft(shelf)
    draft.write_bytes(content)
    kept = files.Kept(shelf, "cat.png", draft, 100 * MB)
    with rt.transaction() as tx:
        number = make_line(tx, rt.settings, provider)
        conversation = make_conversation(tx, make_person(tx), number)
        return files.send(tx, conversation.id, make_operator(tx, Role.COACH).id, kept, caption, "k" * 24)


def row(rt: Runtime, message_id: int) -> Message:
    with rt.sessions() as session:
        return session.get_one(Message, message_id)


def test_a_file_is_given_to_the_provider_before_its_message_is_due(live_rt: Runtime, provider: Simulator) -> None:
    message_id = send(live_rt, provider, caption="Our cat")
    assert row(live_rt, message_id).not_before == NOT_YET
    jobs.fetch_media()
    sent = row(live_rt, message_id)
    assert (sent.state, sent.not_before, sent.kind) == (MessageState.QUEUED, None, "image")
    assert sent.content is not None
    media_id = sent.content["image"]["id"]
    assert sent.content == {"type": "image", "image": {"caption": "Our cat", "id": media_id}}
    asked = urllib.request.Request(
        f"{provider.url}/v25.0/{media_id}", headers={"Authorization": f"Bearer {ACCESS_TOKEN}"}
    )
    with urllib.request.urlopen(asked) as answer:
        assert b'"mime_type":"image/png"' in answer.read().replace(b" ", b"")
    with live_rt.sessions() as session:
        assert session.scalars(select(Media.state)).one() == "stored"


def test_a_file_nobody_takes_fails_in_words_and_holds_up_nothing(live_rt: Runtime, provider: Simulator) -> None:
    message_id = send(live_rt, provider)
    with live_rt.transaction() as tx:
        tx.execute(update(Connection).values(base_url="http://127.0.0.1:9/v25.0"))
    jobs.fetch_media()
    assert row(live_rt, message_id).state == MessageState.QUEUED
    with live_rt.transaction() as tx:
        tx.execute(update(Media).values(attempt=ATTEMPTS - 1, not_before=Media.created_at))
    jobs.fetch_media()
    failed = row(live_rt, message_id)
    assert failed.state == MessageState.FAILED
    assert failed.error_text == "The file could not be sent: The connection to the provider failed."


def test_a_file_that_ends_every_worker_is_given_up(live_rt: Runtime, provider: Simulator) -> None:
    message_id = send(live_rt, provider)
    with live_rt.transaction() as tx:
        tx.execute(update(Media).values(attempt=9, lease_until=Media.created_at))
    jobs.sweep(live_rt)
    assert row(live_rt, message_id).state == MessageState.FAILED


@pytest.mark.parametrize(
    "name, content, fate",
    [
        ("a.jpg", b"\xff\xd8\xff\xe0" + bytes(64), ("image", "image/jpeg")),
        ("a.exe", PNG, ("image", "image/png")),
        ("a.pdf", b"%PDF-1.7" + bytes(64), ("document", "application/pdf")),
        ("a.txt", "grüß dich".encode(), ("document", "text/plain")),
        ("a.png", b"<html>" * 20, "WhatsApp takes"),
        ("a.txt", b"MZ\x00\x00", "WhatsApp takes"),
        ("a.png", PNG + bytes(5 * MB), "5 MB"),
        ("a.png", b"", "WhatsApp takes"),
    ],
)
def test_what_a_file_is_its_bytes_say(tmp_path: Path, name: str, content: bytes, fate: tuple[str, str] | str) -> None:
    draft = tmp_path / "draft"
    draft.write_bytes(content)
    if isinstance(fate, str):
        with pytest.raises(FileError, match=fate):
            sending.judge(name, draft, 100 * MB)
    else:
        assert sending.judge(name, draft, 100 * MB) == fate


def test_an_audio_file_goes_without_words(live_rt: Runtime, provider: Simulator) -> None:
    with pytest.raises(ReplyError, match="no words with an audio file"):
        send(live_rt, provider, b"ID3" + bytes(64), "listen")
