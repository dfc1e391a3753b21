"""One writer thread that runs all queued works in one transaction, so that one fsync makes them durable.

There is no timer: a single work is committed at once, and the works queued while that commit waits for the disk form
the next batch. A result is returned only after the COMMIT that made it durable.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

import apsw

T = TypeVar("T")
Work = Callable[[apsw.Connection], T]

BATCH_MAX = 256
"""Works in one transaction. Bounds how long the first waits for the last: about 8 ms at 30 us a work."""

CHECKPOINT_PAGES = 1000
"""WAL pages (4 KiB each) between two checkpoints; SQLite's default."""

# After these errors SQLite may have rolled back the transaction, or the disk is no longer reliable.
_FATAL = (apsw.IOError, apsw.FullError, apsw.CorruptError, apsw.NotADBError, apsw.NoMemError, apsw.ReadOnlyError)


class DatabaseUnavailable(Exception):
    """The database cannot be written or read now. Retryable: see the subclass."""


class DatabaseBroken(DatabaseUnavailable):
    """A sync or write failed: unacknowledged writes may be lost. Retryable: after a restart, with the same keys."""

    def __init__(self, path: Path, cause: BaseException) -> None:
        super().__init__(f"{path} can no longer be written ({cause}); check the disk, then start the engine again")
        self.path = path
        self.__cause__ = cause


class DatabaseBusy(DatabaseUnavailable):
    """Another process holds SQLite's write lock, e.g. a database shell. Retryable: yes."""


class DatabaseClosed(DatabaseUnavailable):
    """The database was closed. Retryable: no."""


@dataclass(slots=True)
class _Queued:
    """A work, the future of its caller, and its result or error inside the transaction."""

    work: Work[Any]
    future: Future[Any]
    result: Any = None
    error: BaseException | None = None

    def settle(self) -> None:
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.result)


class Writer:
    """Owns ``connection``: only the writer thread uses it from now on."""

    def __init__(self, path: Path, connection: apsw.Connection) -> None:
        self._path = path
        self._connection = connection
        self._queue: SimpleQueue[_Queued | None] = SimpleQueue()
        self._gate = threading.Lock()  # nothing may be queued after the end or after a failure
        self._refusal: DatabaseUnavailable | None = None
        self._closing = False
        self._wal_pages = self._checkpointed_pages = 0
        connection.set_wal_hook(self._note_wal)
        self._thread = threading.Thread(target=self._run, name=f"writer of {path.name}", daemon=True)
        self._thread.start()

    def submit(self, work: Work[T]) -> Future[T]:
        """Queue a work. Raises DatabaseUnavailable if the database is broken or closed."""
        future: Future[T] = Future()
        with self._gate:
            if self._refusal is not None:
                raise self._refused()
            self._queue.put(_Queued(work, future))
        return future

    def write(self, work: Work[T]) -> T:
        """Queue a work and wait until it is durable."""
        if threading.current_thread() is self._thread:
            raise RuntimeError("write() from the writer thread waits for itself; use submit() in a done callback")
        return self.submit(work).result()

    def close(self) -> None:
        """Commit all queued works, then stop. Idempotent."""
        with self._gate:
            self._refusal = self._refusal or DatabaseClosed(f"{self._path} is closed")
            self._queue.put(None)
        self._thread.join()
        self._connection.close()

    def _refused(self) -> DatabaseUnavailable:
        refusal = self._refusal
        if isinstance(refusal, DatabaseBroken) and refusal.__cause__ is not None:
            return DatabaseBroken(self._path, refusal.__cause__)  # each caller gets its own traceback
        return DatabaseClosed(f"{self._path} is closed")

    def _run(self) -> None:
        batch: list[_Queued] = []
        try:
            while not self._closing:
                batch = self._next_batch()
                if batch:
                    self._commit(batch)
                    self._checkpoint_if_due()
        except BaseException as bug:
            self._break(bug, batch)  # no caller may wait for a thread that has ended
            raise

    def _next_batch(self) -> list[_Queued]:
        batch: list[_Queued] = []
        queued = self._queue.get()
        while queued is not None:
            if queued.future.set_running_or_notify_cancel():
                batch.append(queued)
            if len(batch) >= BATCH_MAX:
                return batch
            try:
                queued = self._queue.get_nowait()
            except Empty:
                return batch
        self._closing = True
        return batch

    def _commit(self, batch: list[_Queued]) -> None:
        try:
            self._connection.execute("BEGIN IMMEDIATE")
        except apsw.BusyError:
            for queued in batch:
                queued.future.set_exception(DatabaseBusy(f"{self._path} is being written by another process"))
            return
        except apsw.Error as error:
            self._break(error, batch)
            return
        try:
            for queued in batch:
                self._perform(queued)
            self._connection.execute("COMMIT")
        except apsw.Error as error:
            self._break(error, batch)
            return
        for queued in batch:
            queued.settle()

    def _perform(self, queued: _Queued) -> None:
        """Run one work in its savepoint. Raises only errors that fail the whole batch."""
        execute = self._connection.execute
        execute("SAVEPOINT work")
        try:
            queued.result = queued.work(self._connection)
        except _FATAL:
            raise
        except BaseException as error:
            if not self._connection.in_transaction:
                raise apsw.SQLError(f"a work ended the transaction of its batch: {error!r}") from error
            queued.error = error
            execute("ROLLBACK TO work")
        execute("RELEASE work")

    def _break(self, error: BaseException, batch: list[_Queued]) -> None:
        """Fail every waiting caller and refuse new works: after a failed sync the content of the disk is unknown."""
        with self._gate:
            self._refusal = DatabaseBroken(self._path, error)
        self._connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)  # leave the files to the next start
        if self._connection.in_transaction:
            try:
                self._connection.execute("ROLLBACK")
            except apsw.Error as worse:
                error.add_note(f"and the rollback failed: {worse}")
        while not self._queue.empty():
            queued = self._queue.get()
            if queued is not None and queued.future.set_running_or_notify_cancel():
                batch.append(queued)
        for queued in batch:
            if not queued.future.done():
                queued.future.set_exception(DatabaseBroken(self._path, error))
        self._closing = True

    def _note_wal(self, _connection: apsw.Connection, _database: str, pages: int) -> int:
        self._wal_pages = pages
        return apsw.SQLITE_OK

    def _checkpoint_if_due(self) -> None:
        """Copy the WAL into the database, after the results of the batch were returned."""
        if self._wal_pages < self._checkpointed_pages:
            self._checkpointed_pages = 0  # SQLite restarted the WAL
        if self._closing or self._wal_pages - self._checkpointed_pages < CHECKPOINT_PAGES:
            return
        try:
            self._connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
            self._checkpointed_pages = self._wal_pages
        except (apsw.BusyError, apsw.LockedError):
            return  # another process checkpoints
        except apsw.Error as error:
            self._break(error, [])
