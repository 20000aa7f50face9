"""A person's page: topics, preferences and consent."""

from collections.abc import Callable

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.models.person import ConsentEvent, Person
from bot.models.preference import Preference
from bot.models.words import Role
from bot.people import topics
from tests.dashboard.profile import fresh, post
from tests.dashboard.visitor import Visitor

EVIL = "\"'><script>alert(1)</script>{{7*7}}"


def test_topics_are_kept_by_marketers_and_seen_by_all(signed_in: Callable[[Role], Visitor], session: Session) -> None:
    marketer, coach = signed_in(Role.MARKETER), signed_in(Role.COACH)
    marketer.get("/people/topics")
    assert marketer.post("/people/topics", {"name": "News", "description": "Once a week"}).status_code == 303
    again = marketer.post("/people/topics", {"name": "News"})
    assert again.status_code == 422
    assert "already" in again.text
    topic = topics.named(session, "live", "News")
    marketer.post(f"/people/topics/{topic.id}", {"description": "Twice a week"})
    marketer.post(f"/people/topics/{topic.id}/archive")
    seen = coach.get("/people/topics").text
    assert "Twice a week" in seen
    assert "archived" in seen
    assert coach.post("/people/topics", {"name": "Offers"}).status_code == 403
    assert "New topic" not in seen
    marketer.post(f"/people/topics/{topic.id}/restore")
    session.expire_all()
    assert topics.named(session, "live", "News").archived_at is None


def test_preferences_are_a_grid_of_topics_and_channels(coach: Visitor, session: Session, ada: Person) -> None:
    """B7, B19."""
    news = topics.create(session, "live", "News")
    session.commit()
    page = coach.get(f"/people/{ada.id}").text
    assert page.count('class="form-check-input"') == 2 * 9
    assert page.count("checked") == 2 * 9
    was = {f"was.{key}.{channel}": "yes" for key in ("all", news.id) for channel in ("whatsapp", "email")}
    wants = {"wants.all.whatsapp": "yes", "wants.all.email": "yes", f"wants.{news.id}.email": "yes"}
    post(coach, ada, "/preferences", **was, **wants)
    row = session.scalars(select(Preference)).one()
    assert (row.topic_id, row.channel, row.wants, row.source) == (news.id, "whatsapp", False, "coach")
    assert coach.get(f"/people/{ada.id}").text.count("checked") == 2 * 9 - 1
    assert post(coach, ada, "/preferences", **{"was.999999.whatsapp": "yes"}).status_code == 422
    assert post(coach, ada, "/preferences", **{"was.x.whatsapp": "yes", "was.all.fax": "yes"}).status_code == 303


def test_the_ledger_of_consent_is_kept_by_hand_with_its_evidence(coach: Visitor, session: Session, ada: Person) -> None:
    session.commit()
    nothing = post(coach, ada, "/consent", consent="perhaps", words="", at="2999-01-01T10:00")
    assert nothing.status_code == 422
    for words in ("Choose what they said", "how you know", "not to come"):
        assert words in nothing.text
    form = {"consent": "stop", "words": f"On the phone: {EVIL}", "at": "2026-01-31T10:00"}
    assert post(coach, ada, "/consent", **form).status_code == 303
    event = session.scalars(select(ConsentEvent)).one()
    assert (event.source, event.value, event.occurred_at.hour) == ("coach", "stop", 10)
    assert event.operator_id is not None
    assert fresh(session, ada).marketing_opted_out_at == event.occurred_at
    page = coach.get(f"/people/{ada.id}").text
    assert "Coach" in page
    assert "<script>alert" not in page
    post(coach, ada, "/consent", consent="resume", words="By mail: yes", at="2026-02-01T10:00")
    assert fresh(session, ada).marketing_opted_out_at is None
