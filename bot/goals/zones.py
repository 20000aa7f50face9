"""Another zone of the workspace: a behaviour's days are cut anew, until they are what a count from zero would say."""

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from bot.models.goals import Behaviour, BehaviourKind

# Two days may become one, of which the first time stays. What was not the first time of a day and is now, the look
# back finds; but who was erased has left nothing to be found, so that no row is thrown away before.
_CUT = text("""
    WITH former AS (
        DELETE FROM behaviour_day WHERE behaviour_id = :behaviour AND isfinite(at)
        RETURNING *, (at AT TIME ZONE :zone)::date AS new_day)
    INSERT INTO behaviour_day (behaviour_id, person_id, day, environment, at, number_id, author_kind, author_id,
                               author_step, after_message_id)
    SELECT DISTINCT ON (person_id, new_day) behaviour_id, person_id, new_day, environment, at, number_id, author_kind,
           author_id, author_step, after_message_id
      FROM former ORDER BY person_id, new_day, at
""")
_TRANSACTION = text("SELECT pg_current_xact_id()::text::bigint")


def behind(session: Session, zone: str) -> Behaviour | None:
    """The oldest whose days begin at other midnights; nobody adds one to it until the commit."""
    others = select(Behaviour).where(Behaviour.time_zone != zone).order_by(Behaviour.id)
    return session.scalar(others.limit(1).with_for_update())


def cut(session: Session, behaviour: Behaviour, zone: str) -> None:
    """What people did is looked through once more; an attribute is reached once, and there is nothing to look for."""
    session.execute(_CUT, {"behaviour": behaviour.id, "zone": zone})
    behaviour.time_zone = zone
    if behaviour.kind != BehaviourKind.ATTRIBUTE:
        behaviour.looked_to, behaviour.look_to, behaviour.looked_at = 0, None, None
        behaviour.made_in = session.execute(_TRANSACTION).scalar_one()
    session.flush()
