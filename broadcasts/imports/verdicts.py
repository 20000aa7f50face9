"""What becomes of rows that are staged: each chunk beside who is known, then all of them beside each other."""

from collections.abc import Mapping, Sequence

from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from bot.models.imports import ImportRow, ImportRun
from bot.models.words import RowVerdict
from broadcasts.imports import known
from broadcasts.imports.reading.problems import ProblemKind
from broadcasts.imports.staging import IS_ALIVE, Job

_ANALYZED_FROM = 5_000
"""Rows from which it pays to tell the planner what there is."""

# By their hashes, a fraction of what it takes to sort them; most lists have nobody twice.
_IS_ANY_TWICE = f"""
    SELECT EXISTS (SELECT FROM import_row WHERE import_id = :run_id AND {IS_ALIVE} AND {{0}} IS NOT NULL
                    GROUP BY hashtextextended({{0}}, 0) HAVING count(*) > 1)
"""  # noqa: S608 (built from the verdicts alone)
_NAMES_TWICE, _PHONES_TWICE = (text(_IS_ANY_TWICE.format(column)) for column in ("distinct_id", "phone"))

# Of rows about one person the last counts; its person keeps the name that an earlier row gave.
_SAME_NAME = text(f"""
    UPDATE import_row r
       SET verdict = 'superseded', problem_kind = NULL, comment = format(:comment, last)
      FROM (SELECT row, max(row) OVER (PARTITION BY distinct_id COLLATE "C") AS last
              FROM import_row WHERE import_id = :run_id AND {IS_ALIVE} AND distinct_id IS NOT NULL) d
     WHERE r.import_id = :run_id AND r.row = d.row AND d.row < d.last
""")  # noqa: S608 (built from the verdicts alone)

_NAME_THE_LAST = text(f"""
    UPDATE import_row r
       SET distinct_id = d.name
      FROM (SELECT max(row) AS last, (array_agg(distinct_id ORDER BY row DESC)
                                      FILTER (WHERE distinct_id IS NOT NULL))[1] AS name
              FROM import_row WHERE import_id = :run_id AND {IS_ALIVE}
             GROUP BY phone COLLATE "C" HAVING count(*) > 1) d
     WHERE r.import_id = :run_id AND r.row = d.last AND r.distinct_id IS NULL AND d.name IS NOT NULL
    RETURNING r.row
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
                      FROM import_row WHERE import_id = :run_id AND {IS_ALIVE}) e
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
              FROM import_row WHERE import_id = :run_id AND {IS_ALIVE} AND wanted ? 'email') d
     WHERE r.import_id = :run_id AND r.row = d.row AND d.row > d.first
""")  # noqa: S608 (built from the verdicts alone)


def judge(session: Session, job: Job, rows: Sequence[int]) -> None:
    """All staged rows beside each other; of those that fit each other, `rows` against who is known."""
    given = {"run_id": job.run_id, "kind": ProblemKind.CONFLICT.value}
    name, phone = job.headers.get("distinct_id", "the person"), job.headers.get("phone", "phone_number")
    comment = "Row %s is about the same person: of several rows the last counts."
    if session.scalar(_NAMES_TWICE, {"run_id": job.run_id}):
        session.execute(_SAME_NAME, given | {"comment": comment})
    if session.scalar(_PHONES_TWICE, {"run_id": job.run_id}):
        rows = [*rows, *session.scalars(_NAME_THE_LAST, given)]
        whose = f"{known.as_literal(phone)} %s is also that of {known.as_literal(name)} %s"
        contradiction = f"{whose} in row %s: one number is one person. Correct one of the two."
        session.execute(_SAME_PHONE, given | {"comment": comment, "contradiction": contradiction})
    email = known.as_literal(job.headers.get("email", ""))
    if email:
        told = f"{email} %s is in row %s already, for somebody else: correct it or leave the cell empty."
        session.execute(_SAME_EMAIL, given | {"comment": told})
    if rows:
        known.decide(session, job, rows)


def analyze(session: Session, rows: int) -> None:
    """Tell the planner about rows that have only just come; it would take them for a handful."""
    if rows >= _ANALYZED_FROM:
        session.execute(text("SET LOCAL default_statistics_target = 10"))
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
