"""What becomes of rows that are staged: compared with each other and with who is known, all of them at once."""

from collections.abc import Mapping, Sequence

from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from bot.models.imports import ImportRow, ImportRun
from bot.models.words import RowVerdict
from broadcasts.imports.reading.problems import ProblemKind
from broadcasts.imports.roster import COLUMNS
from broadcasts.imports.staging import ALIVE, Job

_ANALYZED_FROM = 5_000
"""Rows from which it pays to tell the planner what there is."""

_ALIVE = f"verdict IN ({', '.join(repr(verdict.value) for verdict in ALIVE)})"

# By their hashes, a fraction of what it takes to sort them; most lists have nobody twice.
_IS_ANY_TWICE = f"""
    SELECT EXISTS (SELECT FROM import_row WHERE import_id = :run_id AND {_ALIVE} AND {{0}} IS NOT NULL
                    GROUP BY hashtextextended({{0}}, 0) HAVING count(*) > 1)
"""  # noqa: S608 (built from the verdicts alone)
_NAMES_TWICE, _PHONES_TWICE = (text(_IS_ANY_TWICE.format(column)) for column in ("distinct_id", "phone"))

# Of rows about one person the last counts; its person keeps the name that an earlier row gave.
_SAME_NAME = text(f"""
    UPDATE import_row r
       SET verdict = 'superseded', comment = format(:comment, last)
      FROM (SELECT row, max(row) OVER (PARTITION BY distinct_id COLLATE "C") AS last
              FROM import_row WHERE import_id = :run_id AND {_ALIVE} AND distinct_id IS NOT NULL) d
     WHERE r.import_id = :run_id AND r.row = d.row AND d.row < d.last
""")  # noqa: S608 (built from the verdicts alone)

_NAME_THE_LAST = text(f"""
    UPDATE import_row r
       SET distinct_id = d.name
      FROM (SELECT max(row) AS last, (array_agg(distinct_id ORDER BY row DESC)
                                      FILTER (WHERE distinct_id IS NOT NULL))[1] AS name
              FROM import_row WHERE import_id = :run_id AND {_ALIVE}
             GROUP BY phone COLLATE "C" HAVING count(*) > 1) d
     WHERE r.import_id = :run_id AND r.row = d.last AND r.distinct_id IS NULL AND d.name IS NOT NULL
""")  # noqa: S608 (built from the verdicts alone)

_SAME_PHONE = text(f"""
    UPDATE import_row r
       SET verdict = CASE WHEN d.is_other THEN 'failed' ELSE 'superseded' END,
           problem_kind = CASE WHEN d.is_other THEN :kind END,
           wanted = CASE WHEN d.is_other THEN NULL ELSE r.wanted END,
           comment = CASE WHEN d.is_other
                          THEN format(CAST(:contradiction AS text), r.phone, d.last_name, d.last)
                          ELSE format(CAST(:comment AS text), d.last) END
      FROM (SELECT e.row, e.last, l.distinct_id AS last_name, e.distinct_id <> l.distinct_id AS is_other
              FROM (SELECT row, distinct_id, max(row) OVER (PARTITION BY phone COLLATE "C") AS last
                      FROM import_row WHERE import_id = :run_id AND {_ALIVE}) e
              JOIN import_row l ON l.import_id = :run_id AND l.row = e.last
             WHERE e.row < e.last) d
     WHERE r.import_id = :run_id AND r.row = d.row
""")  # noqa: S608 (built from the verdicts alone)

_SAME_EMAIL = text(f"""
    UPDATE import_row r
       SET verdict = 'failed', problem_kind = :kind, wanted = NULL,
           comment = format(CAST(:comment AS text), d.email, d.first)
      FROM (SELECT row, wanted->>'email' AS email,
                   min(row) OVER (PARTITION BY (wanted->>'email') COLLATE "C") AS first
              FROM import_row WHERE import_id = :run_id AND {_ALIVE} AND wanted ? 'email') d
     WHERE r.import_id = :run_id AND r.row = d.row AND d.row > d.first
""")  # noqa: S608 (built from the verdicts alone)

_OWN = ", ".join(f"'{name}', p.{name}" for name in COLUMNS)
_SAME = f"""
    (j.distinct_id IS NULL OR (p.distinct_id = j.distinct_id AND p.distinct_id_given))
    AND j.reached = p.id AND (j.email IS NULL OR j.mailed = p.id)
    AND (p.country IS NOT NULL OR r.wanted->>'country' IS NULL)
    AND jsonb_build_object({_OWN}) @> coalesce(r.wanted->'columns', '{{}}')
    AND p.attributes || coalesce(r.wanted->'attributes', '{{}}') = p.attributes
    AND NOT p.attributes ?| ARRAY(SELECT jsonb_array_elements_text(r.wanted->'blank'))
    AND NOT (coalesce(r.wanted->'blank', '[]') ? 'email'
             AND EXISTS (SELECT FROM address x WHERE x.person_id = p.id AND x.kind = 'email'))
"""  # noqa: S608 (built from the columns alone)

# A number may still be somebody's who gets another one earlier in the same list.
_KNOWN = text(f"""
    WITH staged AS MATERIALIZED (
        SELECT row, distinct_id, phone, wanted->>'email' AS email
          FROM import_row WHERE import_id = :run_id AND {_ALIVE}),
    met AS (
        SELECT s.*, n.id AS named, a.person_id AS reached, e.person_id AS mailed
          FROM staged s
          LEFT JOIN person n ON n.environment = :environment AND n.distinct_id = s.distinct_id
          LEFT JOIN address a ON a.environment = :environment AND a.kind = 'phone' AND a.value = s.phone
          LEFT JOIN address e ON e.environment = :environment AND e.kind = 'email' AND e.value = s.email
         WHERE (CAST(:rows AS bigint[]) IS NULL OR s.row = ANY(:rows))
           AND coalesce(n.id, a.person_id, e.person_id) IS NOT NULL),
    meant AS (
        SELECT m.*, o.distinct_id AS owner, o.distinct_id_given AS is_owner_named,
               coalesce(m.named, CASE WHEN m.distinct_id IS NULL OR NOT o.distinct_id_given THEN m.reached END) AS id
          FROM met m LEFT JOIN person o ON o.id = m.reached),
    judged AS (
        SELECT m.*,
               m.reached IS NOT NULL AND m.reached IS DISTINCT FROM m.id AND l.row IS NULL AS is_taken,
               m.mailed IS NOT NULL AND m.mailed IS DISTINCT FROM m.id AS is_email_taken
          FROM meant m
          LEFT JOIN staged l ON l.distinct_id = m.owner AND l.row < m.row AND l.phone <> m.phone)
    UPDATE import_row r
       SET verdict = CASE WHEN j.is_taken OR j.is_email_taken THEN 'failed'
                          WHEN p.id IS NULL THEN 'new'
                          WHEN {_SAME} THEN 'unchanged' ELSE 'changed' END,
           wanted = CASE WHEN j.is_taken OR j.is_email_taken THEN NULL ELSE r.wanted END,
           problem_kind = CASE WHEN j.is_taken OR j.is_email_taken THEN :kind END,
           comment = CASE WHEN j.is_taken AND j.is_owner_named
                          THEN format(CAST(:taken AS text), j.phone, j.owner)
                          WHEN j.is_taken THEN format(CAST(:taken_by_stranger AS text), j.phone)
                          WHEN j.is_email_taken THEN format(CAST(:email_taken AS text), j.email) END
      FROM judged j LEFT JOIN person p ON p.id = j.id
     WHERE r.import_id = :run_id AND r.row = j.row
""")  # noqa: S608 (built from the verdicts and columns alone)


def judge(session: Session, job: Job, rows: Sequence[int] | None = None) -> None:
    """All staged rows anew, or, of those that fit each other, only `rows` against who is known."""
    given = {"run_id": job.run_id, "kind": ProblemKind.CONFLICT.value}
    name, phone = job.headers.get("distinct_id", "the person"), job.headers.get("phone", "phone_number")
    comment = "Row %s is about the same person: of several rows the last counts."
    if session.scalar(_NAMES_TWICE, {"run_id": job.run_id}):
        session.execute(_SAME_NAME, given | {"comment": comment})
    if session.scalar(_PHONES_TWICE, {"run_id": job.run_id}):
        session.execute(_NAME_THE_LAST, given)
        contradiction = (
            f"{_literal(phone)} %s is also that of {_literal(name)} %s in row %s: one number is one person. "
            "Correct one of the two."
        )
        session.execute(_SAME_PHONE, given | {"comment": comment, "contradiction": contradiction})
    email = _literal(job.headers.get("email", ""))
    if email:
        told = f"{email} %s is in row %s already, for somebody else: correct it or leave the cell empty."
        session.execute(_SAME_EMAIL, given | {"comment": told})
    belongs, remedy = f"{_literal(phone)} %s belongs to", "already: one number is one person. Correct one of the two."
    known = {
        "environment": job.environment,
        "rows": rows,
        "taken": f"{belongs} {_literal(name)} %s {remedy}",
        "taken_by_stranger": f"{belongs} somebody who wrote to us and is not named yet {remedy}",
        "email_taken": f"{email} %s belongs to somebody else already: correct it or leave the cell empty.",
    }
    session.execute(_KNOWN, given | known)


def analyze(session: Session, rows: int) -> None:
    """Tell the planner about rows that have only just come; it would take them for a handful."""
    if rows >= _ANALYZED_FROM:
        session.execute(text("SET LOCAL default_statistics_target = 10"))  # a look at 3,000 rows tells it as much
        session.execute(text("ANALYZE import_row (import_id, row, verdict, distinct_id, phone)"))


def count(session: Session, run_id: int) -> None:
    """Write down what will become of the rows."""
    found = select(ImportRow.verdict, func.count()).where(ImportRow.import_id == run_id).group_by(ImportRow.verdict)
    counts: Mapping[str, int] = dict(session.execute(found).all())
    values = {column: counts.get(verdict, 0) for column, verdict in _COUNTED.items()}
    session.execute(update(ImportRun).where(ImportRun.id == run_id).values(values))


_COUNTED = {
    "will_create": RowVerdict.NEW,
    "will_update": RowVerdict.CHANGED,
    "will_keep": RowVerdict.UNCHANGED,
    "will_fail": RowVerdict.FAILED,
    "superseded": RowVerdict.SUPERSEDED,
}


def _literal(header: str) -> str:
    """As a part of a text for format()."""
    return header[:80].replace("%", "%%")
