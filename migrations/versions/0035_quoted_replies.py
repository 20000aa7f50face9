"""quoted replies

Replies from before they were noted, which were counted for what was sent last, for what they quote.
"""

from alembic import op

revision = '0035'
down_revision = '0034'
branch_labels = None
depends_on = None

# As the rule has it whenever a message comes in: what was noted since is left as it is. A message keeps its reply if
# anything that was written within 24 hours after it may have been one to it.
QUOTED = '''
    CREATE TEMP TABLE quoted ON COMMIT DROP AS
    SELECT i.id AS reply_id, q.id AS message_id
      FROM message i
      JOIN message q ON q.number_id = i.number_id AND q.provider_message_id = i.reply_to_provider_message_id
                    AND q.person_id = i.person_id AND q.direction = 'out'
     WHERE i.direction = 'in' AND i.reply_to_provider_message_id IS NOT NULL
       AND i.kind NOT IN ('reaction', 'system', 'ephemeral', 'request_welcome')
'''
MEND = (
    '''
    DELETE FROM message_reply r USING message m
     WHERE m.id = r.message_id
       AND NOT EXISTS (SELECT FROM quoted q WHERE q.message_id = m.id)
       AND EXISTS (SELECT FROM message i JOIN quoted q ON q.reply_id = i.id
                    WHERE i.person_id = m.person_id AND i.number_id = m.number_id
                      AND i.occurred_at >= m.occurred_at AND i.occurred_at < m.occurred_at + interval '24 hours')
       AND NOT EXISTS (
            SELECT FROM message i
             WHERE i.person_id = m.person_id AND i.number_id = m.number_id AND i.direction = 'in'
               AND i.occurred_at >= m.occurred_at AND i.occurred_at < m.occurred_at + interval '24 hours'
               AND i.kind NOT IN ('reaction', 'system', 'ephemeral', 'request_welcome')
               AND NOT EXISTS (SELECT FROM quoted q WHERE q.reply_id = i.id))
    ''',
    '''
    INSERT INTO message_reply (message_id, environment, number_id, author_kind, author_id, sent_at)
    SELECT m.id, m.environment, m.number_id, m.author_kind,
           coalesce(CASE m.author_kind WHEN 'stack' THEN m.journey_id WHEN 'coach' THEN m.operator_id
                                       WHEN 'reminder' THEN m.reminder_id WHEN 'api' THEN m.token_id
                                       WHEN 'broadcast' THEN m.broadcast_id END, 0), m.accepted_at
      FROM message m
     WHERE m.id IN (SELECT message_id FROM quoted) AND m.accepted_at IS NOT NULL
        ON CONFLICT DO NOTHING
    ''',
)


def upgrade() -> None:
    for statement in (QUOTED, 'ANALYZE quoted', *MEND):
        op.execute(statement)


def downgrade() -> None:
    """What is right stays."""
