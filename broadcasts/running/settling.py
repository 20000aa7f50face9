"""What nobody presses a button for: broadcasts that are over finish, and those in which somebody waits again go on."""

from sqlalchemy import text
from sqlalchemy.orm import Session

_FINISH = text("""
    WITH done AS (
        UPDATE broadcast b SET state = 'finished', finished_at = now(), reason = NULL
         WHERE b.state = 'running' AND NOT EXISTS (
            SELECT 1 FROM message m WHERE m.broadcast_id = b.id AND m.state IN ('queued', 'claimed', 'wire'))
           AND NOT EXISTS (
            SELECT 1 FROM audience_person a
             WHERE a.broadcast_id = b.id AND (a.wave, a.person_id) > (b.wave, b.cursor))
        RETURNING b.id)
    INSERT INTO broadcast_transition (broadcast_id, from_state, to_state)
    SELECT id, 'running', 'finished' FROM done RETURNING broadcast_id
""")

# The owner of a message in doubt may find out late that it never left: that person is not forgotten.
_GO_ON = text("""
    WITH again AS (
        UPDATE broadcast b SET state = 'running', finished_at = NULL
         WHERE b.state = 'finished' AND b.finished_at > now() - interval '2 days' AND EXISTS (
            SELECT 1 FROM message m WHERE m.broadcast_id = b.id AND m.state = 'queued')
        RETURNING b.id)
    INSERT INTO broadcast_transition (broadcast_id, from_state, to_state, why)
    SELECT id, 'finished', 'running', 'A message in doubt turned out not to have been sent.' FROM again
    RETURNING broadcast_id
""")


def settle(session: Session) -> int:
    """Finish the broadcasts nobody waits in any more, and reopen those where somebody does; how many changed."""
    return len(session.execute(_FINISH).all()) + len(session.execute(_GO_ON).all())
