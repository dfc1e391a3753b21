"""One SQL database: a pool of readers, and one transaction at a time that writes.

SQLite runs in WAL mode with ``synchronous=NORMAL``: a power cut may lose the last transactions and never damages the
file, and lost rows are computed again from the log. PostgreSQL is reached through psycopg 3. In both, a reader works
on a snapshot, never blocks the writer and is never blocked by it; and a statement is stopped after its time limit.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DataError, DBAPIError, DisconnectionError, IntegrityError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as NoFreeConnection
from sqlalchemy.pool import ConnectionPoolEntry, NullPool, QueuePool

READERS = 4
"""Concurrent reads of one process; a further one waits. On two cores, more of them would only wait for each other."""

POOL_WAIT_S = 5.0
"""How long a read waits for a free connection before it is refused."""

READ_TIMEOUT_S = 10.0
"""The time limit of a statement that reads: a list takes milliseconds, a report on all orders takes seconds."""

WRITE_TIMEOUT_S = 60.0
"""The time limit of a statement that writes."""

BUILD_TIMEOUT_S = 1800.0
"""The time limit of a statement of SQLite on a table of millions of rows: to make an index, or to drop the table."""

CONNECT_TIMEOUT_S = 5
"""How long a connection to PostgreSQL may take to be made."""

_INSTRUCTIONS_BETWEEN_LOOKS = 10_000
"""Instructions of SQLite's virtual machine between two readings of the clock: well below a millisecond."""


class SqlUnavailable(Exception):
    """The database did not answer, is full or locked, or has another shape. Retryable: yes. HTTP: 503."""


class HeldElsewhere(Exception):
    """Another process holds the lock. Retryable: once it has ended."""


class SqlDamaged(SqlUnavailable):
    """The file is not a SQLite database, or its pages are damaged. Retryable: after ``discard``."""


class RowRefused(Exception):
    """The database cannot hold a value, e.g. a NUL in a text of PostgreSQL. Retryable: no."""


class StatementTooSlow(SqlUnavailable):
    """A statement was stopped at its time limit. Retryable: with a narrower filter. HTTP: 503."""


class SqlDatabase:
    """Transactions on one database. Use ``reading`` and ``writing``.

    Both raise SqlUnavailable and StatementTooSlow; ``writing`` raises RowRefused as well.
    """

    def __init__(
        self,
        url: str | Path,
        *,
        readers: int = READERS,
        read_timeout_s: float = READ_TIMEOUT_S,
        write_timeout_s: float = WRITE_TIMEOUT_S,
    ) -> None:
        """Prepare the connections; the first transaction opens one.

        Args:
            url: The path of a SQLite file, which is created with its folder, or ``postgresql://user:password@host/name``.
        """
        self.url = _url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self.on_work: Callable[[], None] = lambda: None
        """Called at the start of each statement of SQLite and often while it proceeds. It must be short."""
        if self.is_sqlite:
            self._readers = _sqlite_engine(self.url, readers, read_timeout_s, self._works, read_only=True)
            self._writer = _sqlite_engine(self.url, 1, write_timeout_s, self._works, read_only=False)
        else:
            self._readers = _postgres_engine(self.url, readers, read_timeout_s, read_only=True)
            self._writer = _postgres_engine(self.url, 1, write_timeout_s, read_only=False)
        self._one_writer = threading.Lock()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Open a transaction that sees one snapshot and cannot write."""
        with _named_errors(), self._readers.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Open a transaction that writes, and commit it at the end. One at a time in a process."""
        with _named_errors(), self._one_writer, self._writer.begin() as connection:
            yield connection

    @contextmanager
    def building(self) -> Iterator[Connection]:
        """Open a transaction that writes whole tables: in SQLite each statement may take up to ``BUILD_TIMEOUT_S``.

        In PostgreSQL the limit is that of all writes, because the function that builds there is ended soon after it.
        """
        with self.writing() as connection:
            if self.is_sqlite:
                connection.execution_options(statement_s=BUILD_TIMEOUT_S)
            yield connection

    @contextmanager
    def alone(self, purpose: str) -> Iterator[None]:
        """Hold the lock of one purpose, which one process at a time has, until the end of the context.

        The lock is released when the process ends, even by a crash. Raises HeldElsewhere.
        """
        lock = _file_lock(self._file, purpose) if self.is_sqlite else _advisory_lock(self._writer.url, purpose)
        with _named_errors(), lock:
            yield

    def forget(self) -> None:
        """Remove data that was deleted before from the file: SQLite keeps it in the WAL until the WAL is truncated.

        PostgreSQL removes it with its own vacuum. Raises SqlUnavailable if a reader holds the WAL for too long.
        """
        if not self.is_sqlite:
            return
        with _named_errors(), self._one_writer, closing(self._writer.raw_connection()) as connection:
            cursor = connection.cursor()
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            (busy, *_) = cursor.fetchall()[0]
        if busy:
            raise SqlUnavailable("the WAL is being read and could not be truncated")

    def discard(self) -> None:
        """Delete the file of SQLite with all that is in it. The next transaction creates an empty one."""
        if self.is_sqlite:
            with self._one_writer:
                self.close()
                for end in ("", "-wal", "-shm"):
                    self._file.with_name(f"{self._file.name}{end}").unlink(missing_ok=True)

    def _works(self) -> None:
        self.on_work()

    @property
    def _file(self) -> Path:
        return Path(str(self.url.database))

    def close(self) -> None:
        """Close all connections. Idempotent."""
        self._readers.dispose()
        self._writer.dispose()

    def __enter__(self) -> SqlDatabase:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _url(url: str | Path) -> URL:
    if isinstance(url, Path):
        return URL.create("sqlite", database=str(url.absolute()))
    parsed = make_url(url)
    if parsed.get_backend_name() == "postgresql":
        return parsed.set(drivername="postgresql+psycopg")
    return parsed


@contextmanager
def _named_errors() -> Iterator[None]:
    """Translate what a database reports into the two errors of this module."""
    try:
        yield
    except (DataError, IntegrityError, OverflowError, UnicodeError) as error:
        raise RowRefused(f"a value cannot be stored: {type(error).__name__}") from error
    except DBAPIError as error:
        if _was_stopped(error.orig):
            raise StatementTooSlow("a statement took too long and was stopped") from error
        unavailable = SqlDamaged if _is_damaged(error.orig) else SqlUnavailable
        raise unavailable(f"the database did not answer: {_first_line(error.orig)}") from error
    except OSError as error:
        raise SqlUnavailable(f"the database cannot be opened: {error.strerror}") from error
    except NoFreeConnection as error:
        raise SqlUnavailable(f"all connections are busy: {_first_line(error)}") from error
    except SQLAlchemyError as error:
        raise SqlUnavailable(_first_line(error)) from error


def _first_line(error: BaseException | None) -> str:
    lines = str(error).splitlines()
    return lines[0] if lines else type(error).__name__


def _was_stopped(error: BaseException | None) -> bool:
    if isinstance(error, sqlite3.OperationalError):
        return "interrupted" in str(error)
    return getattr(error, "sqlstate", None) == "57014"  # query_canceled


def _is_damaged(error: BaseException | None) -> bool:
    code = getattr(error, "sqlite_errorcode", None)
    return code is not None and code & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


# --- SQLite -----------------------------------------------------------------------------------------------------------


def _sqlite_engine(
    url: URL, connections: int, timeout_s: float, on_work: Callable[[], None], *, read_only: bool
) -> Engine:
    file = Path(str(url.database))
    engine = create_engine(
        "sqlite://",
        creator=lambda: _sqlite_connection(file, read_only),
        poolclass=QueuePool,
        pool_size=connections,
        max_overflow=0,
        pool_timeout=POOL_WAIT_S,
    )
    begin = "BEGIN" if read_only else "BEGIN IMMEDIATE"  # a deferred one could fail at its first write

    @event.listens_for(engine, "connect")
    def note_file(_: Any, record: ConnectionPoolEntry) -> None:
        record.info["file"] = _identity(file)

    @event.listens_for(engine, "checkout")
    def open_again_if_replaced(_: Any, record: ConnectionPoolEntry, __: Any) -> None:
        if record.info["file"] != _identity(file):  # another process discarded it and made a new one
            raise DisconnectionError

    @event.listens_for(engine, "begin")
    def begin_transaction(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    @event.listens_for(engine, "before_cursor_execute")
    def set_deadline(connection: Connection, *_: Any) -> None:
        limit_s = connection.get_execution_options().get("statement_s", timeout_s)
        on_work()
        _stop_after(connection.connection.driver_connection, limit_s, on_work)

    return engine


def _identity(file: Path) -> tuple[int, int] | None:
    """Return what tells a file from another one that took its name; None if there is none."""
    try:
        stat = file.stat()
    except FileNotFoundError:
        return None
    return stat.st_dev, stat.st_ino


def _sqlite_connection(file: Path, read_only: bool) -> sqlite3.Connection:
    if not read_only or not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(file, os.O_RDWR | os.O_CREAT, 0o600))
    connection = sqlite3.connect(file, timeout=POOL_WAIT_S, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")
    connection.execute("PRAGMA secure_delete=ON")  # a dropped blind index is overwritten, not only unlinked
    connection.execute("PRAGMA foreign_keys=ON")
    if read_only:
        connection.execute("PRAGMA query_only=ON")
    return connection


@contextmanager
def _file_lock(database: Path, purpose: str) -> Iterator[None]:
    database.parent.mkdir(parents=True, exist_ok=True)
    file = os.open(database.with_name(f"{database.stem}.{purpose}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise HeldElsewhere(f"another process does that already: {purpose}") from None
    finally:
        os.close(file)


def _stop_after(connection: Any, seconds: float, on_work: Callable[[], None]) -> None:
    deadline_s = time.monotonic() + seconds

    def is_over() -> bool:
        on_work()
        return time.monotonic() > deadline_s

    connection.set_progress_handler(is_over, _INSTRUCTIONS_BETWEEN_LOOKS)


# --- PostgreSQL -------------------------------------------------------------------------------------------------------


def _postgres_engine(url: URL, connections: int, timeout_s: float, *, read_only: bool) -> Engine:
    options = {
        "statement_timeout": f"{int(timeout_s * 1000)}",
        "lock_timeout": f"{int(timeout_s * 1000)}",
        "idle_in_transaction_session_timeout": "60000",
        "default_transaction_read_only": "on" if read_only else "off",
        "default_transaction_isolation": "repeatable\\ read" if read_only else "read\\ committed",
    }
    return create_engine(
        url,
        pool_size=connections,
        max_overflow=0,
        pool_timeout=POOL_WAIT_S,
        pool_pre_ping=True,
        connect_args={
            "connect_timeout": CONNECT_TIMEOUT_S,
            "options": " ".join(f"-c {name}={value}" for name, value in options.items()),
        },
    )


@contextmanager
def _advisory_lock(url: URL, purpose: str) -> Iterator[None]:
    """Hold a lock of PostgreSQL on a connection of its own: it is released at the latest when the connection ends."""
    engine = create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        number = zlib.crc32(f"expediter/{purpose}".encode())
        if not connection.exec_driver_sql("SELECT pg_try_advisory_lock(%s)", (number,)).scalar_one():
            raise HeldElsewhere(f"another process does that already: {purpose}")
        try:
            yield
        finally:
            with suppress(DBAPIError):  # the connection is lost, and the lock with it
                connection.exec_driver_sql("SELECT pg_advisory_unlock(%s)", (number,))
