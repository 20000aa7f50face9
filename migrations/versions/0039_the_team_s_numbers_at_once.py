"""the team's numbers at once

What the team report asks of episodes and of coaches' messages stands in an index each, number by number, so that it is
read from there alone: the number, whether an opening reopens, and how long what is reported took.
"""

from alembic import op
import sqlalchemy as sa

revision = '0039'
down_revision = '0038'
branch_labels = None
depends_on = None

# As told_seconds does; models, which say the same, can name no function that a migration made.
def told(at: str) -> str:
    took = f'({at} - opened_at)'
    in_units = f"floor(date_part('epoch', {took}) / {{0}})::bigint * {{0}}"
    return f"""
        CASE WHEN {took} < interval '1000 seconds' THEN {in_units.format(1)}
             WHEN {took} < interval '10000 seconds' THEN {in_units.format(10)}
             WHEN {took} < interval '100000 seconds' THEN {in_units.format(100)}
             WHEN {took} < interval '1000000 seconds' THEN {in_units.format(1000)}
             ELSE {in_units.format(10000)} END
    """


PLACE = """
    CREATE FUNCTION place_episode() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        NEW.number_id := (SELECT number_id FROM conversation WHERE id = NEW.conversation_id);
        NEW.reopens := EXISTS (SELECT FROM episode WHERE conversation_id = NEW.conversation_id AND id < NEW.id);
        RETURN NEW;
    END $$
"""
# Of two people who become one, another episode may now be the first of its conversation; so may one after a first that
# is taken away.
PLACE_OTHERS = """
    CREATE FUNCTION place_other_episodes() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF EXISTS (SELECT FROM episode WHERE conversation_id IN (OLD.conversation_id, NEW.conversation_id)) THEN
            UPDATE episode e SET reopens = NOT e.reopens
             WHERE e.conversation_id IN (OLD.conversation_id, NEW.conversation_id)
               AND e.reopens <> EXISTS (
                    SELECT FROM episode b WHERE b.conversation_id = e.conversation_id AND b.id < e.id);
        END IF;
        RETURN NULL;
    END $$
"""
TRIGGERS = {
    # Whoever opens in bulk knows both, and need not have them looked up row by row.
    'place_new': ('BEFORE INSERT', 'WHEN (NEW.number_id IS NULL OR NEW.reopens IS NULL)', 'place_episode'),
    'place_others_of_moved': ('AFTER UPDATE OF conversation_id', '', 'place_other_episodes'),
    'place_others_of_gone': ('AFTER DELETE', 'WHEN (NOT OLD.reopens)', 'place_other_episodes'),
}
PLACED = """
    UPDATE episode e SET number_id = p.number_id, reopens = p.reopens
      FROM (SELECT e.id, c.number_id, row_number() OVER (PARTITION BY e.conversation_id ORDER BY e.id) > 1 AS reopens
              FROM episode e JOIN conversation c ON c.id = e.conversation_id) p
     WHERE e.id = p.id
"""
ANSWERED = "opened_by = 'person' AND first_reply_at IS NOT NULL"
REPLIES = "author_kind = 'coach' AND kind <> 'reaction' AND state <> 'suppressed'"


def upgrade() -> None:
    op.drop_index('ix_episode_opened_at', 'episode')
    op.drop_index('ix_episode_first_reply_at', 'episode')
    op.drop_index('ix_episode_closed_at', 'episode')
    op.add_column('episode', sa.Column('number_id', sa.BigInteger(), nullable=True))
    op.add_column('episode', sa.Column('reopens', sa.Boolean(), nullable=True))
    op.execute('ALTER TABLE episode DISABLE TRIGGER USER')  # nothing changes in what they count
    op.execute(PLACED)
    op.execute('ALTER TABLE episode ENABLE TRIGGER USER')
    op.execute(f"""
        ALTER TABLE episode
            ALTER number_id SET NOT NULL, ALTER reopens SET NOT NULL,
            ADD first_reply_s bigint GENERATED ALWAYS AS ({told('first_reply_at')}) STORED,
            ADD closed_s bigint GENERATED ALWAYS AS ({told('closed_at')}) STORED
    """)
    op.execute(PLACE)
    op.execute(PLACE_OTHERS)
    for name, (when, whether, function) in TRIGGERS.items():
        op.execute(f'CREATE TRIGGER {name} {when} ON episode FOR EACH ROW {whether} EXECUTE FUNCTION {function}()')
    op.create_index('ix_episode_opened', 'episode', ['number_id', 'opened_at'], postgresql_include=['reopens'])
    op.create_index('ix_episode_answered', 'episode', ['number_id', 'first_reply_at'], postgresql_include=['first_reply_s', 'first_reply_operator_id'], postgresql_where=sa.text(ANSWERED))
    op.create_index('ix_episode_closed', 'episode', ['number_id', 'closed_at'], postgresql_include=['closed_s', 'closed_by_rule', 'closed_without_reply', 'closed_by_operator_id'], postgresql_where=sa.text('closed_at IS NOT NULL'))
    op.drop_index('ix_message_coach', 'message')
    op.create_index('ix_message_coach', 'message', ['number_id', 'occurred_at'], postgresql_include=['operator_id', 'person_id'], postgresql_where=sa.text(REPLIES))


def downgrade() -> None:
    op.drop_index('ix_message_coach', 'message')
    op.create_index('ix_message_coach', 'message', ['occurred_at', 'operator_id'], postgresql_where=sa.text("author_kind = 'coach'"))
    for name in ('ix_episode_closed', 'ix_episode_answered', 'ix_episode_opened'):
        op.drop_index(name, 'episode')
    for name in TRIGGERS:
        op.execute(f'DROP TRIGGER {name} ON episode')
    op.execute('DROP FUNCTION place_other_episodes()')
    op.execute('DROP FUNCTION place_episode()')
    for name in ('closed_s', 'first_reply_s', 'reopens', 'number_id'):
        op.drop_column('episode', name)
    op.create_index('ix_episode_opened_at', 'episode', ['opened_at'])
    op.create_index('ix_episode_first_reply_at', 'episode', ['first_reply_at'], postgresql_where=sa.text('first_reply_at IS NOT NULL'))
    op.create_index('ix_episode_closed_at', 'episode', ['closed_at'], postgresql_where=sa.text('closed_at IS NOT NULL'))
