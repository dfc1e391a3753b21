"""One SQLite file: one writer with group commit, many snapshot readers, one engine at a time.

WAL mode with ``synchronous=FULL``: SQLite syncs the WAL inside COMMIT and only then lets readers see the commit, so
neither the writer's caller nor a reader learns of anything a power cut could take back. Errors are in
``group_commit``; all are ``DatabaseUnavailable``.
"""

from __future__ import annotations

import fcntl
import os
import threading
from concurrent.futures import Future
from pathlib import Path
from typing import TypeVar

import apsw

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
    "DatabaseInUse",
    "DatabaseUnavailable",
    "Work",
]

T = TypeVar("T")

BUSY_TIMEOUT_MS = 10_000
"""How long SQLite itself waits for a lock of another process, e.g. a database shell that holds the file."""

_READERS_IDLE_MAX = 8  # connections kept open; a burst of threads opens more and closes them again


class DatabaseInUse(DatabaseUnavailable):
    """Another engine has this file. Retryable: once that engine has stopped."""

    def __init__(self, path: Path, pid: int | None) -> None:
        holder = f"process {pid}" if pid else "another process"
        super().__init__(f"{path.parent} is in use by {holder}; stop it, or choose another folder")
        self.path = path
        self.pid = pid


class Database:
    """``submit``/``write`` run works in the writer's transaction, ``read`` in a snapshot.

    A work gets the connection, must not begin, commit or keep an open cursor, and may raise: then its own changes
    are undone, its caller gets the exception, and the works beside it are not touched. The future of ``submit`` is
    resolved (results and exceptions alike) only once the batch is durable, so ``add_done_callback`` is the place to
    ring whoever waits for a durable commit; callbacks run in the writer thread and must be short.
    """

    def __init__(self, path: Path | str, *, read_only: bool = False, vfs: str | None = None) -> None:
        """Open or create the file and lock it; ``read_only`` takes no lock and runs beside an engine.

        ``vfs`` names a registered apsw VFS. Raises DatabaseInUse, or FileNotFoundError when there is nothing to read.
        """
        self.path = Path(path).absolute()
        self._vfs = vfs
        self._idle: list[apsw.Connection] = []
        self._idle_gate = threading.Lock()
        self._closed = False
        self._lock_fd: int | None = None
        self._writer: Writer | None = None
        if not read_only:
            self._open_writer()
        elif not self.path.exists():
            raise FileNotFoundError(f"{self.path} does not exist; is this the folder of an engine?")

    @property
    def read_only(self) -> bool:
        return self._writer is None

    def submit(self, work: Work[T]) -> Future[T]:
        """Queue a work for the next transaction. Raises DatabaseUnavailable; its future may hold it as well."""
        return self._writing().submit(work)

    def write(self, work: Work[T]) -> T:
        """Run a work in the next transaction and wait until it is durable."""
        return self._writing().write(work)

    def read(self, work: Work[T]) -> T:
        """Run a work on one snapshot of what is durable. It returns values, never a cursor."""
        connection = self._reader()
        try:
            connection.execute("BEGIN")
            return work(connection)
        finally:
            if connection.in_transaction:
                connection.execute("COMMIT")
            self._give_back(connection)

    def truncate_wal(self) -> None:
        """Write the WAL into the database and cut it, so that what was deleted is not left in it.

        Waits for readers. Raises DatabaseBusy when one of them reads for longer than the busy timeout.
        """
        connection = _open(self.path, apsw.SQLITE_OPEN_READWRITE, self._vfs)
        try:
            # Not Connection.wal_checkpoint: on a connection that has read nothing yet it does nothing.
            ((busy, *_),) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            if busy:
                raise DatabaseBusy(f"{self.path} is being read; its WAL could not be cut")
        finally:
            connection.close()

    def close(self) -> None:
        """Commit what is queued, then let go of the file. Idempotent."""
        if self._closed:
            return
        with self._idle_gate:
            self._closed = True
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()
        if self._writer is not None:
            self._writer.close()
        if self._lock_fd is not None:
            os.close(self._lock_fd)

    def __enter__(self) -> Database:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _open_writer(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._lock_fd = _lock(self.path)
        try:
            self._writer = Writer(self.path, _open_for_writing(self.path, self._vfs))
        except BaseException:
            os.close(self._lock_fd)
            raise

    def _writing(self) -> Writer:
        if self._writer is None:
            raise DatabaseUnavailable(f"{self.path} was opened for reading only")
        return self._writer

    def _reader(self) -> apsw.Connection:
        with self._idle_gate:
            if self._closed:
                raise DatabaseClosed(f"{self.path} is closed")
            if self._idle:
                return self._idle.pop()
        return _open(self.path, apsw.SQLITE_OPEN_READONLY, self._vfs)

    def _give_back(self, connection: apsw.Connection) -> None:
        with self._idle_gate:
            if not self._closed and len(self._idle) < _READERS_IDLE_MAX:
                self._idle.append(connection)
                return
        connection.close()


def _open(path: Path, flags: int, vfs: str | None) -> apsw.Connection:
    connection = apsw.Connection(str(path), flags=flags, vfs=vfs)
    connection.set_busy_timeout(BUSY_TIMEOUT_MS)
    return connection


def _open_for_writing(path: Path, vfs: str | None) -> apsw.Connection:
    created = not path.exists()
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))  # data keys are in it; SQLite's other files follow its mode
    connection = _open(path, apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE, vfs)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA fullfsync=ON")  # macOS: fsync alone leaves data in the drive's cache
    connection.execute("PRAGMA secure_delete=ON")  # a destroyed data key is overwritten, not only unlinked
    if created:
        _sync_folder(path.parent)  # the name of a new file is durable only once its folder is
    return connection


def _sync_folder(folder: Path) -> None:
    folder_fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(folder_fd)
    finally:
        os.close(folder_fd)


def _lock(path: Path) -> int:
    """Take the lock file beside the database. The kernel lets go of it when the process ends, however it ends."""
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
