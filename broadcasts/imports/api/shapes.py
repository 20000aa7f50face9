"""Imports as programs see them, by the API and by `backchat imports show --json`; docs/api.md describes each field."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.orm import Session

from bot.models.imports import ImportRow, ImportRun
from broadcasts.imports import preview
from broadcasts.imports.imports import Listed

_TIMES = ("created_at", "checked_at", "confirmed_at", "started_at", "finished_at", "undone_at")


def line(listed: Listed) -> dict[str, Any]:
    """One import among others."""
    run = listed.run
    return {
        "id": run.id,
        "environment": run.environment,
        "segment": {"id": listed.segment.id, "name": listed.segment.name},
        "file": {
            "name": listed.file.name,
            "size": listed.file.size,
            "sha256": listed.file.sha256,
            "kept": listed.has_file,
        },
        "state": run.state,
        "total": run.total,
        "preview": expected(run),
        "result": outcome(run),
        "problem": run.problem,
        **{name: at.isoformat() if (at := getattr(run, name)) else None for name in _TIMES},
    }


def whole(session: Session, listed: Listed) -> dict[str, Any]:
    """One import with what was recognised in its file and what is wrong with its rows."""
    run = listed.run
    return {
        **line(listed),
        "by": preview.author(session, run),
        "dialect": run.dialect,
        "country": run.country,
        "channel": run.channel,
        "erases_blanks": run.erases_blanks,
        "findings": run.findings,
        "problems": [_problem(each) for each in preview.classes(session, run.id)],
    }


def expected(run: ImportRun) -> dict[str, int]:
    """What the check found; of a finished check they add up to the total, without `judged`."""
    return {
        "judged": run.judged,
        "new": run.will_create,
        "changed": run.will_update,
        "unchanged": run.will_keep,
        "failing": run.will_fail,
        "superseded": run.superseded,
        "excess": run.excess,
    }


def outcome(run: ImportRun) -> dict[str, int]:
    """What was done; of a finished import they add up to the total."""
    names = ("created", "updated", "unchanged", "failed", "superseded", "excess")
    return {name: getattr(run, name) for name in names}


def row(found: ImportRow) -> dict[str, Any]:
    """A row that was kept out; `column` counts from 0, `proposal` is cells by their place."""
    return {
        "row": found.row,
        "cells": found.cells,
        "column": found.column,
        "kind": found.problem_kind,
        "comment": found.comment,
        "proposal": found.proposal,
    }


def rows(found: Sequence[ImportRow], limit: int) -> Mapping[str, Any]:
    """A page of rows; `after` asks for the next one."""
    return {
        "rows": [row(each) for each in found[:limit]],
        "after": found[limit - 1].row if len(found) > limit > 0 else None,
    }


def _problem(each: preview.ProblemClass) -> dict[str, Any]:
    return {
        "kind": each.kind,
        "label": each.kind.label,
        "remedy": each.kind.remedy,
        "rows": each.rows,
        "proposed": each.proposed,
    }
