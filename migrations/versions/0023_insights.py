"""insights

Tables for what Insights counts, and triggers on `message` that count: whatever writes a message, in whatever statement,
has counted it in the same transaction. A statement appends its sums as a few rows; nobody waits for anybody's row.
"""

import json

from alembic import op
import sqlalchemy as sa

revision = '0023'
down_revision = '0022'
branch_labels = None
depends_on = None

# Country:calling code and, where countries share one, the digits after it. Longest match wins.
PREFIXES = """
    AC:247 AD:376 AE:971 AF:93 AG:1268 AI:1264 AL:355 AM:374 AO:244 AR:54 AS:1684 AT:43 AU:61 AW:297 AX:35818
    AZ:994 BA:387 BB:1246 BD:880 BE:32 BF:226 BG:359 BH:973 BI:257 BJ:229
    BL:59059027,59059029,59059051,59059052,59059087 BM:1441 BN:673 BO:591 BQ:5993,5994,5997 BR:55 BS:1242 BT:975
    BW:267 BY:375 BZ:501
    CA:1204,1226,1236,1249,1250,1257,1263,1273,1289,1306,1343,1354,1365,1367,1368,1382,1403,1416,1418,1428,1431,1437,1438,1450,1468,1474,1506,1514,1519,1548,1581,1584,1587,1600,1604,1613,1622,1633,1639,1647,1672,1683,1705,1709,1742,1753,1778,1780,1782,1807,1819,1825,1867,1873,1879,1902,1905,1942
    CD:243 CF:236 CG:242 CH:41 CI:225 CK:682 CL:56 CM:237 CN:86 CO:57 CR:506 CU:53 CV:238 CW:599 CY:357 CZ:420
    DE:49 DJ:253 DK:45 DM:1767 DO:1809,1829,1849 DZ:213 EC:593 EE:372 EG:20 ER:291 ES:34 ET:251 FI:358 FJ:679
    FK:500 FM:691 FO:298 FR:33 GA:241 GB:44 GD:1473 GE:995 GF:594 GG:447781,447839,44980,44981 GH:233 GI:350
    GL:299 GM:220 GN:224 GP:590 GQ:240 GR:30 GT:502 GU:1671 GW:245 GY:592 HK:852 HN:504 HR:385 HT:509 HU:36 ID:62
    IE:353 IL:972 IM:441624,447524,447624 IN:91 IO:246 IQ:964 IR:98 IS:354 IT:39
    JE:447509,4477003,4477007,4477008,447797,447829 JM:1658,1876 JO:962 JP:81 KE:254 KG:996 KH:855 KI:686 KM:269
    KN:1869 KP:850 KR:82 KW:965 KY:1345 KZ:770,771,772,773,774,775,776,777,778,779 LA:856 LB:961 LC:1758 LI:423
    LK:94 LR:231 LS:266 LT:370 LU:352 LV:371 LY:218 MA:212 MC:377 MD:373 ME:382
    MF:59059000,59059007,59059009,59059013,59059030,59059043,59059050,59059056,59059058,59059077,59059079 MG:261
    MH:692 MK:389 ML:223 MM:95 MN:976 MO:853 MP:1670 MQ:596 MR:222 MS:1664 MT:356 MU:230 MV:960 MW:265 MX:52 MY:60
    MZ:258 NA:264 NC:687 NE:227 NF:672 NG:234 NI:505 NL:31 NO:47 NP:977 NR:674 NU:683 NZ:64 OM:968 PA:507 PE:51
    PF:689 PG:675 PH:63 PK:92 PL:48 PM:508 PR:1787,1939 PS:970 PT:351 PW:680 PY:595 QA:974 RE:262 RO:40 RS:381
    RU:7 RW:250 SA:966 SB:677 SC:248 SD:249 SE:46 SG:65 SH:290 SI:386 SJ:4779 SK:421 SL:232 SM:378 SN:221 SO:252
    SR:597 SS:211 ST:239 SV:503 SX:1721 SY:963 SZ:268 TA:2908 TC:1649 TD:235 TG:228 TH:66 TJ:992 TK:690 TL:670
    TM:993 TN:216 TO:676 TR:90 TT:1868 TV:688 TW:886 TZ:255 UA:380 UG:256 US:1 UY:598 UZ:998 VC:1784 VE:58 VG:1284
    VI:1340 VN:84 VU:678 WF:681 WS:685 XK:383 YE:967
    YT:2622689,2622690,2622696,2626390,2626392,2626395,2626396,2626397 ZA:27 ZM:260 ZW:263
"""

# Rows of a statement with the sign they count with.
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

WRITTEN = "r.direction = 'in' AND r.kind NOT IN ('reaction', 'system', 'ephemeral', 'request_welcome')"
COUNTED = f"(({WRITTEN}) OR r.accepted_at IS NOT NULL OR r.state = 'failed')"

# As the schema's own migrations wait for each other by such a number: whoever counts shares it, whoever fills a
# generation has it alone for a moment, so that nobody is counted by both or by neither.
SHARE = 'PERFORM pg_advisory_xact_lock_shared(4242007)'

MESSAGES = """
    INSERT INTO message_delta (generation, environment, number_id, day, hour, author_kind, author_id,
                               received, sent, delivered, read, failed, refused)
    SELECT g.id, c.environment, c.number_id, c.at::date, extract(hour FROM c.at), c.author_kind, c.author_id,
           sum(c.sign * c.received), sum(c.sign * c.sent), sum(c.sign * c.delivered), sum(c.sign * c.read),
           sum(c.sign * c.failed), sum(c.sign * c.refused)
      FROM (
        SELECT r.sign, r.environment, r.number_id,
               (CASE r.direction WHEN 'in' THEN r.occurred_at
                     ELSE coalesce(r.accepted_at, r.failed_at, r.occurred_at) END) AT TIME ZONE g.time_zone AS at,
               coalesce(r.author_kind, '') AS author_kind,
               CASE r.author_kind WHEN 'stack' THEN r.journey_id WHEN 'coach' THEN r.operator_id
                    WHEN 'reminder' THEN r.reminder_id WHEN 'api' THEN r.token_id
                    WHEN 'broadcast' THEN r.broadcast_id ELSE 0 END AS author_id,
               (r.direction = 'in')::int AS received,
               (r.accepted_at IS NOT NULL)::int AS sent,
               (r.accepted_at IS NOT NULL AND r.delivery_level >= 2)::int AS delivered,
               (r.accepted_at IS NOT NULL AND r.delivery_level >= 3)::int AS read,
               (r.state = 'failed')::int AS failed,
               (r.state = 'failed' AND r.accepted_at IS NULL)::int AS refused
          FROM ({rows}) r WHERE r.person_id <= g.filled_to AND {counted}) c
     GROUP BY 2, 3, 4, 5, 6, 7
    HAVING sum(c.sign * c.received) <> 0 OR sum(c.sign * c.sent) <> 0 OR sum(c.sign * c.delivered) <> 0
        OR sum(c.sign * c.read) <> 0 OR sum(c.sign * c.failed) <> 0;
"""

# For each person, number and day once, and once more for any number.
ACTIVE = """
    SELECT DISTINCT r.environment, r.person_id, s.number_id, (r.occurred_at AT TIME ZONE g.time_zone)::date AS day
      FROM {table} r CROSS JOIN LATERAL (VALUES (0), (r.number_id)) s(number_id)
     WHERE r.person_id <= g.filled_to AND {written}
"""

PLACE = """
    INSERT INTO active_person (person_id, country)
    SELECT p.id, country_of_person(p.id)
      FROM (SELECT DISTINCT r.person_id AS id FROM newly r WHERE {written}) p
     WHERE NOT EXISTS (SELECT FROM active_person a WHERE a.person_id = p.id)
        ON CONFLICT DO NOTHING;
"""

# What is new follows on the day before it, and the day after it now follows on what is new. The look-ups see the table
# as it was; days that are new together are told each other by lag and lead.
APPEND = """
    WITH wanted AS ({active}),
    fresh AS (
        INSERT INTO active_day (generation, person_id, number_id, day)
        SELECT g.id, person_id, number_id, day FROM wanted ORDER BY 2, 3, 4
        ON CONFLICT DO NOTHING RETURNING *),
    placed AS (
        SELECT w.*, a.country, b.day AS before, c.day AS after,
               lag(w.day) OVER one AS lately, lead(w.day) OVER one AS next
          FROM fresh f JOIN wanted w USING (person_id, number_id, day)
          JOIN active_person a USING (person_id)
          LEFT JOIN LATERAL (
            SELECT d.day FROM active_day d
             WHERE d.generation = g.id AND d.person_id = f.person_id AND d.number_id = f.number_id
               AND d.day < f.day ORDER BY d.day DESC LIMIT 1) b ON true
          LEFT JOIN LATERAL (
            SELECT d.day FROM active_day d
             WHERE d.generation = g.id AND d.person_id = f.person_id AND d.number_id = f.number_id
               AND d.day > f.day ORDER BY d.day LIMIT 1) c ON true
        WINDOW one AS (PARTITION BY w.person_id, w.number_id ORDER BY w.day))
    INSERT INTO active_delta (generation, environment, number_id, previous, day, country, people)
    SELECT g.id, p.environment, p.number_id, n.previous, n.day, p.country, sum(n.people)
      FROM placed p CROSS JOIN LATERAL (
        SELECT coalesce(greatest(before, lately), '-infinity'::date) AS previous, day, 1 AS people
        UNION ALL
        SELECT coalesce(before, '-infinity'::date), after, -1 WHERE after < coalesce(next, 'infinity'::date)
        UNION ALL
        SELECT day, after, 1 WHERE after < coalesce(next, 'infinity'::date)) n
     GROUP BY 2, 3, 4, 5, 6 HAVING sum(n.people) <> 0;
"""

# A message that moves or goes (two people became one) is rare: all days of whom it was are taken back and told again.
RETELL = """
    INSERT INTO active_delta (generation, environment, number_id, previous, day, country, people)
    SELECT g.id, p.environment, d.number_id, d.previous, d.day, p.country, sum({sign})
      FROM (SELECT DISTINCT r.person_id, r.environment, a.country
              FROM ({rows}) r JOIN active_person a USING (person_id) WHERE r.direction = 'in') p
      JOIN (SELECT person_id, number_id, day,
                   coalesce(lag(day) OVER (PARTITION BY person_id, number_id ORDER BY day),
                            '-infinity'::date) AS previous
              FROM active_day WHERE generation = g.id AND person_id IN (SELECT r.person_id FROM ({rows}) r WHERE r.direction = 'in')) d
        USING (person_id)
     GROUP BY 2, 3, 4, 5, 6;
"""
VANISH = """
    DELETE FROM active_day a
     USING ({active}) w
     WHERE a.generation = g.id AND a.person_id = w.person_id AND a.number_id = w.number_id AND a.day = w.day
       AND NOT EXISTS (
           SELECT FROM message r
            WHERE r.person_id = w.person_id AND w.number_id IN (0, r.number_id) AND {written}
              AND r.occurred_at BETWEEN w.day - interval '2 days' AND w.day + interval '2 days'
              AND (r.occurred_at AT TIME ZONE g.time_zone)::date = w.day);
"""
# Whoever stays without ever having written is from where the other one was.
INHERIT = """
    INSERT INTO active_person (person_id, country)
    SELECT DISTINCT ON (n.person_id) n.person_id, a.country
      FROM newly n JOIN formerly f ON f.id = n.id AND f.person_id <> n.person_id
      JOIN active_person a ON a.person_id = f.person_id
     WHERE n.direction = 'in' ORDER BY n.person_id, f.person_id
        ON CONFLICT DO NOTHING;
"""
APPEAR = """
    INSERT INTO active_day (generation, person_id, number_id, day)
    SELECT g.id, person_id, number_id, day FROM ({active}) w ORDER BY 2, 3, 4
        ON CONFLICT DO NOTHING;
"""
FORGET = """
    DELETE FROM active_person a
     WHERE a.person_id IN (SELECT f.person_id FROM formerly f WHERE f.direction = 'in')
       AND NOT EXISTS (SELECT FROM message r WHERE r.person_id = a.person_id AND {written});
"""

WHETHER = {
    'insert': f'SELECT FROM newly r WHERE {WRITTEN}',
    'delete': f'SELECT FROM formerly r WHERE {WRITTEN}',
    'update': """
        SELECT FROM formerly f JOIN newly n ON n.id = f.id
         WHERE f.direction = 'in' AND (f.person_id, f.number_id, f.occurred_at, f.kind)
               IS DISTINCT FROM (n.person_id, n.number_id, n.occurred_at, n.kind)""",
}


def function(event: str) -> str:
    gone = ACTIVE.format(table='formerly', written=WRITTEN)
    come = ACTIVE.format(table='newly', written=WRITTEN)
    rows = ROWS[event]
    retold = {
        'insert': PLACE.format(written=WRITTEN) + APPEND.format(active=come),
        'delete': RETELL.format(sign='-1', rows=rows)
        + VANISH.format(active=gone, written=WRITTEN)
        + RETELL.format(sign='1', rows=rows),
        'update': RETELL.format(sign='-1', rows=rows)
        + VANISH.format(active=gone, written=WRITTEN)
        + INHERIT
        + PLACE.format(written=WRITTEN)
        + APPEAR.format(active=come)
        + RETELL.format(sign='1', rows=rows),
    }
    forget = '' if event == 'insert' else 'IF moves THEN ' + FORGET.format(written=WRITTEN) + ' END IF;'
    return f"""
        CREATE FUNCTION count_message_{event}() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE
            g insight_generation;
            moves boolean;
        BEGIN
            IF NOT EXISTS (SELECT FROM ({rows}) r WHERE {COUNTED}) THEN
                RETURN NULL;
            END IF;
            {SHARE};
            moves := EXISTS ({WHETHER[event]});
            FOR g IN SELECT * FROM insight_generation LOOP
                {MESSAGES.format(rows=rows, counted=COUNTED)}
                IF moves THEN
                    {retold[event]}
                END IF;
            END LOOP;
            {forget}
            RETURN NULL;
        END $$
    """


COUNTRIES = """
    CREATE FUNCTION country_of_phone(phone text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
        SELECT coalesce({look_ups})
          FROM (SELECT ltrim(phone, '+') AS digits, '{known}'::jsonb AS known) k
    $$
"""
COUNTRY_OF_PERSON = """
    CREATE FUNCTION country_of_person(bigint) RETURNS text LANGUAGE sql STABLE STRICT AS $$
        SELECT coalesce(
            (SELECT country_of_phone(value) FROM address WHERE person_id = $1 AND kind = 'phone' ORDER BY id LIMIT 1),
            (SELECT left(value, 2) FROM address
              WHERE person_id = $1 AND kind = 'user_id' AND value ~ '^[A-Z][A-Z][.]' ORDER BY id LIMIT 1),
            (SELECT country FROM person WHERE id = $1),
            '')
    $$
"""


def country_of_phone() -> str:
    known = {}
    for entry in PREFIXES.split():
        country, _, prefixes = entry.partition(':')
        known |= dict.fromkeys(prefixes.split(','), country)
    lengths = sorted({len(prefix) for prefix in known}, reverse=True)
    look_ups = ', '.join(f'known ->> left(digits, {length})' for length in lengths)
    return COUNTRIES.format(look_ups=look_ups, known=json.dumps(known))


def counted(*columns: sa.Column) -> list[sa.Column]:
    return [
        sa.Column('generation', sa.SmallInteger(), nullable=False),
        sa.Column('environment', sa.Text(), nullable=False),
        sa.Column('number_id', sa.BigInteger(), nullable=False),
        *columns,
    ]


def numbers(*names: str) -> list[sa.Column]:
    return [sa.Column(name, sa.BigInteger(), nullable=False) for name in names]


def key(name: str, *columns: str) -> sa.PrimaryKeyConstraint:
    return sa.PrimaryKeyConstraint(*columns, name=op.f(f'pk_{name}'))


def upgrade() -> None:
    day = lambda: sa.Column('day', sa.Date(), nullable=False)
    hour = lambda: sa.Column('hour', sa.SmallInteger(), nullable=False)
    previous = lambda: sa.Column('previous', sa.Date(), nullable=False)
    country = lambda: sa.Column('country', sa.Text(), nullable=False)
    kind = lambda: sa.Column('author_kind', sa.Text(), nullable=False)
    what = ('received', 'sent', 'delivered', 'read', 'failed', 'refused')
    op.create_table('insight_generation',
    sa.Column('id', sa.SmallInteger(), nullable=False),
    sa.Column('time_zone', sa.Text(), nullable=False),
    sa.Column('filled_to', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('is_current', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('started_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('filled_at', sa.DateTime(timezone=True), nullable=True),
    key('insight_generation', 'id')
    )
    op.create_index('uq_insight_generation_current', 'insight_generation', ['is_current'], unique=True, postgresql_where=sa.text('is_current'))
    op.create_table('message_day',
    *counted(sa.Column('level', sa.SmallInteger(), nullable=False), day(), kind(), *numbers('author_id', *what)),
    key('message_day', 'generation', 'environment', 'number_id', 'level', 'day', 'author_kind', 'author_id')
    )
    op.create_table('message_hour',
    *counted(day(), hour(), *numbers('received', 'sent')),
    key('message_hour', 'generation', 'environment', 'number_id', 'day', 'hour')
    )
    op.create_table('message_delta',
    *numbers('id'), *counted(day(), hour(), kind(), *numbers('author_id', *what)),
    key('message_delta', 'id')
    )
    op.create_table('active_person',
    sa.Column('person_id', sa.BigInteger(), autoincrement=False, nullable=False), country(),
    key('active_person', 'person_id')
    )
    op.create_table('active_day',
    sa.Column('generation', sa.SmallInteger(), nullable=False),
    *numbers('person_id', 'number_id'), day(),
    key('active_day', 'generation', 'person_id', 'number_id', 'day')
    )
    op.create_table('active_gap',
    *counted(sa.Column('level', sa.SmallInteger(), nullable=False), previous(), day(), country(), *numbers('people')),
    key('active_gap', 'generation', 'environment', 'number_id', 'level', 'previous', 'day', 'country')
    )
    op.create_table('active_delta',
    *numbers('id'), *counted(previous(), day(), country(), *numbers('people')),
    key('active_delta', 'id')
    )
    op.execute(country_of_phone())
    op.execute(COUNTRY_OF_PERSON)
    for event, tables in TABLES.items():
        op.execute(function(event))
        op.execute(f"""
            CREATE TRIGGER count_{event} AFTER {event.upper()} ON message REFERENCING {tables}
            FOR EACH STATEMENT EXECUTE FUNCTION count_message_{event}()
        """)


def downgrade() -> None:
    for event in TABLES:
        op.execute(f'DROP TRIGGER count_{event} ON message')
        op.execute(f'DROP FUNCTION count_message_{event}()')
    op.execute('DROP FUNCTION country_of_person(bigint)')
    op.execute('DROP FUNCTION country_of_phone(text)')
    for name in ('active_delta', 'active_gap', 'active_day', 'active_person', 'message_delta', 'message_hour', 'message_day', 'insight_generation'):
        op.drop_table(name)
