"""Who may fetch what, and what is written down of it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from bot.media import claims, erasing
from bot.media.claims import Claimed, Result
from bot.media.shelf import NoSuchFileError, Shelf, new_draft
from bot.models.message import Media
from bot.models.words import MediaState
from tests.media.rows import claim_all

Make = Callable[..., Media]


def claimed(session: Session) -> Claimed:
    found = claims.claim(session, ())
    assert found is not None
    return found


def fresh(session: Session, media: Media) -> Media:
    session.flush()
    session.expire_all()
    session.refresh(media)
    return media


def let_lease_end(session: Session) -> None:
    session.execute(text("UPDATE media SET lease_until = now() - interval '1 second'"))


def test_files_are_claimed_once_the_longest_waiting_first(session: Session, media: Make) -> None:
    later = media(not_before=datetime.now(UTC) - timedelta(minutes=1))
    first = media(not_before=datetime.now(UTC) - timedelta(minutes=2))
    media(not_before=datetime.now(UTC) + timedelta(minutes=1))
    media(state=MediaState.STORED)
    assert [one.id for one in claim_all(session)] == [first.id, later.id]
    assert not claims.is_due(session)


def test_a_number_that_has_its_share_leaves_the_rest_to_others(session: Session, media: Make) -> None:
    row = media()
    assert claims.claim(session, [row.number_id]) is None
    assert claims.claim(session, [row.number_id + 1]) is not None


def test_a_dead_workers_file_is_taken_up_again_under_the_same_name(session: Session, media: Make) -> None:
    media()
    before = claimed(session)
    let_lease_end(session)
    again = claimed(session)
    assert (again.id, again.storage_key, again.attempt) == (before.id, before.storage_key, 2)


def test_a_worker_that_slept_through_its_lease_changes_nothing(session: Session, media: Make) -> None:
    row = media()
    sleeper = claimed(session)
    let_lease_end(session)
    claimed(session)
    assert not claims.record(session, sleeper, Result(MediaState.REFUSED, "too late"))
    claims.release(session, sleeper)
    assert (fresh(session, row).state, row.attempt) == (MediaState.WAITING, 2)


def test_what_may_pass_is_tried_eight_times_and_ever_more_seldom_then_it_has_failed(
    session: Session, media: Make
) -> None:
    row, waits = media(), []
    for _ in range(8):
        session.execute(text("UPDATE media SET not_before = now()"))
        claims.record(session, claimed(session), Result(MediaState.WAITING, "The provider answered with 503."))
        now = session.scalar(text("SELECT now()"))
        waits.append(round((fresh(session, row).not_before - now).total_seconds()))
    assert waits == [10, 60, 300, 1800, 7200, 21600, 86400, 0]
    assert (row.state, row.reason) == (MediaState.FAILED, "The provider answered with 503.")


def test_a_file_that_ends_its_worker_every_time_is_given_up(session: Session, media: Make) -> None:
    row = media()
    for _ in range(8):
        claimed(session)
        let_lease_end(session)
    claims.give_up(session)
    assert (fresh(session, row).state, row.reason) == (MediaState.FAILED, claims.GIVEN_UP)
    assert not claims.is_due(session)


def test_a_file_given_back_has_not_used_its_attempt(session: Session, media: Make) -> None:
    row = media()
    claims.release(session, claimed(session))
    assert (fresh(session, row).attempt, row.lease_until) == (0, None)
    assert claims.is_due(session)


@pytest.mark.parametrize("state, may", [("failed", True), ("refused", False), ("stored", False), ("waiting", False)])
def test_only_what_failed_is_tried_again_by_hand(state: str, may: bool, session: Session, media: Make) -> None:
    row = media(state=state, reason="for some reason", attempt=8)
    assert claims.try_again(session, row.id) is may
    assert fresh(session, row).state == (MediaState.WAITING if may else state)
    assert (row.attempt == 0) is may


def stored(session: Session, shelf: Shelf, row: Media) -> Claimed:
    found = claimed(session)
    draft = new_draft(shelf)
    draft.write_bytes(b"a photo")
    shelf.put(found.storage_key, draft)
    claims.record(session, found, Result(MediaState.STORED, None, "image/png", 7, "00" * 32))
    assert fresh(session, row).state == MediaState.STORED
    return found


def test_an_erased_file_is_gone_and_its_row_knows_nothing_of_it(session: Session, shelf: Shelf, media: Make) -> None:
    row = media(name="passport.png", url="https://files.example.org/1")
    key = stored(session, shelf, row).storage_key
    assert erasing.erase(session, shelf, [row.message_id]) == 1
    with pytest.raises(NoSuchFileError):
        shelf.read(key, 0, 7)
    assert (fresh(session, row).state, row.reason) == (MediaState.REFUSED, erasing.ERASED)
    assert [row.storage_key, row.name, row.url, row.sha256, row.provider_media_id, row.size] == [None] * 6


def test_a_file_that_waits_is_not_fetched_once_it_is_erased(session: Session, shelf: Shelf, media: Make) -> None:
    row = media()
    erasing.erase(session, shelf, [row.message_id])
    assert not claims.is_due(session)
    assert erasing.erase(session, shelf, []) == 0
