"""One SQLite file: one writer with group commit, many snapshot readers, one engine at a time.

WAL mode with ``synchronous=FULL``: SQLite syncs the WAL inside COMMIT and only then shows the commit to readers, so a
power cut cannot undo a write that a caller or reader has seen. The errors are in ``group_commit``; all of them are
``DatabaseUnavailable``.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NoReturn, TypeVar
from urllib.parse import quote

import apsw

from workflows.hub.deferred import Deferred
from workflows.hub.hub import Hub
from workflows.sqlite.group_commit import (
    DatabaseBroken,
    DatabaseBusy,
    DatabaseClosed,
    DatabaseUnavailable,
    Work,
    Writer,
)

__all__ = [
    "Database",
    "DatabaseBroken",
    "DatabaseBusy",
    "DatabaseClosed",
    "DatabaseForeign",
    "DatabaseInUse",
    "DatabaseUnavailable",
    "Work",
    "check_unused",
]

T = TypeVar("T")

BUSY_TIMEOUT_MS = 10_000
"""How long SQLite waits for a lock of another process, e.g. a database shell."""

READERS_MAX = 8
"""Readers at once; the next waits. They are opened at the start, so that a process that has run out of descriptors can
still read. Reads are short: more readers measure alike."""

APPLICATION_ID = int.from_bytes(b"EXPD")
"""In the header of each file, so that no database of another program is written to."""

_TABLES_BEFORE = frozenset({
    "events", "documents", "data_keys", "definitions", "executions", "journal", "feed_checkpoints",
    "payment_lines", "payment_calls", "kitchen_lines", "kitchen_calls", "courier_lines", "courier_calls",
})  # fmt: skip
"""The tables of files that were written before they had an application id."""


class DatabaseInUse(DatabaseUnavailable):
    """Another engine runs on this folder. Retryable: once that engine has stopped."""

    def __init__(self, path: Path, pid: int | None) -> None:
        holder = f"process {pid}" if pid else "another process"
        super().__init__(f"{path.parent} is in use by {holder}; stop it, or choose another folder")
        self.path = path
        self.pid = pid


class DatabaseForeign(DatabaseUnavailable):
    """The file is a database of another program. Retryable: no."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} is a database of another program; move it away, or choose another folder")


class Database:
    """``submit``/``write`` run works in the writer's transaction, ``read`` in a snapshot.

    A work gets the connection. It must not begin or commit a transaction or keep a cursor open. If it raises, its own
    changes are undone, its caller gets the exception, and the other works of the batch are not affected. The future of
    ``submit`` is resolved, with a result or an exception, only once the batch is durable.
    """

    def __init__(
        self,
        path: Path | str,
        *,
        hub: Hub | None = None,
        read_only: bool = False,
        vfs: str | None = None,
        readers: int = READERS_MAX,
        on_break: Callable[[BaseException], None] = lambda _: None,
    ) -> None:
        """Open or create the file and lock it.

        Args:
            hub: Commits the writes, at the end of each of its turns. Without one the database starts its own.
            read_only: Take no lock and create nothing, to read beside a running engine.
            vfs: The name of a registered apsw VFS.
            readers: Reads at once; one more waits.
            on_break: Called with the error after which nothing can be written any more.

        Raises:
            DatabaseInUse: Another process holds the lock.
            DatabaseForeign: The file is a database of another program.
            FileNotFoundError: ``read_only``, and the file does not exist.
        """
        self.path = Path(path).absolute()
        self._vfs = vfs
        self._source = str(self.path)  # what readers open
        self._copy: TemporaryDirectory[str] | None = None
        self._free_readers = threading.BoundedSemaphore(readers)
        self._idle: list[apsw.Connection] = []
        self._idle_gate = threading.Lock()
        self._closed = False
        self._lock_fd: int | None = None
        self._own_hub: Hub | None = None
        self._writer: Writer | None = None
        if not read_only:
            self._open_writer(hub, readers, on_break)
        elif not self.path.exists():
            raise FileNotFoundError(f"{self.path} does not exist; is this the folder of an engine?")
        else:
            self._open_reader()

    @property
    def read_only(self) -> bool:
        return self._writer is None

    def foreign_writes(self) -> int | None:
        """Return a number that changes when another connection has written to the file; None if not on the hub."""
        writer = self._writer
        return writer.foreign_writes() if writer is not None and writer.hub.is_here else None

    def submit(self, work: Work[T], *, on_durable: Callable[[T], None] | None = None) -> Deferred[T]:
        """Queue a work for the next transaction. Raises DatabaseUnavailable, here or through the future.

        Args:
            on_durable: Called with the result on the hub, in the order of the works, before the future is resolved. It
                must be short and not raise.
        """
        return (self._writer or self._refused()).submit(work, on_durable)

    def write(self, work: Work[T]) -> T:
        """Run a work in the next transaction and wait until it is durable."""
        return (self._writer or self._refused()).write(work)

    def read(self, work: Work[T]) -> T:
        """Run a work on a snapshot of the durable data. It must return values, no cursor, and not call ``read``."""
        if self._writer is not None and self._writer.hub.is_here:
            return self._writer.read(work)
        with self._free_readers:
            connection = self._reader()
            try:
                connection.execute("BEGIN")
                return work(connection)
            finally:
                if connection.in_transaction:
                    connection.execute("COMMIT")
                self._give_back(connection)

    def truncate_wal(self) -> None:
        """Write the WAL into the database and truncate it, so that deleted data does not stay in it.

        Waits for readers. Raises DatabaseBusy if one of them reads for longer than the busy timeout.
        """
        connection = _open(self.path, apsw.SQLITE_OPEN_READWRITE, self._vfs)
        try:
            # Connection.wal_checkpoint does nothing on a connection that has read nothing yet.
            ((busy, *_),) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            if busy:
                raise DatabaseBusy(f"{self.path} is being read; its WAL could not be truncated")
        finally:
            connection.close()

    def close(self) -> None:
        """Commit all queued works and release the file. Idempotent."""
        if self._closed:
            return
        with self._idle_gate:
            self._closed = True
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()
        if self._writer is not None:
            self._writer.close()
        if self._own_hub is not None:
            self._own_hub.close()
        if self._lock_fd is not None:
            os.close(self._lock_fd)
        if self._copy is not None:
            self._copy.cleanup()

    def __enter__(self) -> Database:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _open_writer(self, hub: Hub | None, readers: int, on_break: Callable[[BaseException], None]) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._lock_fd = _lock(self.path)
        try:
            connection = _open_for_writing(self.path, self._vfs)
            if hub is None:
                hub = self._own_hub = Hub(f"writer of {self.path.name}")
            self._idle.extend(self._opened_reader() for _ in range(readers))  # they open the WAL
            self._writer = Writer(self.path, connection, hub, on_break)
        except BaseException:
            self.close()
            raise

    def _open_reader(self) -> None:
        """Open the first reader, from a medium that cannot be written as well.

        SQLite needs a writable folder to read a WAL. Without one, a file without a WAL is opened as immutable, and one
        with a WAL is read from a copy.
        """
        try:
            self._idle.append(self._opened_reader())
        except (apsw.CantOpenError, apsw.ReadOnlyError):
            if os.access(self.path.parent, os.W_OK):
                raise
            wal = self.path.with_name(f"{self.path.name}-wal")
            if wal.exists() and wal.stat().st_size:
                self._copy = TemporaryDirectory(prefix="expediter-")
                for file in (self.path, wal):
                    shutil.copy(file, self._copy.name)
                self._source = str(Path(self._copy.name) / self.path.name)
            else:
                self._source = f"file:{quote(str(self.path))}?immutable=1"
            self._idle.append(self._opened_reader())

    def _refused(self) -> NoReturn:
        raise DatabaseUnavailable(f"{self.path} was opened for reading only")

    def _reader(self) -> apsw.Connection:
        with self._idle_gate:
            if self._closed:
                raise DatabaseClosed(f"{self.path} is closed")
            if self._idle:
                return self._idle.pop()
        return self._opened_reader()

    def _opened_reader(self) -> apsw.Connection:
        """Open a connection and its WAL, so that a later read needs no further descriptor."""
        connection = _open(self._source, apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI, self._vfs)
        connection.execute("SELECT count(*) FROM sqlite_schema").close()
        return connection

    def _give_back(self, connection: apsw.Connection) -> None:
        with self._idle_gate:
            if not self._closed:
                self._idle.append(connection)
                return
        connection.close()


def _open(source: Path | str, flags: int, vfs: str | None) -> apsw.Connection:
    connection = apsw.Connection(str(source), flags=flags, vfs=vfs)
    connection.set_busy_timeout(BUSY_TIMEOUT_MS)
    return connection


def _open_for_writing(path: Path, vfs: str | None) -> apsw.Connection:
    created = not path.exists() or path.stat().st_size == 0
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))  # it holds data keys
    connection = _open(path, apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE, vfs)
    if not created and not _is_ours(connection):
        connection.close()
        raise DatabaseForeign(path)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA fullfsync=ON")  # on macOS fsync alone leaves data in the drive's cache
    connection.execute("PRAGMA secure_delete=ON")  # a destroyed data key is overwritten, not only unlinked
    if connection.pragma("application_id") != APPLICATION_ID:
        connection.pragma("application_id", APPLICATION_ID)
    if created:
        sync_folder(path.parent)  # the name of a new file is durable only after a sync of its folder
    return connection


def _is_ours(connection: apsw.Connection) -> bool:
    """Whether a database has our application id, or, if it is older than that, only tables that we know."""
    if connection.pragma("application_id") == APPLICATION_ID:
        return True
    tables = {
        name
        for (name,) in connection.execute(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        )
    }
    return connection.pragma("application_id") == 0 and tables <= _TABLES_BEFORE


def sync_folder(folder: Path) -> None:
    """Make the names of the files in a folder durable."""
    folder_fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(folder_fd)
    finally:
        os.close(folder_fd)


def check_unused(path: Path) -> None:
    """Raise DatabaseInUse if a process has the database open for writing. Makes no file beside it."""
    with suppress(FileNotFoundError), open(path.with_name(path.name + ".lock"), "rb") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = lock.read(20).strip()
            raise DatabaseInUse(path, int(holder) if holder.isdigit() else None) from None


def _lock(path: Path) -> int:
    """Lock the file beside the database. The kernel releases the lock when the process ends, however it ends."""
    lock_fd = os.open(path.with_name(path.name + ".lock"), os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(lock_fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.pread(lock_fd, 20, 0).strip()
        os.close(lock_fd)
        raise DatabaseInUse(path, int(holder) if holder.isdigit() else None) from None
    os.ftruncate(lock_fd, 0)
    os.pwrite(lock_fd, str(os.getpid()).encode(), 0)
    return lock_fd
