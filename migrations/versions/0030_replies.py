"""replies

Which messages got a reply, noted as it comes in, and counted as all else that became of a message.
"""

from alembic import op
import sqlalchemy as sa

revision = '0030'
down_revision = '0029'
branch_labels = None
depends_on = None

COUNT = '''
    CREATE FUNCTION count_reply_{event}() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM pg_advisory_xact_lock_shared(4242007);
        INSERT INTO message_delta (generation, environment, number_id, day, hour, author_kind, author_id,
                                   received, sent, delivered, read, failed, refused, replied)
        SELECT g.id, r.environment, r.number_id, (r.sent_at AT TIME ZONE g.time_zone)::date,
               extract(hour FROM r.sent_at AT TIME ZONE g.time_zone), r.author_kind, r.author_id,
               0, 0, 0, 0, 0, 0, {sign} * count(*)
          FROM rows_of_it r CROSS JOIN insight_generation g GROUP BY 1, 2, 3, 4, 5, 6, 7;
        RETURN NULL;
    END $$
'''
TRIGGER = '''
    CREATE TRIGGER count_{event} AFTER {upper} ON message_reply REFERENCING {table} TABLE AS rows_of_it
    FOR EACH STATEMENT EXECUTE FUNCTION count_reply_{event}()
'''
EVENTS = (('insert', 1, 'NEW'), ('delete', -1, 'OLD'))

# What the rule would have noted, but for what quotes an older message: of each thread, what was sent last before a
# person's message of the 24 hours after it.
LOOK_BACK = '''
    INSERT INTO message_reply (message_id, environment, number_id, author_kind, author_id, sent_at)
    SELECT id, environment, number_id, author_kind, author_id, accepted_at
      FROM (SELECT m.id, m.environment, m.number_id, m.direction, m.author_kind, m.accepted_at, m.occurred_at,
                   coalesce(CASE m.author_kind WHEN 'stack' THEN m.journey_id WHEN 'coach' THEN m.operator_id
                                               WHEN 'reminder' THEN m.reminder_id WHEN 'api' THEN m.token_id
                                               WHEN 'broadcast' THEN m.broadcast_id END, 0) AS author_id,
                   lead(m.direction) OVER thread AS next_direction, lead(m.occurred_at) OVER thread AS next_at
              FROM message m
             WHERE m.state = 'accepted' OR (m.direction = 'in' AND m.kind <> 'reaction')
            WINDOW thread AS (PARTITION BY m.person_id, m.number_id ORDER BY m.occurred_at, m.id)) t
     WHERE direction = 'out' AND accepted_at IS NOT NULL AND next_direction = 'in'
       AND next_at < occurred_at + interval '24 hours'
'''


def upgrade() -> None:
    op.create_table('message_reply',
    sa.Column('message_id', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('environment', sa.Text(), nullable=False),
    sa.Column('number_id', sa.BigInteger(), nullable=False),
    sa.Column('author_kind', sa.Text(), nullable=False),
    sa.Column('author_id', sa.BigInteger(), nullable=False),
    sa.Column('sent_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['message_id'], ['message.id'], name=op.f('fk_message_reply_message_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('message_id', name=op.f('pk_message_reply'))
    )
    for table in ('message_day', 'message_delta'):
        op.add_column(table, sa.Column('replied', sa.BigInteger(), server_default='0', nullable=False))
    for event, sign, table in EVENTS:
        op.execute(COUNT.format(event=event, sign=sign))
        op.execute(TRIGGER.format(event=event, upper=event.upper(), table=table))
    op.execute(LOOK_BACK)


def downgrade() -> None:
    op.drop_table('message_reply')
    for event, _sign, _table in EVENTS:
        op.execute(f'DROP FUNCTION count_reply_{event}()')
    for table in ('message_day', 'message_delta'):
        op.drop_column(table, 'replied')
