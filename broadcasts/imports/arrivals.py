"""Rows that are about nobody we know become people without leaving the database."""

from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from broadcasts.imports.roster import COLUMNS
from broadcasts.imports.staging import Job

_VALUES = ", ".join(
    f"coalesce(wanted->'columns'->>'{name}', wanted->>'country')"
    if name == "country"
    else f"wanted->'columns'->>'{name}'"
    for name in COLUMNS
)

# In the order of names, then of addresses: two lists with the same people wait for each other, never in a circle.
_CREATE: Final = text(f"""
    WITH listed AS (
        DELETE FROM import_row
         WHERE import_id = :run_id AND row BETWEEN :first AND :last AND verdict = 'new'
        RETURNING distinct_id, phone, wanted),
    fresh AS MATERIALIZED (
        SELECT nextval('person_id_seq') AS id, sorted.*
          FROM (SELECT coalesce(distinct_id, gen_random_uuid()::text) AS name, * FROM listed
                 ORDER BY distinct_id COLLATE "C") sorted),
    born AS (
        INSERT INTO person
               (id, environment, distinct_id, distinct_id_given, {", ".join(COLUMNS)}, attributes, import_id)
               OVERRIDING SYSTEM VALUE
        SELECT id, :environment, name, distinct_id IS NOT NULL, {_VALUES}, coalesce(wanted->'attributes', '{{}}'),
               :run_id
          FROM fresh),
    reached AS (
        INSERT INTO address (environment, person_id, kind, value)
        SELECT :environment, id, kind, value
          FROM (SELECT id, 'phone' AS kind, phone AS value FROM fresh
                 UNION ALL SELECT id, 'email', wanted->>'email' FROM fresh WHERE wanted ? 'email') one
         ORDER BY kind, value COLLATE "C")
    SELECT id FROM fresh
""")  # noqa: S608 (built from the columns alone)

_JOIN: Final = text("""
    INSERT INTO segment_member (segment_id, person_id, environment)
    SELECT :segment_id, id, :environment FROM unnest(CAST(:ids AS bigint[])) AS id
""")


def create(session: Session, job: Job, first: int, last: int) -> list[int]:
    """Ids of the people made of rows that were found to be new; IntegrityError if one of them is known meanwhile."""
    given = {"run_id": job.run_id, "environment": job.environment, "first": first, "last": last}
    return list(session.scalars(_CREATE, given))


def join(session: Session, job: Job, ids: list[int]) -> None:
    session.execute(_JOIN, {"segment_id": job.segment_id, "environment": job.environment, "ids": ids})
