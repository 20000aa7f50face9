"""A test of a broadcast goes to the phone of whoever sends it, once their account says which that is."""

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.models.broadcast import Broadcast
from bot.models.message import Message
from bot.models.person import Address
from bot.models.team import Operator
from broadcasts import jobs
from tests.broadcasts.drafted import make_draft
from tests.dashboard.visitor import Visitor


@pytest.mark.parametrize(
    "typed, kept, status", [("+20 100 555 0199", "+201005550199", 303), ("", None, 303), ("0199", None, 422)]
)
def test_the_account_keeps_the_number_or_says_why_not(
    session: Session, marketer: Visitor, typed: str, kept: str | None, status: int
) -> None:
    answer = marketer.post("/account/phone", {"phone": typed})
    assert answer.status_code == status
    assert session.scalars(select(Operator.phone)).all() == [kept]
    assert ("That is no phone number, because" in answer.text) == (status == 422)
    if kept:
        assert f'value="{kept}"' in marketer.get("/account").text


def test_one_tick_sends_the_test_to_oneself(session: Session, marketer: Visitor) -> None:
    draft = make_draft(session, 1)
    session.commit()
    page = f"/broadcasts/{draft.id}"
    assert "With your number" in marketer.get(page).text
    marketer.post("/account/phone", {"phone": "+201005550199"})
    assert "To me, +201005550199" in marketer.get(page).text

    assert marketer.post(f"{page}/test", {"to": "", "me": "yes", "version": "0"}).status_code == 303
    jobs.work()

    child = session.scalars(select(Broadcast).where(Broadcast.parent_id == draft.id)).one()
    sent = session.scalars(select(Message).where(Message.broadcast_id == child.id)).one()
    to = session.scalars(select(Address.value).where(Address.person_id == sent.person_id)).one()
    assert (sent.to_address, to) == ("+201005550199", "+201005550199")
