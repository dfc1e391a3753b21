"""The process that runs one query on a file of SQLite: a request as JSON on stdin, an answer as JSON on stdout.

The file is opened for reading; an authorizer admits the columns and functions of the request and nothing else; SQLite
limits texts and statements, and the kernel the process: CPU time, memory, and the size of files for sorting. It imports
nothing of Expediter, because it starts for each query.
"""

from __future__ import annotations

import json
import math
import os
import resource
import sqlite3
import sys
import time
from typing import Any

_MEMORY = 512 * 1024 * 1024
_SORTED = 256 * 1024 * 1024
"""Bytes of a file that a large sort writes to."""

_TEXT_MAX = 1_000_000
"""Bytes of one value."""

_LIMITS = {
    sqlite3.SQLITE_LIMIT_LENGTH: _TEXT_MAX,
    sqlite3.SQLITE_LIMIT_SQL_LENGTH: 20_000,
    sqlite3.SQLITE_LIMIT_COLUMN: 200,
    sqlite3.SQLITE_LIMIT_EXPR_DEPTH: 100,
    sqlite3.SQLITE_LIMIT_COMPOUND_SELECT: 20,
    sqlite3.SQLITE_LIMIT_VDBE_OP: 100_000,
    sqlite3.SQLITE_LIMIT_FUNCTION_ARG: 50,
    sqlite3.SQLITE_LIMIT_ATTACHED: 0,
    sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH: 200,
    sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER: 0,
    sqlite3.SQLITE_LIMIT_WORKER_THREADS: 0,
}
_INSTRUCTIONS_BETWEEN_LOOKS = 10_000


def main() -> None:
    """Answer one request."""
    request = json.loads(sys.stdin.read())
    _confine(request["seconds"])
    try:
        answer = run(request)
    except MemoryError:
        answer = {"error": "too_large", "detail": "it needs too much memory"}
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        too_large = (sqlite3.SQLITE_INTERRUPT, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR)
        answer = {"error": "too_large" if code in too_large else "refused", "detail": str(error)}
    sys.stdout.write(json.dumps(answer))


def _confine(seconds: float) -> None:
    os.nice(10)
    for limit, value in (
        (resource.RLIMIT_CPU, int(seconds) + 2),
        (resource.RLIMIT_AS, _MEMORY),
        (resource.RLIMIT_FSIZE, _SORTED),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(limit, (value, value))


def run(request: dict[str, Any]) -> dict[str, Any]:
    """Return the answer to a request. Raises sqlite3.Error, MemoryError."""
    connection = sqlite3.connect(f"file:{request['file']}?mode=ro", uri=True, isolation_level=None)
    connection.execute("PRAGMA query_only=ON")
    connection.execute("PRAGMA temp_store=FILE")
    connection.execute("PRAGMA cache_size=-32000")
    for limit, value in _LIMITS.items():
        connection.setlimit(limit, value)
    deadline_s = time.monotonic() + request["seconds"]
    connection.set_progress_handler(lambda: time.monotonic() > deadline_s, _INSTRUCTIONS_BETWEEN_LOOKS)
    readable = {(table, column) for table, columns in request["tables"].items() for column in columns}
    functions = set(request["functions"])
    others = _names(connection) - set(request["tables"])

    def is_readable(table: str | None, column: str | None) -> bool:
        if column == "":  # rows are counted, of a table or of a part of the query that has a name
            return table not in others and not str(table).lower().startswith(("sqlite_", "pragma_"))
        return (table, column) in readable

    def authorize(action: int, first: str | None, second: str | None, *_: object) -> int:
        if action == sqlite3.SQLITE_SELECT:
            return sqlite3.SQLITE_OK
        if action == sqlite3.SQLITE_FUNCTION:
            return sqlite3.SQLITE_OK if (second or "").lower() in functions else sqlite3.SQLITE_DENY
        if action == sqlite3.SQLITE_READ:
            return sqlite3.SQLITE_OK if is_readable(first, second) else sqlite3.SQLITE_DENY
        return sqlite3.SQLITE_DENY

    connection.set_authorizer(authorize)
    cursor = connection.execute(request["sql"])
    columns = [column[0] for column in cursor.description or ()]
    rows: list[list[Any]] = []
    size = 0
    for row in cursor:
        shown = [_json_value(value) for value in row]
        size += len(json.dumps(shown))
        if len(rows) == request["rows"] or size > request["bytes"]:
            return {"columns": columns, "rows": rows, "truncated": True}
        rows.append(shown)
    return {"columns": columns, "rows": rows, "truncated": False}


def _names(connection: sqlite3.Connection) -> set[str]:
    """Return the names of all tables, and of those that SQLite itself provides."""
    sql = "SELECT name FROM sqlite_master UNION SELECT name FROM pragma_module_list"
    return {row[0] for row in connection.execute(sql)}


def _json_value(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.hex()
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


if __name__ == "__main__":
    main()
