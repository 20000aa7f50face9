"""The one door to Google's client. Each call is made once: who calls knows what has to be tried again, and when.

Jobs have ids of ours, so that an answer that was lost is asked for again instead of the work being done twice.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import IO, Any, Final

import google.auth
from google.api_core import exceptions
from google.api_core.client_options import ClientOptions
from google.auth.exceptions import GoogleAuthError
from google.cloud import bigquery
from requests.exceptions import RequestException

from bot.insights.bigquery import problems, schemas
from bot.insights.bigquery.problems import ProblemError
from bot.insights.bigquery.targets import Target
from bot.insights.export.shapes import Table

TIMEOUT_S: Final = 30.0
"""Of one request. What hangs longer is tried again, with the same id."""
_ONCE: Final[dict[str, Any]] = {"retry": None, "timeout": TIMEOUT_S}
_SCOPES: Final = ("https://www.googleapis.com/auth/bigquery",)
_STAGED_FOR: Final = timedelta(days=1)


class Calls:
    """BigQuery, as one destination needs it; every refusal is a ProblemError."""

    def __init__(self, target: Target) -> None:
        self.target = target
        with told(target):
            self._client = bigquery.Client(
                project=target.project,
                credentials=google.auth.default(scopes=_SCOPES)[0],
                client_options=ClientOptions(api_endpoint=target.endpoint) if target.endpoint else None,
            )
        self._location: str | None = None

    def close(self) -> None:
        self._client.close()  # type: ignore[no-untyped-call]  # Google's client is typed in part only

    def location(self) -> str:
        """Where the dataset is, and so where its jobs have to run."""
        if self._location is None:
            with told(self.target):
                dataset = self._client.get_dataset(self.target.destination, **_ONCE)
            self._location = str(dataset.location)
        return self._location

    def prepare(self, table: Table) -> bool:
        """The table as documented: made, or given what a later version has added. Whether it was not there."""
        wanted = _resource(self.target.named(table.name), table)
        with told(self.target, table.name):
            try:
                there = self._client.get_table(wanted.reference, **_ONCE)
            except exceptions.NotFound:
                self.location()  # it says so if it is the dataset that is missing
                self._client.create_table(wanted, exists_ok=True, **_ONCE)
                return True
            known = {field.name: field for field in there.schema}
            added = [field for field in wanted.schema if field.name not in known]
            meant = {field.name: field.description for field in wanted.schema}
            kept = [_redescribed(field, meant.get(field.name, field.description)) for field in there.schema]
            if added or kept != [*there.schema] or there.description != wanted.description:
                there.schema, there.description = [*kept, *added], wanted.description
                self._client.update_table(there, ["schema", "description"], **_ONCE)
        return False

    def stage(self, table: Table, name: str) -> bigquery.Table:
        """An empty table with the columns of another, for a day."""
        staged = _resource(self.target.named(name), table, is_staging=True)
        with told(self.target, table.name):
            self._client.create_table(staged, exists_ok=True, **_ONCE)
        return staged

    def load(self, table: Table, staging: str, job_id: str, file: IO[bytes], size: int) -> None:
        """Begin to fill a table of its own with a file; the same job again is no second load."""
        staged = self.stage(table, staging)
        config = bigquery.LoadJobConfig(
            source_format=bigquery.SourceFormat.PARQUET,
            write_disposition=bigquery.WriteDisposition.WRITE_TRUNCATE,
            schema=staged.schema,
        )
        how: dict[str, Any] = {"size": size, "num_retries": 0, "timeout": TIMEOUT_S, "job_config": config}
        with told(self.target, table.name), suppress(exceptions.Conflict):
            location = self.location()
            self._client.load_table_from_file(file, staged.reference, job_id=job_id, location=location, **how)

    def begin(self, sql: str, job_id: str, table: str) -> None:
        """Begin to run a statement; the same job again is no second run."""
        with told(self.target, table), suppress(exceptions.Conflict):
            self._client.query(sql, job_id=job_id, location=self.location(), job_retry=None, **_ONCE)

    def try_out(self, sql: str, table: str = "") -> None:
        """Whether a statement would run, without running it."""
        config = bigquery.QueryJobConfig(dry_run=True, use_query_cache=False)
        with told(self.target, table):
            self._client.query(sql, job_config=config, location=self.location(), job_retry=None, **_ONCE)

    def is_there(self, table: str) -> bool:
        with told(self.target, table):
            try:
                self._client.get_table(self.target.named(table), **_ONCE)
            except exceptions.NotFound:
                return False
        return True

    def is_done(self, job_id: str, table: str) -> bool | None:
        """None: there is no such job. A job that failed is a ProblemError."""
        with told(self.target, table):
            try:
                job: Any = self._client.get_job(job_id, location=self.location(), **_ONCE)
            except exceptions.NotFound:
                return None
        if job.state != "DONE":
            return False
        if job.error_result:
            raise problems.of_job(job.error_result, table)
        return True

    def count(self, table: str) -> int:
        with told(self.target, table):
            found = self._client.get_table(self.target.named(table), **_ONCE)
        return int(found.num_rows or 0)

    def drop(self, table: str) -> None:
        with told(self.target, table):
            self._client.delete_table(self.target.named(table), not_found_ok=True, **_ONCE)


@contextmanager
def told(target: Target, table: str = "") -> Iterator[None]:
    """Whatever Google's client raises, as a sentence for the operator."""
    try:
        yield
    except ProblemError:
        raise
    except exceptions.GoogleAPICallError as error:
        raise problems.of_call(error, target, table) from None
    except GoogleAuthError as error:
        raise problems.of_sign_in(error, target) from None
    except RequestException as error:
        raise problems.of_network(error) from None


def _resource(name: str, table: Table, *, is_staging: bool = False) -> bigquery.Table:
    made = bigquery.Table(name, schema=_fields(table))
    if is_staging:
        made.expires = datetime.now(UTC) + _STAGED_FOR
        return made
    made.description = table.meaning
    made.clustering_fields = schemas.clustering(table)
    if table.name in schemas.BY_DAY:
        made.time_partitioning = bigquery.TimePartitioning(field=schemas.BY_DAY[table.name])
    return made


def _fields(table: Table) -> Sequence[bigquery.SchemaField]:
    return [
        bigquery.SchemaField(column.name, schemas.TYPES[column.type], description=schemas.described(column))
        for column in schemas.columns(table)
    ]


def _redescribed(field: bigquery.SchemaField, description: str | None) -> bigquery.SchemaField:
    return bigquery.SchemaField.from_api_repr({**field.to_api_repr(), "description": description})
