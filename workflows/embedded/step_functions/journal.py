"""The journal: the signals of every execution, in order. An execution is the fold of its signals.

The table ``executions`` has one row an execution, ``journal`` its signals by sequence number, ``definitions`` the text
of every machine that was ever run, by its hash, so that a changed template does not change running executions. All
writes of a round (see ``rounds``) are one transaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, get_args

import apsw

from workflows.asl.json_text import from_text, to_text
from workflows.asl.signals import ExecutionStatus, Mode, Signal
from workflows.sqlite.database import Database

_TABLES = """
CREATE TABLE IF NOT EXISTS definitions (digest TEXT NOT NULL PRIMARY KEY, text TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS executions (
    id INTEGER NOT NULL PRIMARY KEY, arn TEXT NOT NULL UNIQUE, machine TEXT NOT NULL, name TEXT NOT NULL,
    express INTEGER NOT NULL, definition TEXT NOT NULL, input TEXT NOT NULL, started_at TEXT NOT NULL,
    parent TEXT, parent_task INTEGER, parent_mode TEXT,
    status TEXT NOT NULL, output TEXT, error TEXT, cause TEXT, stopped_at TEXT,
    state_entries INTEGER NOT NULL DEFAULT 0, express_entries INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX IF NOT EXISTS executions_running ON executions (id) WHERE status = 'RUNNING';
CREATE INDEX IF NOT EXISTS executions_by_name ON executions (name);
CREATE INDEX IF NOT EXISTS executions_by_parent ON executions (parent) WHERE parent IS NOT NULL;
CREATE TABLE IF NOT EXISTS execution_versions (
    execution INTEGER NOT NULL PRIMARY KEY, version TEXT NOT NULL, alias TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS journal (
    execution INTEGER NOT NULL, seq INTEGER NOT NULL, kind TEXT NOT NULL, signal TEXT NOT NULL,
    PRIMARY KEY (execution, seq)
) WITHOUT ROWID, STRICT;
"""
_COLUMNS = (
    "id, arn, machine, name, express, definition, input, started_at, parent, parent_task, parent_mode,"
    " status, output, error, cause, stopped_at, state_entries, express_entries"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parent:
    """The task that started this execution; ``arn`` is the ARN of the task's execution."""

    arn: str
    task: int
    mode: Mode


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionRow:
    """The row of an execution. ``input`` and ``output`` are JSON text, ``definition`` is the hash of its text.

    ``state_entries`` are its own, 0 until it has ended; ``express_entries`` those of the Express executions that it
    started, which have no journal.
    """

    id: int
    arn: str
    machine: str
    name: str
    express: bool
    definition: str
    input: str
    started_at: datetime
    parent: Parent | None = None
    status: ExecutionStatus = ExecutionStatus.RUNNING
    output: str | None = None
    error: str | None = None
    cause: str | None = None
    stopped_at: datetime | None = None
    state_entries: int = 0
    express_entries: int = 0


class Writes:
    """The writes of one round, in order: a work for ``Database.submit``."""

    def __init__(self) -> None:
        self._statements: list[tuple[str, Sequence[Any]]] = []

    def __bool__(self) -> bool:
        return bool(self._statements)

    def __call__(self, connection: apsw.Connection) -> None:
        for sql, values in self._statements:
            connection.execute(sql, values)

    def started(self, row: ExecutionRow) -> None:
        """Add a new execution."""
        parent = (row.parent.arn, row.parent.task, row.parent.mode) if row.parent else (None, None, None)
        fixed = (row.id, row.arn, row.machine, row.name, row.express, row.definition, row.input)
        columns = ", ".join(_COLUMNS.split(", ")[:12])
        values = (*fixed, row.started_at.isoformat(), *parent, row.status)
        self._add(f"INSERT INTO executions ({columns}) VALUES ({', '.join('?' * len(values))})", values)

    def of_version(self, execution: int, version: int, alias: str) -> None:
        """Note the version of the machine that a new execution runs, and the alias that led to it, or an empty text."""
        self._add("INSERT INTO execution_versions VALUES (?, ?, ?)", (execution, str(version), alias))

    def applied(self, execution: int, seq: int, signal: Signal) -> None:
        """Add a signal that was applied to an execution."""
        fields = {name: getattr(signal, name) for name in signal.__slots__}
        text = to_text({**fields, "at": signal.at.isoformat()})
        self._add("INSERT INTO journal VALUES (?, ?, ?, ?)", (execution, seq, type(signal).__name__, text))

    def ended(self, row: ExecutionRow) -> None:
        """Store the end of an execution."""
        stopped_at = row.stopped_at.isoformat() if row.stopped_at else None
        values = (row.status, row.output, row.error, row.cause, stopped_at, row.state_entries, row.id)
        columns = "status = ?, output = ?, error = ?, cause = ?, stopped_at = ?, state_entries = ?"
        self._add(f"UPDATE executions SET {columns} WHERE id = ?", values)

    def redriven(self, row: ExecutionRow) -> None:
        """Note that an execution runs again. Its journal goes on."""
        columns = "status = ?, output = NULL, error = NULL, cause = NULL, stopped_at = NULL"
        self._add(f"UPDATE executions SET {columns} WHERE id = ?", (ExecutionStatus.RUNNING, row.id))

    def express_entries(self, parent: str, entries: int) -> None:
        """Count the state entries of an Express execution that ``parent`` (an ARN) started."""
        self._add("UPDATE executions SET express_entries = express_entries + ? WHERE arn = ?", (entries, parent))

    def _add(self, sql: str, values: Sequence[Any]) -> None:
        plain = [value if type(value) is not str or value.isascii() else _encodable(value) for value in values]
        self._statements.append((sql, plain))


class Journal:
    """Reads and prepares the journal's tables. Reads see only what is durable."""

    def __init__(self, database: Database) -> None:
        self._database = database
        if not database.read_only:
            database.write(_create_tables)

    def keep_definition(self, digest: str, text: str) -> None:
        """Store the text of a machine durably."""
        sql = "INSERT OR IGNORE INTO definitions VALUES (?, ?)"
        self._database.write(lambda connection: connection.execute(sql, (digest, text)).close())

    def definition(self, digest: str) -> str:
        """Return the text with this hash. Raises KeyError."""
        rows = self._rows("SELECT text FROM definitions WHERE digest = ?", digest)
        if not rows:
            raise KeyError(digest)
        return str(rows[0][0])

    def find(self, arn: str) -> ExecutionRow | None:
        """Return the execution with this ARN."""
        return next(iter(self._executions("WHERE arn = ?", arn)), None)

    def running(self) -> list[str]:
        """Return the ARNs of the executions that have not ended, oldest first."""
        return [str(arn) for (arn,) in self._rows("SELECT arn FROM executions WHERE status = 'RUNNING' ORDER BY id")]

    def running_by_machine(self) -> dict[str, int]:
        """Return how many executions of each machine have not ended."""
        sql = "SELECT machine, count(*) FROM executions WHERE status = 'RUNNING' GROUP BY machine"
        return dict(self._rows(sql))

    def last_id(self) -> int:
        """Return the highest id of an execution; 0 if there is none."""
        return int(self._rows("SELECT coalesce(max(id), 0) FROM executions")[0][0])

    def latest(
        self,
        machine: str | None,
        status: ExecutionStatus | None,
        limit: int,
        *,
        before: int | None = None,
        qualifier: str | None = None,
    ) -> list[ExecutionRow]:
        """Return the executions that began last, newest first.

        Args:
            before: Only those with a lower id.
            qualifier: Only those that were started by this version, its number as text, or this alias.
        """
        # A folder that an earlier release wrote, opened for reading alone, lacks the table of versions.
        started_by = " AND id IN (SELECT execution FROM execution_versions WHERE ?5 IN (version, alias))"
        return self._executions(
            "WHERE (?1 IS NULL OR machine = ?1) AND (?2 IS NULL OR status = ?2) AND (?4 IS NULL OR id < ?4)"
            f"{'' if qualifier is None else started_by} ORDER BY id DESC LIMIT ?3",
            *(machine, status, limit, before),
            *(() if qualifier is None else (qualifier,)),
        )

    def versions_of(self, executions: Sequence[int]) -> dict[int, tuple[str, str]]:
        """Return the version that each execution runs and the alias that led to it, by id; those that run one."""
        sql = "SELECT * FROM execution_versions WHERE execution IN (SELECT value FROM json_each(?))"
        return {execution: (version, alias) for execution, version, alias in self._rows(sql, to_text(list(executions)))}

    def redrives(self, execution: int) -> list[datetime]:
        """Return when an execution was redriven, in order."""
        sql = "SELECT kind, signal FROM journal WHERE execution = ? AND kind = 'Redriven' ORDER BY seq"
        return [_signal(kind, text).at for kind, text in self._rows(sql, execution)]

    def family(self, arn_or_name: str) -> list[ExecutionRow]:
        """Return the executions of this ARN, name, or name prefix before ``-``, and all that they started."""
        return self._executions(
            "WHERE arn IN (WITH RECURSIVE family (arn) AS ("
            " SELECT arn FROM executions WHERE arn = ?1 OR name = ?1 OR (name >= ?1 || '-' AND name < ?1 || '.')"
            " UNION SELECT child.arn FROM executions AS child JOIN family ON child.parent = family.arn"
            ") SELECT arn FROM family) ORDER BY id",
            arn_or_name,
        )

    def signals(self, execution: int) -> list[Signal]:
        """Return the signals of an execution, in order."""
        rows = self._rows("SELECT kind, signal FROM journal WHERE execution = ? ORDER BY seq", execution)
        return [_signal(kind, text) for kind, text in rows]

    def length(self, execution: int) -> int:
        """Return how many signals an execution has had."""
        return int(self._rows("SELECT count(*) FROM journal WHERE execution = ?", execution)[0][0])

    def _executions(self, where: str, *values: Any) -> list[ExecutionRow]:
        return [_execution(row) for row in self._rows(f"SELECT {_COLUMNS} FROM executions {where}", *values)]

    def _rows(self, sql: str, *values: Any) -> list[Any]:
        return self._database.read(lambda connection: connection.execute(sql, values).fetchall())


_SIGNALS: Mapping[str, type[Any]] = {kind.__name__: kind for kind in get_args(Signal)}


def _create_tables(connection: apsw.Connection) -> None:
    connection.execute(_TABLES).close()


def _encodable(value: str) -> str:
    """Escape lone surrogates as JSON does, because UTF-8 cannot encode them."""
    return value.encode("utf-8", "backslashreplace").decode()


def _signal(kind: str, text: str) -> Signal:
    fields: Any = from_text(text)
    fields["at"] = datetime.fromisoformat(fields["at"])
    signal: Signal = _SIGNALS[kind](**fields)
    return signal


def _execution(row: Iterable[Any]) -> ExecutionRow:
    fields = dict(zip(_COLUMNS.split(", "), row, strict=True))
    parent, task, mode = (fields.pop(name) for name in ("parent", "parent_task", "parent_mode"))
    fields["parent"] = Parent(arn=parent, task=task, mode=Mode(mode)) if parent is not None else None
    fields["express"] = bool(fields["express"])
    fields["status"] = ExecutionStatus(fields["status"])
    fields["started_at"] = datetime.fromisoformat(fields["started_at"])
    fields["stopped_at"] = datetime.fromisoformat(fields["stopped_at"]) if fields["stopped_at"] else None
    return ExecutionRow(**fields)
