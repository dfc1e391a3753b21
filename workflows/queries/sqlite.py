"""Run a query on a file of SQLite in a process of its own, with limits that a thread could not have."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

from workflows.queries.answers import BYTES_MAX, SECONDS_MAX, Table
from workflows.queries.refusals import QueryRefused, QueryTooLarge
from workflows.queries.relations import RELATIONS
from workflows.queries.statement import FUNCTIONS, prepared

_CHILD: Final = Path(__file__).with_name("sqlite_child.py")
_STARTING_S: Final = 5.0


def query_file(
    file: Path,
    sql: str,
    *,
    as_of: str | None = None,
    limit: int,
    seconds: float = SECONDS_MAX,
    bytes_max: int = BYTES_MAX,
) -> Table:
    """Run a query on the views in a file, and wait for it.

    Args:
        as_of: As of ``prepared``.
        limit: The most rows.

    Raises:
        QueryRefused, QueryTooLarge.
    """
    request = request_for(file, prepared(sql, "sqlite", as_of), limit=limit, seconds=seconds, bytes_max=bytes_max)
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-S", str(_CHILD)],
            input=json.dumps(request),
            capture_output=True,
            text=True,
            env={"SQLITE_TMPDIR": os.environ.get("TMPDIR", "/tmp")},
            timeout=seconds + _STARTING_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise _too_large("it takes too long") from None
    if done.returncode != 0:
        raise _too_large("its process was stopped")
    answer = json.loads(done.stdout)
    if answer.get("error") == "too_large":
        raise _too_large("it takes too long" if answer["detail"] == "interrupted" else answer["detail"])
    if "error" in answer:
        raise QueryRefused(f"The database refused the query: {answer['detail']}.")
    return Table(columns=answer["columns"], rows=answer["rows"], truncated=answer["truncated"])


def request_for(file: Path, statement: str, *, limit: int, seconds: float, bytes_max: int) -> dict[str, Any]:
    """Return what the process reads."""
    return {
        "file": file.absolute().as_uri().removeprefix("file://"),
        "sql": statement,
        "tables": {relation.table: relation.columns for relation in RELATIONS.values()},
        "functions": sorted(FUNCTIONS["sqlite"] | {"->", "->>"}),
        "seconds": seconds,
        "rows": limit,
        "bytes": bytes_max,
    }


def _too_large(why: str) -> QueryTooLarge:
    return QueryTooLarge(f"The query was stopped: {why}. Ask for less: fewer orders, a shorter time.")
