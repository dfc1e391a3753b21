"""One writer thread: whatever is queued goes into one transaction, and one fsync makes all of it durable.

There is no timer: a work that comes alone is committed at once, and while that commit waits for the disk the next
ones queue up and become the next batch. Nobody hears of a result before the COMMIT that made it durable returned.
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
"""Works in one transaction: bounds how long the first waits for the last. At 30 us a work, about 8 ms."""

CHECKPOINT_PAGES = 1000
"""WAL pages (4 KiB each) between two checkpoints; SQLite's own default."""

# After these SQLite may have rolled everything back, or the disk can no longer be trusted with anything.
_FATAL = (apsw.IOError, apsw.FullError, apsw.CorruptError, apsw.NotADBError, apsw.NoMemError, apsw.ReadOnlyError)


class DatabaseUnavailable(Exception):
    """The database takes no writes now. Retryable: see the subclass."""


class DatabaseBroken(DatabaseUnavailable):
    """A sync or write failed: what was not acknowledged may be lost. Retryable: after a restart, with the same keys."""

    def __init__(self, path: Path, cause: BaseException) -> None:
        super().__init__(f"{path} can no longer be written ({cause}); check the disk, then start the engine again")
        self.path = path
        self.__cause__ = cause


class DatabaseBusy(DatabaseUnavailable):
    """Somebody else holds SQLite's write lock, e.g. a database shell. Retryable: yes."""


class DatabaseClosed(DatabaseUnavailable):
    """The database was closed. Retryable: no."""


@dataclass(slots=True)
class _Queued:
    """A work, the future its caller waits on, and what came of it inside the transaction."""

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
    """Owns ``connection``: from now on only its thread uses it."""

    def __init__(self, path: Path, connection: apsw.Connection) -> None:
        self._path = path
        self._connection = connection
        self._queue: SimpleQueue[_Queued | None] = SimpleQueue()
        self._gate = threading.Lock()  # nothing is queued behind the end, or behind a failure
        self._refusal: DatabaseUnavailable | None = None
        self._closing = False
        self._wal_pages = self._checkpointed_pages = 0
        connection.set_wal_hook(self._note_wal)
        self._thread = threading.Thread(target=self._run, name=f"writer of {path.name}", daemon=True)
        self._thread.start()

    def submit(self, work: Work[T]) -> Future[T]:
        """Queue a work. Raises DatabaseUnavailable when the database is broken or closed."""
        future: Future[T] = Future()
        with self._gate:
            if self._refusal is not None:
                raise self._refused()
            self._queue.put(_Queued(work, future))
        return future

    def write(self, work: Work[T]) -> T:
        """Submit and wait until it is durable."""
        if threading.current_thread() is self._thread:
            raise RuntimeError("write() from the writer thread waits for itself; use submit() in a done callback")
        return self.submit(work).result()

    def close(self) -> None:
        """Commit what is queued, then stop. Idempotent."""
        with self._gate:
            self._refusal = self._refusal or DatabaseClosed(f"{self._path} is closed")
            self._queue.put(None)
        self._thread.join()
        self._connection.close()

    def _refused(self) -> DatabaseUnavailable:
        refusal = self._refusal
        if isinstance(refusal, DatabaseBroken) and refusal.__cause__ is not None:
            return DatabaseBroken(self._path, refusal.__cause__)  # one exception per caller: they carry tracebacks
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
            self._break(bug, batch)  # nobody may wait for a thread that is gone
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
                queued.future.set_exception(DatabaseBusy(f"{self._path} is being written by somebody else"))
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
        """Run one work in its savepoint. Raises only what the whole batch does not survive."""
        execute = self._connection.execute
        execute("SAVEPOINT work")
        try:
            queued.result = queued.work(self._connection)
        except _FATAL:
            raise
        except BaseException as error:
            if not self._connection.in_transaction:
                raise apsw.SQLError(f"a work lost the transaction of its batch: {error!r}") from error
            queued.error = error
            execute("ROLLBACK TO work")
        execute("RELEASE work")

    def _break(self, error: BaseException, batch: list[_Queued]) -> None:
        """Tell every waiter, and take nothing more: after a failed sync nobody knows what the disk holds."""
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
        """Move the WAL into the database after the waiters were answered, so that none of them waits for it."""
        if self._wal_pages < self._checkpointed_pages:
            self._checkpointed_pages = 0  # the WAL began again
        if self._closing or self._wal_pages - self._checkpointed_pages < CHECKPOINT_PAGES:
            return
        try:
            self._connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
            self._checkpointed_pages = self._wal_pages
        except (apsw.BusyError, apsw.LockedError):
            return  # somebody else checkpoints
        except apsw.Error as error:
            self._break(error, [])
