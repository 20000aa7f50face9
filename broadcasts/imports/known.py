"""Staged rows beside the people who are there: whom each is about, and what it changes of them."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from broadcasts.imports.reading.problems import ProblemKind
from broadcasts.imports.roster import COLUMNS
from broadcasts.imports.staging import IS_ALIVE, Job

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

# Who has the row's name, number or e-mail address, and whom it therefore means; {scope} says of which rows. Each is
# looked up by its index: a join might read everybody, or all e-mail addresses for every row.
_MET = """
        SELECT m.*, o.distinct_id AS owner, o.distinct_id_given AS is_owner_named, t.id AS meant,
               m.reached IS NOT NULL AND m.reached IS DISTINCT FROM t.id AS is_taken,
               m.mailed IS NOT NULL AND m.mailed IS DISTINCT FROM t.id AS is_email_taken
          FROM (SELECT row, distinct_id, phone, wanted->>'email' AS email,
                       (SELECT id FROM person x WHERE x.environment = :environment AND x.distinct_id = r.distinct_id)
                    AS named,
                       (SELECT person_id FROM address x
                         WHERE x.environment = :environment AND x.kind = 'phone' AND x.value = r.phone) AS reached,
                       CASE WHEN :has_emails THEN (
                       SELECT person_id FROM address x
                        WHERE x.environment = :environment AND x.kind = 'email' AND x.value = r.wanted->>'email') END
                    AS mailed
                  FROM import_row r
                 WHERE import_id = :run_id AND row {scope} AND {alive}
                OFFSET 0) m
          LEFT JOIN person o ON o.id = m.reached
         CROSS JOIN LATERAL (
               SELECT coalesce(m.named, CASE WHEN m.distinct_id IS NULL OR NOT o.distinct_id_given THEN m.reached END)
               ) t(id)
         WHERE coalesce(m.named, m.reached, m.mailed) IS NOT NULL
"""

# Rows that contradict who is known are only marked: what becomes of them depends on the rest of the list.
_COMPARE = text(f"""
    WITH judged AS MATERIALIZED ({_MET.format(scope="BETWEEN :first AND :last", alive=IS_ALIVE)})
    UPDATE import_row r
       SET verdict = CASE WHEN j.is_taken OR j.is_email_taken THEN 'new'
                          WHEN {_SAME} THEN 'unchanged' ELSE 'changed' END,
           problem_kind = CASE WHEN j.is_taken OR j.is_email_taken THEN :kind END
      FROM judged j LEFT JOIN person p ON p.id = j.meant
     WHERE r.import_id = :run_id AND r.row = j.row AND (p.id IS NOT NULL OR j.is_taken OR j.is_email_taken)
""")  # noqa: S608 (built from the verdicts and columns alone)

_DOUBTFUL = text(f"""
    SELECT row FROM import_row WHERE import_id = :run_id AND {IS_ALIVE} AND problem_kind IS NOT NULL
""")  # noqa: S608 (built from the verdicts alone)

# A number may still be somebody's who gets another one earlier in the same list.
_DECIDE = text(f"""
    WITH met AS MATERIALIZED ({_MET.format(scope="= ANY(:rows)", alive=IS_ALIVE)}),
    judged AS (
        SELECT m.row, m.distinct_id, m.phone, m.email, m.reached, m.mailed, m.owner, m.is_owner_named, m.meant,
               m.is_email_taken, m.is_taken AND l.row IS NULL AS is_taken
          FROM met m
          LEFT JOIN (SELECT row, distinct_id, phone FROM import_row WHERE import_id = :run_id AND {IS_ALIVE}) l
                 ON l.distinct_id = m.owner AND l.row < m.row AND l.phone <> m.phone)
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
      FROM judged j LEFT JOIN person p ON p.id = j.meant
     WHERE r.import_id = :run_id AND r.row = j.row
""")  # noqa: S608 (built from the verdicts and columns alone)


def compare(session: Session, job: Job, first: int, last: int) -> None:
    """Staged rows from `first` to `last` with who is known; what contradicts is left to `decide`."""
    session.execute(_COMPARE, _given(job) | {"first": first, "last": last})


def doubtful(session: Session, run_id: int) -> list[int]:
    """Rows that contradicted who is known when they were compared."""
    return list(session.scalars(_DOUBTFUL, {"run_id": run_id}))


def decide(session: Session, job: Job, rows: Sequence[int]) -> None:
    """What becomes of rows that fit each other, now that it is known of all the others."""
    session.execute(_DECIDE, _given(job) | _told(job) | {"rows": list(rows)})


def _given(job: Job) -> dict[str, Any]:
    return {
        "run_id": job.run_id,
        "environment": job.environment,
        "has_emails": "email" in job.headers,
        "kind": ProblemKind.CONFLICT.value,
    }


def _told(job: Job) -> dict[str, str]:
    """Comments on rows that contradict who is known."""
    email = as_literal(job.headers.get("email", ""))
    name, phone = job.headers.get("distinct_id", "the person"), job.headers.get("phone", "phone_number")
    belongs, remedy = f"{as_literal(phone)} %s belongs to", "already: one number is one person. Correct one of the two."
    return {
        "taken": f"{belongs} {as_literal(name)} %s {remedy}",
        "taken_by_stranger": f"{belongs} somebody who wrote to us and is not named yet {remedy}",
        "email_taken": f"{email} %s belongs to somebody else already: correct it or leave the cell empty.",
    }


def as_literal(header: str) -> str:
    """As a part of a text for format()."""
    return header[:80].replace("%", "%%")
