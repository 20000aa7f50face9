"""facts of conversations

What happens to conversations and what people wish is counted as it happens, as messages are. Of goals an index tells
who did something within some days.
"""

from alembic import op
import sqlalchemy as sa

revision = '0037'
down_revision = '0036'
branch_labels = None
depends_on = None

# Whole seconds, of long times the first three digits: nobody asks for more, and a year has no more rows than a month.
TOLD_SECONDS = '''
    CREATE FUNCTION told_seconds(took interval) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
        SELECT s / u.nit * u.nit
          FROM (SELECT floor(extract(epoch FROM took))::bigint AS s) t
         CROSS JOIN LATERAL (
            SELECT CASE WHEN s < 1000 THEN 1 WHEN s < 10000 THEN 10 WHEN s < 100000 THEN 100
                        WHEN s < 1000000 THEN 1000 ELSE 10000 END::bigint AS nit) u
    $$
'''
BOUNDS = (
    2, 4, 6, 8, 10, 15, 20, 25, 30, 35, 40, 45, 50, 55, 60, 70, 80, 90, 100, 120, 140, 160, 180, 210, 240, 270, 300,
    360, 420, 480, 540, 600, 660, 720, 780, 840, 900, 1050, 1200, 1500, 1800, 2100, 2400, 2700, 3000, 3300, 3600, 4500,
    5400, 6300, 7200, 9000, 10800, 12600, 14400, 18000, 21600, 25200, 28800, 36000, 43200, 54000, 64800, 75600, 86400,
    108000, 130000, 173000, 216000, 260000, 345000, 432000, 605000, 864000, 1300000, 2600000,
)
RESPONSE_STEP = f'''
    CREATE FUNCTION response_step(seconds bigint) RETURNS smallint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
        SELECT width_bucket(seconds, ARRAY[{', '.join(map(str, BOUNDS))}]::bigint[])::smallint
    $$
'''

ROWS = {
    'insert': 'SELECT 1 AS sign, * FROM newly',
    'delete': 'SELECT -1 AS sign, * FROM formerly',
    'update': 'SELECT 1 AS sign, * FROM newly UNION ALL SELECT -1, * FROM formerly',
}
TABLES = {
    'insert': 'NEW TABLE AS newly',
    'delete': 'OLD TABLE AS formerly',
    'update': 'OLD TABLE AS formerly NEW TABLE AS newly',
}
# Whoever counts shares it, whoever fills a generation has it alone for a moment.
SHARE = 'PERFORM pg_advisory_xact_lock_shared(4242007)'
INTO = 'INSERT INTO fact_delta (generation, environment, number_id, fact, day, seconds, many)'

OF_EPISODES = """
    SELECT g.id, c.environment, c.number_id, f.fact, (f.at AT TIME ZONE g.time_zone)::date, f.seconds, sum(r.sign)
      FROM ({rows}) r JOIN conversation c ON c.id = r.conversation_id CROSS JOIN insight_generation g
     CROSS JOIN LATERAL (VALUES
        ('opened', r.opened_at, 0, true),
        ('closed', r.closed_at, 0, NOT r.closed_by_rule),
        ('closed_without_reply', r.closed_at, 0, NOT r.closed_by_rule AND r.closed_without_reply),
        ('closed_by_rule', r.closed_at, 0, r.closed_by_rule),
        ('answered', r.first_reply_at, told_seconds(r.first_reply_at - r.opened_at), r.opened_by = 'person')
     ) AS f(fact, at, seconds, counts)
     WHERE f.counts AND f.at IS NOT NULL GROUP BY 1, 2, 3, 4, 5, 6 HAVING sum(r.sign) <> 0
"""
# All but the first episode of a conversation reopen it; so it is the first one that is counted.
OF_FIRSTS = """
    SELECT g.id, c.environment, c.number_id, 'begun', (r.opened_at AT TIME ZONE g.time_zone)::date, 0, sum(r.sign)
      FROM ({firsts}) r JOIN conversation c ON c.id = r.conversation_id CROSS JOIN insight_generation g
     GROUP BY 1, 2, 3, 5 HAVING sum(r.sign) <> 0
"""
FIRST_OF_ALL = """
    SELECT 1 AS sign, e.* FROM episode e WHERE NOT EXISTS (
        SELECT FROM episode b WHERE b.conversation_id = e.conversation_id AND b.id < e.id)
"""
FIRST_NOW = """
    SELECT 1 AS sign, n.* FROM newly n WHERE NOT EXISTS (
        SELECT FROM episode b WHERE b.conversation_id = n.conversation_id AND b.id < n.id)
"""
FIRST_BEFORE_AND_NOW = """
    SELECT * FROM (
        SELECT DISTINCT ON (e.conversation_id) -1 AS sign, e.*
          FROM (SELECT e.* FROM episode e WHERE e.conversation_id IN ({affected}) {but}
                UNION ALL SELECT * FROM formerly) e
         ORDER BY e.conversation_id, e.id) b
    UNION ALL
    SELECT * FROM (
        SELECT DISTINCT ON (e.conversation_id) 1 AS sign, e.* FROM episode e WHERE e.conversation_id IN ({affected})
         ORDER BY e.conversation_id, e.id) n
"""
FIRSTS = {
    'insert': FIRST_NOW,
    'delete': FIRST_BEFORE_AND_NOW.format(affected='SELECT conversation_id FROM formerly', but=''),
    'update': FIRST_BEFORE_AND_NOW.format(
        affected='SELECT conversation_id FROM formerly UNION SELECT conversation_id FROM newly',
        but='AND NOT EXISTS (SELECT FROM newly n WHERE n.id = e.id)',
    ),
}
MOVES = {
    'insert': 'true',
    'delete': 'true',
    'update': """EXISTS (SELECT FROM formerly f JOIN newly n USING (id)
                          WHERE (f.conversation_id, f.opened_at) <> (n.conversation_id, n.opened_at))""",
}

STANDING = """
    CROSS JOIN LATERAL (VALUES
        ('threads', true), ('open', r.state = 'open'), ('waiting', r.state = 'open' AND r.waiting_since IS NOT NULL)
    ) AS f(fact, counts) WHERE f.counts
"""
OF_CONVERSATIONS = f"""
    SELECT g.id, r.environment, r.number_id, f.fact, '-infinity'::date, 0, sum(r.sign)
      FROM ({{rows}}) r CROSS JOIN insight_generation g {STANDING} GROUP BY 1, 2, 3, 4 HAVING sum(r.sign) <> 0
"""

# Who says the same twice on a day counts once, so all they ever said is looked at.
WISHED = "category = 'marketing' AND value IN ('stop', 'resume')"
OF_WISHES = """
    SELECT g.id, w.environment, 0, CASE w.value WHEN 'stop' THEN 'opted_out' ELSE 'opted_in' END, w.day, 0, sum(w.sign)
      FROM insight_generation g CROSS JOIN LATERAL ({said}) w GROUP BY 1, 2, 4, 5 HAVING sum(w.sign) <> 0
"""
SAID = """
    SELECT DISTINCT {sign} AS sign, e.environment, e.person_id, e.value,
           (e.occurred_at AT TIME ZONE g.time_zone)::date AS day
      FROM ({rows}) e WHERE {wished}
"""


def said(event: str) -> str:
    gone, come = event != 'insert', event != 'delete'
    people = ' UNION '.join(['SELECT person_id FROM formerly'] * gone + ['SELECT person_id FROM newly'] * come)
    now = f'SELECT * FROM consent_event WHERE person_id IN ({people})'
    before = now + (' AND id NOT IN (SELECT id FROM newly)' if come else '')
    before += ' UNION ALL SELECT * FROM formerly' if gone else ''
    return ' UNION ALL '.join(
        f'({SAID.format(sign=sign, rows=rows, wished=WISHED)})' for sign, rows in ((-1, before), (1, now))
    )


def body(table: str, event: str) -> str:
    """What a trigger does; nothing where its statement changed no row that counts."""
    rows = ROWS[event]
    if table == 'episode':
        return f"""
            IF NOT EXISTS ({rows}) THEN RETURN NULL; END IF;
            {SHARE};
            {INTO} {OF_EPISODES.format(rows=rows)};
            IF {MOVES[event]} THEN {INTO} {OF_FIRSTS.format(firsts=FIRSTS[event])}; END IF;
        """
    if table == 'conversation':
        return f"""
            IF NOT EXISTS (SELECT FROM ({rows}) r {STANDING}
                            GROUP BY r.environment, r.number_id, f.fact HAVING sum(r.sign) <> 0) THEN
                RETURN NULL;
            END IF;
            {SHARE};
            {INTO} {OF_CONVERSATIONS.format(rows=rows)};
        """
    return f"""
        IF NOT EXISTS (SELECT FROM ({rows}) r WHERE {WISHED}) THEN RETURN NULL; END IF;
        PERFORM FROM person WHERE id IN (SELECT person_id FROM ({rows}) r) ORDER BY id FOR NO KEY UPDATE;
        {SHARE};
        {INTO} {OF_WISHES.format(said=said(event))};
    """


# Episodes go while it can still be told whose they were.
EPISODES_FIRST = """
    CREATE FUNCTION end_episodes_first() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        DELETE FROM episode WHERE conversation_id = OLD.id;
        RETURN OLD;
    END $$
"""
EPISODES_FIRST_TRIGGER = """
    CREATE TRIGGER end_episodes_first BEFORE DELETE ON conversation FOR EACH ROW EXECUTE FUNCTION end_episodes_first()
"""

COUNTED = ('episode', 'conversation', 'consent_event')
ALL_SAID = SAID.format(sign=1, rows='SELECT * FROM consent_event', wished=WISHED)


def counted(name: str, *columns: sa.Column) -> None:
    op.create_table(name,
    *([sa.Column('id', sa.BigInteger(), nullable=False)] if name == 'fact_delta' else []),
    sa.Column('generation', sa.SmallInteger(), nullable=False),
    sa.Column('environment', sa.Text(), nullable=False),
    sa.Column('number_id', sa.BigInteger(), nullable=False),
    sa.Column('day', sa.Date(), nullable=False),
    *columns,
    sa.Column('many', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint(*KEYS[name], name=op.f(f'pk_{name}'))
    )


PLACE = ('generation', 'environment', 'number_id')
KEYS = {
    'fact_day': (*PLACE, 'fact', 'day'),
    'fact_delta': ('id',),
    'response_step': (*PLACE, 'level', 'day', 'step'),
    'response_time': (*PLACE, 'level', 'step', 'day', 'seconds'),
}


def upgrade() -> None:
    fact = lambda: sa.Column('fact', sa.Text(), nullable=False)
    small = lambda name: sa.Column(name, sa.SmallInteger(), nullable=False)
    seconds = lambda: sa.Column('seconds', sa.BigInteger(), nullable=False)
    counted('fact_day', fact())
    counted('fact_delta', fact(), seconds())
    counted('response_step', small('level'), small('step'))
    counted('response_time', small('level'), small('step'), seconds())
    op.execute(TOLD_SECONDS)
    op.execute(RESPONSE_STEP)
    op.execute(EPISODES_FIRST)
    op.execute(EPISODES_FIRST_TRIGGER)
    for table in COUNTED:
        for event, tables in TABLES.items():
            op.execute(f"""
                CREATE FUNCTION count_{table}_{event}() RETURNS trigger LANGUAGE plpgsql AS $$
                BEGIN
                    {body(table, event)}
                    RETURN NULL;
                END $$
            """)
            op.execute(f"""
                CREATE TRIGGER count_{event} AFTER {event.upper()} ON {table} REFERENCING {tables}
                FOR EACH STATEMENT EXECUTE FUNCTION count_{table}_{event}()
            """)
    op.drop_index('ix_behaviour_day_behaviour_id_day', 'behaviour_day')
    op.create_index(op.f('ix_behaviour_day_behaviour_id_day'), 'behaviour_day', ['behaviour_id', 'day'], postgresql_include=['person_id', 'number_id'])
    # Nobody can write there until this has committed; what there is becomes deltas of the generations there are.
    op.execute(f"{INTO} {OF_EPISODES.format(rows='SELECT 1 AS sign, * FROM episode')}")
    op.execute(f"{INTO} {OF_FIRSTS.format(firsts=FIRST_OF_ALL)}")
    op.execute(f"{INTO} {OF_CONVERSATIONS.format(rows='SELECT 1 AS sign, * FROM conversation')}")
    op.execute(f'{INTO} {OF_WISHES.format(said=ALL_SAID)}')


def downgrade() -> None:
    op.drop_index('ix_behaviour_day_behaviour_id_day', 'behaviour_day')
    op.create_index(op.f('ix_behaviour_day_behaviour_id_day'), 'behaviour_day', ['behaviour_id', 'day'])
    for table in COUNTED:
        for event in TABLES:
            op.execute(f'DROP TRIGGER count_{event} ON {table}')
            op.execute(f'DROP FUNCTION count_{table}_{event}()')
    op.execute('DROP TRIGGER end_episodes_first ON conversation')
    op.execute('DROP FUNCTION end_episodes_first()')
    for table in KEYS:
        op.drop_table(table)
    op.execute('DROP FUNCTION response_step(bigint)')
    op.execute('DROP FUNCTION told_seconds(interval)')
