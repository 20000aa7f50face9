"""goals by spans

Who started a goal, who completed it and who did what on the way is counted as it happens, in sums that tell each person
once for any period: a goal's page costs the same however much people have done.
"""

from alembic import op
import sqlalchemy as sa

revision = '0038'
down_revision = '0037'
branch_labels = None
depends_on = None

TABLES = {
    'insert': 'NEW TABLE AS newly',
    'delete': 'OLD TABLE AS formerly',
    'update': 'OLD TABLE AS formerly NEW TABLE AS newly',
}
# Whoever counts shares it, whoever fills a generation has it alone for a moment.
SHARE = 'PERFORM pg_advisory_xact_lock_shared(4242007)'

# What people did for a goal, as `told` has it with the sign it counts with, becomes spans: whoever did something in a
# period is its first time there, so each time counts for the periods that have its day, and is taken back for those that
# have the time before it, too. docs/insights.md says more.
SPANS = """
    turned AS (
        SELECT t.*, t.role = 'completion' AS ends,
               count(*) FILTER (WHERE t.role = 'start') OVER so_far AS starts,
               count(*) FILTER (WHERE t.role = 'completion') OVER so_far - (t.role = 'completion')::int AS turn,
               min(t.day) FILTER (WHERE t.role = 'completion') OVER (
                   one ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING) AS end_day
          FROM told t WHERE t.role IN ('start', 'completion')
        WINDOW one AS (PARTITION BY t.sign, t.goal_id, t.person_id ORDER BY t.at, t.role DESC, t.behaviour_id),
               so_far AS (one ROWS UNBOUNDED PRECEDING)),
    timed AS (
        SELECT t.*, min(t.at) FILTER (WHERE NOT t.ends) OVER (
                   PARTITION BY t.sign, t.goal_id, t.person_id, t.turn) AS first
          FROM turned t),
    done AS (
        SELECT sign, goal_id, behaviour_id, 'did' AS part, person_id, day, day AS until, number_id,
               CAST(NULL AS bigint) AS seconds, author_kind, author_id, author_step
          FROM told WHERE isfinite(day)
        UNION ALL
        SELECT sign, goal_id, 0, 'completed', person_id, day, day, number_id,
               CASE WHEN isfinite(first) THEN told_seconds(at - first) END, author_kind, author_id, author_step
          FROM timed WHERE ends AND starts > 0 AND isfinite(day)
        UNION ALL
        SELECT sign, goal_id, 0, 'went_on', person_id, day, end_day, number_id, NULL, author_kind, author_id, author_step
          FROM turned WHERE NOT ends AND end_day IS NOT NULL AND isfinite(day)),
    followed AS (
        SELECT d.*, n.of_number, lag(d.day) OVER (
                   PARTITION BY d.sign, d.part, d.goal_id, d.behaviour_id, d.person_id, n.of_number
                       ORDER BY d.day, d.until, d.seconds, d.author_kind, d.author_id, d.author_step) AS previous
          FROM done d CROSS JOIN LATERAL (VALUES (0::bigint), (d.number_id)) n(of_number)
         WHERE n.of_number IS NOT NULL),
    spans AS (
        SELECT f.goal_id, f.behaviour_id, f.part, f.of_number AS number_id, s.since, f.until, f.seconds, f.author_kind,
               f.author_id, coalesce(f.author_step, 0) AS author_step, sum(f.sign * s.sign) AS people
          FROM followed f CROSS JOIN LATERAL (VALUES (f.day, 1), (f.previous, -1)) s(since, sign)
         WHERE s.since IS NOT NULL GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 HAVING sum(f.sign * s.sign) <> 0)
    INSERT INTO goal_span_delta (generation, goal_id, behaviour_id, part, number_id, since, until, seconds,
                                 author_kind, author_id, author_step, people)
    SELECT g.id, s.* FROM spans s CROSS JOIN insight_generation g
"""
COLUMNS = 'd.behaviour_id, d.person_id, d.day, d.at, d.number_id, d.author_kind, d.author_id, d.author_step'

# Of the people and the goals that a statement is about: all that they do now, without all that they did before it.
AFFECTED = """
    affected AS (
        SELECT DISTINCT b.goal_id, r.person_id FROM ({rows}) r JOIN behaviour b ON b.id = r.behaviour_id)
"""
NOW = f"""
    SELECT {{sign}} AS sign, b.goal_id, b.role, {COLUMNS}
      FROM affected a JOIN behaviour b USING (goal_id)
      JOIN {{days}} d ON d.behaviour_id = b.id AND d.person_id = a.person_id
"""
BUT_NEW = """
    NOT EXISTS (SELECT FROM newly n
                 WHERE n.behaviour_id = d.behaviour_id AND n.person_id = d.person_id AND n.day = d.day)
"""


def of_days(event: str) -> str:
    gone, come = event != 'insert', event != 'delete'
    rows = ' UNION ALL '.join(['SELECT * FROM formerly'] * gone + ['SELECT * FROM newly'] * come)
    told = [
        NOW.format(sign=1, days='behaviour_day'),
        NOW.format(sign=-1, days='behaviour_day') + (f'WHERE {BUT_NEW}' if come else ''),
        *([NOW.format(sign=-1, days='formerly')] if gone else []),
    ]
    # Two that tell something of one person wait for each other, and for whoever changes the goal.
    return f"""
        IF NOT EXISTS ({rows}) THEN RETURN NULL; END IF;
        PERFORM FROM goal WHERE id IN (
            SELECT b.goal_id FROM ({rows}) r JOIN behaviour b ON b.id = r.behaviour_id) ORDER BY id FOR KEY SHARE;
        PERFORM FROM person WHERE id IN (SELECT person_id FROM ({rows}) r) ORDER BY id FOR NO KEY UPDATE;
        {SHARE};
        WITH {AFFECTED.format(rows=rows)}, told AS ({' UNION ALL '.join(told)}), {SPANS};
    """


# A behaviour that starts a goal or completes it from now on, or no more: everybody's turns are told anew.
OF_ROLES = f"""
    IF NOT EXISTS (SELECT FROM formerly f JOIN newly n USING (id) WHERE f.role <> n.role) THEN RETURN NULL; END IF;
    PERFORM FROM goal WHERE id IN (SELECT goal_id FROM newly) ORDER BY id FOR UPDATE;
    {SHARE};
    WITH told AS (
        SELECT s.sign, b.goal_id, s.role, {COLUMNS}
          FROM behaviour b LEFT JOIN formerly f USING (id)
         CROSS JOIN LATERAL (VALUES (1, b.role), (-1, coalesce(f.role, b.role))) s(sign, role)
          JOIN behaviour_day d ON d.behaviour_id = b.id
         WHERE b.goal_id IN (
            SELECT n.goal_id FROM formerly o JOIN newly n USING (id) WHERE o.role <> n.role)), {SPANS};
"""

# While it can still be told which goal they are of. With its goal all that was counted of it goes, nothing is to tell.
DAYS_FIRST = """
    CREATE FUNCTION end_days_first() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF EXISTS (SELECT FROM goal WHERE id = OLD.goal_id) THEN
            DELETE FROM behaviour_day WHERE behaviour_id = OLD.id;
        END IF;
        RETURN OLD;
    END $$
"""
DAYS_FIRST_TRIGGER = """
    CREATE TRIGGER end_days_first BEFORE DELETE ON behaviour FOR EACH ROW EXECUTE FUNCTION end_days_first()
"""

BODIES = {
    **{('behaviour_day', event): of_days(event) for event in TABLES},
    ('behaviour', 'update'): OF_ROLES,
}

LEVELS = ('since_level', 'until_level', 'since', 'until')
KEYS = {
    'goal_span': ('generation', 'goal_id', 'number_id', *LEVELS, 'part', 'behaviour_id', 'step'),
    'goal_span_author': (
        'generation', 'goal_id', 'part', 'behaviour_id', 'number_id', *LEVELS, 'author_kind', 'author_id', 'author_step',
    ),
    'goal_span_time': ('generation', 'goal_id', 'number_id', 'step', *LEVELS, 'seconds'),
    'goal_span_delta': ('id',),
}


def counted(name: str, *columns: sa.Column) -> None:
    small = lambda name: sa.Column(name, sa.SmallInteger(), nullable=False)
    is_delta = name == 'goal_span_delta'
    op.create_table(name,
    *([sa.Column('id', sa.BigInteger(), nullable=False)] if is_delta else []),
    small('generation'),
    sa.Column('goal_id', sa.BigInteger(), nullable=False),
    sa.Column('number_id', sa.BigInteger(), nullable=False),
    *([] if is_delta else [small('since_level'), small('until_level')]),
    sa.Column('since', sa.Date(), nullable=False),
    sa.Column('until', sa.Date(), nullable=False),
    *columns,
    sa.Column('people', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint(*KEYS[name], name=op.f(f'pk_{name}'))
    )


def upgrade() -> None:
    small = lambda name: sa.Column(name, sa.SmallInteger(), nullable=False)
    part = lambda: sa.Column('part', sa.Text(), nullable=False)
    behaviour = lambda: sa.Column('behaviour_id', sa.BigInteger(), nullable=False)
    author = lambda: [
        sa.Column('author_kind', sa.Text(), nullable=False),
        sa.Column('author_id', sa.BigInteger(), nullable=False),
        small('author_step'),
    ]
    counted('goal_span', part(), behaviour(), small('step'))
    counted('goal_span_author', part(), behaviour(), *author())
    counted('goal_span_time', small('step'), sa.Column('seconds', sa.BigInteger(), nullable=False))
    counted('goal_span_delta', part(), behaviour(), sa.Column('seconds', sa.BigInteger(), nullable=True), *author())
    op.execute(DAYS_FIRST)
    op.execute(DAYS_FIRST_TRIGGER)
    for (table, event), body in BODIES.items():
        op.execute(f"""
            CREATE FUNCTION count_{table}_{event}() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                {body}
                RETURN NULL;
            END $$
        """)
        op.execute(f"""
            CREATE TRIGGER count_{event} AFTER {event.upper()} ON {table} REFERENCING {TABLES[event]}
            FOR EACH STATEMENT EXECUTE FUNCTION count_{table}_{event}()
        """)
    # Nobody can write there until this has committed; what there is becomes deltas of the generations there are.
    op.execute(f"""
        WITH told AS (SELECT 1 AS sign, b.goal_id, b.role, {COLUMNS}
                        FROM behaviour_day d JOIN behaviour b ON b.id = d.behaviour_id), {SPANS}
    """)


def downgrade() -> None:
    for table, event in BODIES:
        op.execute(f'DROP TRIGGER count_{event} ON {table}')
        op.execute(f'DROP FUNCTION count_{table}_{event}()')
    op.execute('DROP TRIGGER end_days_first ON behaviour')
    op.execute('DROP FUNCTION end_days_first()')
    for name in KEYS:
        op.drop_table(name)
