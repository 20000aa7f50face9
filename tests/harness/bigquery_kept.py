"""What the stand-in for BigQuery keeps: tables in DuckDB, which also works its MERGE and DELETE, and jobs by id."""

import re
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb

Resource = dict[str, Any]

TYPES = {
    "STRING": "VARCHAR",
    "INTEGER": "BIGINT",
    "INT64": "BIGINT",
    "FLOAT": "DOUBLE",
    "FLOAT64": "DOUBLE",
    "BOOLEAN": "BOOLEAN",
    "BOOL": "BOOLEAN",
    "TIMESTAMP": "TIMESTAMP",
    "DATE": "DATE",
    "NUMERIC": "DECIMAL(38, 9)",
    "JSON": "VARCHAR",
}
_NAME = re.compile(r"`([^`.]+)\.([^`.]+)\.([^`.]+)`")


class Refused(Exception):  # noqa: N818 (it is an answer)
    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason


class Kept:
    """`polls`: how often a job that is begun says that it is still running. `failing`: how the next jobs end."""

    def __init__(self, project: str, dataset: str) -> None:
        self.project = project
        self.dataset: str | None = dataset
        self.tables: dict[str, Resource] = {}
        self.jobs: dict[str, Resource] = {}
        self.polls = 0
        self.failing: list[tuple[str, str, str]] = []
        """(piece of the job's id, reason, message)"""
        self._left: dict[str, int] = {}
        self._lock = threading.Lock()
        self._duck = duckdb.connect()

    def close(self) -> None:
        self._duck.close()

    def rows(self, query: str) -> list[dict[str, Any]]:
        """What a query of BigQuery's says; tables by their bare names are found too."""
        with self._lock:
            found: list[dict[str, Any]] = self._duck.sql(self._in_duck(query)).to_arrow_table().to_pylist()
            return found

    def answer(self, method: str, way: Sequence[str], given: Resource) -> Resource:
        found: Resource = {}
        with self._lock:
            match method, *way:
                case "GET", "datasets", name:
                    self._known(name)
                    found = {"datasetReference": {"projectId": self.project, "datasetId": name}, "location": "EU"}
                case "POST", "datasets", name, "tables":
                    self._known(name)
                    found = self._make(given)
                case "GET", "datasets", _, "tables", name:
                    found = self._table(name) | {"numRows": str(self._count(name))}
                case "PATCH", "datasets", _, "tables", name:
                    found = self._change(self._table(name), given)
                case "DELETE", "datasets", _, "tables", name:
                    self._drop(name)
                case "POST", "jobs":
                    found = self._begin(given, b"")
                case "GET", "jobs", id_:
                    found = self._look(id_)
                case _:
                    raise Refused(404, "notFound", f"No such method: {method} {'/'.join(way)}")
        return found

    def begin(self, told: Resource, data: bytes) -> Resource:
        with self._lock:
            return self._begin(told, data)

    def _known(self, dataset: str) -> None:
        if dataset != self.dataset:
            raise Refused(404, "notFound", f"Not found: Dataset {self.project}:{dataset}")

    def _table(self, name: str) -> Resource:
        if name not in self.tables:
            raise Refused(404, "notFound", f"Not found: Table {self.project}:{self.dataset}.{name}")
        return self.tables[name]

    def _count(self, name: str) -> int:
        return int(self._do(f'SELECT count(*) FROM "{name}"')[0][0])

    def _do(self, sql: str) -> list[tuple[Any, ...]]:
        done: list[tuple[Any, ...]] = self._duck.execute(sql).fetchall()
        return done

    def _make(self, given: Resource) -> Resource:
        name = given["tableReference"]["tableId"]
        if name in self.tables:
            raise Refused(409, "duplicate", f"Already Exists: Table {self.project}:{self.dataset}.{name}")
        columns = ", ".join(_column(field) for field in given["schema"]["fields"])
        self._do(f'CREATE TABLE "{name}" ({columns})')
        self.tables[name] = given | {"etag": "1", "location": "EU"}
        return self.tables[name]

    def _change(self, table: Resource, given: Resource) -> Resource:
        """Columns may be added, none taken away and none given another type."""
        name = table["tableReference"]["tableId"]
        old = _types(table["schema"])
        new = _types(given.get("schema") or table["schema"])
        for column, type_ in old.items():
            if new.get(column) != type_:
                raise Refused(400, "invalid", f"Provided Schema does not match Table: {column}")
        for column in new.keys() - old.keys():
            self._do(f'ALTER TABLE "{name}" ADD COLUMN "{column}" {TYPES[new[column]]}')
        table |= given
        return table

    def _drop(self, name: str) -> None:
        self._table(name)
        del self.tables[name]
        self._do(f'DROP TABLE "{name}"')

    def _begin(self, told: Resource, data: bytes) -> Resource:
        id_ = told["jobReference"]["jobId"]
        if id_ in self.jobs:
            raise Refused(409, "duplicate", f"Already Exists: Job {self.project}:EU.{id_}")
        configuration = told["configuration"]
        status: Resource = {"state": "DONE"}
        try:
            self._work(id_, configuration, data)
        except Refused as refused:
            if configuration.get("dryRun"):
                raise
            told_error = {"reason": refused.reason, "message": str(refused)}
            status |= {"errorResult": told_error, "errors": [told_error]}
        reference = {**told["jobReference"], "projectId": self.project, "location": "EU"}
        job = {"id": id_, "jobReference": reference, "configuration": configuration, "status": status}
        if not configuration.get("dryRun"):
            self.jobs[id_] = job
            self._left[id_] = self.polls
        return self._said(id_, job)

    def _work(self, id_: str, configuration: Resource, data: bytes) -> None:
        for failure in [one for one in self.failing if one[0] in id_][:1]:
            self.failing.remove(failure)
            raise Refused(200, *failure[1:])
        if "load" in configuration:
            self._load(configuration["load"], data)
        else:
            self._run(configuration["query"]["query"], is_dry=configuration.get("dryRun", False))

    def _look(self, id_: str) -> Resource:
        if id_ not in self.jobs:
            raise Refused(404, "notFound", f"Not found: Job {self.project}:EU.{id_}")
        self._left[id_] -= 1
        return self._said(id_, self.jobs[id_])

    def _said(self, id_: str, job: Resource) -> Resource:
        return job | {"status": {"state": "RUNNING"}} if self._left.get(id_, 0) > 0 else job

    def _load(self, configuration: Resource, data: bytes) -> None:
        """Parquet alone, into a table that is made or emptied for it."""
        assert configuration["sourceFormat"] == "PARQUET", configuration
        assert configuration["writeDisposition"] == "WRITE_TRUNCATE", configuration
        name = configuration["destinationTable"]["tableId"]
        self._known(configuration["destinationTable"]["datasetId"])
        fields = self._table(name)["schema"]["fields"]
        columns = ", ".join(f'"{field["name"]}"' for field in fields)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "load.parquet"
            path.write_bytes(data)
            self._do(f'DELETE FROM "{name}"')
            try:
                self._do(f"INSERT INTO \"{name}\" ({columns}) SELECT {columns} FROM read_parquet('{path}')")
            except duckdb.Error as error:
                raise Refused(200, "invalid", f"Error while reading data: {error}") from error

    def _run(self, query: str, *, is_dry: bool) -> None:
        sql = self._in_duck(query)
        try:
            self._do(f"EXPLAIN {sql}" if is_dry else sql)
        except duckdb.Error as error:
            raise Refused(400, "invalidQuery", f"{error}\n{sql}") from error

    def _in_duck(self, query: str) -> str:
        """Tables by their whole name; of functions that the two call differently, none is used."""

        def named(found: re.Match[str]) -> str:
            self._known(found[2])
            self._table(found[3])
            return f'"{found[3]}"'

        return _NAME.sub(named, query).replace("`", '"')


def _types(schema: Resource) -> dict[str, str]:
    return {field["name"]: field["type"] for field in schema["fields"]}


def _column(field: Resource) -> str:
    required = " NOT NULL" if field.get("mode") == "REQUIRED" else ""
    many = "[]" if field.get("mode") == "REPEATED" else ""
    return f'"{field["name"]}" {TYPES[field["type"]]}{many}{required}'
