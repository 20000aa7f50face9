"""Another zone of the workspace: a behaviour's days are cut anew, until they are what a count from zero would say."""

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from bot.models.goals import Behaviour, BehaviourKind, Goal

# Two days may become one, of which the first time stays. What was not the first time of a day and is now, the look
# back finds; but who was erased has left nothing to be found, so that no row is thrown away before. Each statement is
# counted as it stands at its end, so that taking away and putting back are two.
_CUT = (
    text("""
        CREATE TEMPORARY TABLE cut_anew ON COMMIT DROP AS
        SELECT DISTINCT ON (d.person_id, n.day) d.behaviour_id, d.person_id, n.day, d.environment, d.at, d.number_id,
               d.author_kind, d.author_id, d.author_step, d.after_message_id
          FROM behaviour_day d CROSS JOIN LATERAL (SELECT (d.at AT TIME ZONE :zone)::date AS day) n
         WHERE d.behaviour_id = :behaviour AND isfinite(d.at) ORDER BY d.person_id, n.day, d.at
    """),
    text("DELETE FROM behaviour_day WHERE behaviour_id = :behaviour AND isfinite(at)"),
    text("""
        INSERT INTO behaviour_day (behaviour_id, person_id, day, environment, at, number_id, author_kind, author_id,
                                   author_step, after_message_id)
        SELECT * FROM cut_anew
    """),
    text("DROP TABLE cut_anew"),
)
_TRANSACTION = text("SELECT pg_current_xact_id()::text::bigint")


def behind(session: Session, zone: str) -> Behaviour | None:
    """The oldest whose days begin at other midnights; nobody adds one to it until the commit."""
    others = select(Behaviour).where(Behaviour.time_zone != zone).order_by(Behaviour.id).limit(1)
    found = session.scalar(others)
    if found is None:
        return None
    session.get(Goal, found.goal_id, with_for_update=True)  # before its behaviour, as whoever changes it does
    return session.scalar(others.with_for_update().execution_options(populate_existing=True))


def cut(session: Session, behaviour: Behaviour, zone: str) -> None:
    """What people did is looked through once more; an attribute is reached once, and there is nothing to look for."""
    given = {"behaviour": behaviour.id, "zone": zone}
    for statement in _CUT:
        names = statement.compile().params
        session.execute(statement, {name: value for name, value in given.items() if name in names})
    behaviour.time_zone = zone
    if behaviour.kind != BehaviourKind.ATTRIBUTE:
        behaviour.looked_to, behaviour.look_to, behaviour.looked_at = 0, None, None
        behaviour.made_in = session.execute(_TRANSACTION).scalar_one()
    session.flush()
