"""Segments that lead to each other, are added to, and keep to their environment."""

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from bot.models.person import Person
from bot.models.segment import Segment, SegmentMember
from bot.people import segments as selections
from bot.people.rules.schema import RuleError
from bot.people.segments import SegmentError
from broadcasts.segments import editing, segments
from tests import factories


def within(segment: Segment) -> dict[str, object]:
    return {"version": 1, "all": [{"what": "segment", "of": segment.id, "operator": "in"}]}


def test_a_rule_cannot_be_changed_to_lead_to_itself(session: Session) -> None:
    base = factories.make_segment(session)
    first = editing.create_rule(session, "live", "first", within(base))
    second = editing.create_rule(session, "live", "second", within(first))
    third = editing.create_rule(session, "live", "third", within(second))
    for segment in (first, second, third):
        with pytest.raises(RuleError, match=r"^rule: It leads back to first itself through the segments it uses\.$"):
            editing.change_rule(session, first, within(segment))
    editing.change_rule(session, first, within(factories.make_segment(session)))


def test_what_a_rule_uses_is_not_deleted(session: Session) -> None:
    base = factories.make_segment(session, name="base")
    user = editing.create_rule(session, "live", "user", within(base))
    with pytest.raises(SegmentError, match="base cannot be deleted, for it is used by the segment “user”"):
        editing.delete(session, base)
    editing.delete(session, user)
    editing.delete(session, base)


def test_nobody_is_put_into_a_segment_by_rule(session: Session) -> None:
    base = factories.make_segment(session)
    editing.create_rule(session, "live", "user", within(base))
    with pytest.raises(SegmentError, match="goes by a rule"):
        selections.add_selection(session, "live", "user", [factories.make_person(session).id])


def test_a_selection_joins_once_and_leaves_out_the_other_environment(session: Session) -> None:
    mona, stranger = factories.make_person(session), factories.make_person(session, environment="test")
    for new in (1, 0):
        made, added = selections.add_selection(session, "live", "few", [mona.id, mona.id, stranger.id])
        assert added == new
    everybody, added = selections.add_selection(session, "live", "all", select(Person.id))
    assert added == 1
    assert [person.id for person in segments.members(session, everybody)] == [mona.id]
    assert segments.one(session, made.id) == segments.Listed(made, segments.size(session, made))


@pytest.mark.parametrize("environment", ["live", "test"])
def test_the_database_itself_keeps_the_other_environment_out_of_a_segment(session: Session, environment: str) -> None:
    segment, stranger = factories.make_segment(session), factories.make_person(session, environment="test")
    session.add(SegmentMember(segment_id=segment.id, person_id=stranger.id, environment=environment))
    with pytest.raises(IntegrityError):
        session.flush()
