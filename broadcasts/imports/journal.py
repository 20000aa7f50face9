"""What an import did to each person it did not make, kept so that it can be undone.

The names in `before` and `after` are columns of person, `attribute:city`, and `address:phone` or `address:email`, whose
values are lists. `before` has what changed, with null for what was not there; `after` has all that the list said.
"""

from collections.abc import Iterable

from sqlalchemy import text
from sqlalchemy.orm import Session

from broadcasts.imports.copying import copy
from broadcasts.imports.failing import as_json
from broadcasts.imports.roster import Known
from broadcasts.imports.staging import Job

_JOIN = "COPY segment_member (segment_id, person_id, environment) FROM STDIN"

# A row that is put right after the end may be about somebody whom another row was about, or had made.
_NOTE = text("""
    WITH joined AS (
        INSERT INTO segment_member (segment_id, person_id, environment)
        SELECT :segment_id, id, :environment FROM unnest(CAST(:ids AS bigint[])) AS r(id) ORDER BY id
            ON CONFLICT DO NOTHING
        RETURNING person_id)
    INSERT INTO import_change AS c (import_id, person_id, environment, has_joined, before, after)
    SELECT :run_id, r.id, :environment, j.person_id IS NOT NULL, CAST(r.before AS jsonb), CAST(r.after AS jsonb)
      FROM unnest(CAST(:ids AS bigint[]), CAST(:before AS text[]), CAST(:after AS text[])) AS r(id, before, after)
      JOIN person p ON p.id = r.id AND p.import_id IS DISTINCT FROM :run_id
      LEFT JOIN joined j ON j.person_id = r.id
        ON CONFLICT (import_id, person_id) DO UPDATE
       SET has_joined = c.has_joined OR excluded.has_joined,
           before = excluded.before || c.before, after = c.after || excluded.after
""")


def note(session: Session, job: Job, people: Iterable[Known], created: set[Known]) -> None:
    """Make everybody a member of the import's segment, and write down what it did to them."""
    new = sorted(person.id for person in created if person.id is not None)
    copy(session, _JOIN, ((job.segment_id, id_, job.environment) for id_ in new))
    others = [person for person in people if person not in created]
    if others:
        session.execute(
            _NOTE,
            {
                "run_id": job.run_id,
                "segment_id": job.segment_id,
                "environment": job.environment,
                "ids": [person.id for person in others],
                "before": [as_json(person.before) for person in others],
                "after": [as_json(person.after) for person in others],
            },
        )
