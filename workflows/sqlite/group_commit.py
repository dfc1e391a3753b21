"""The turn's transaction: all works queued in one turn of the hub are committed together, with one fsync.

There is no timer: a work that comes alone is committed at the end of its turn, and works that come while that commit
waits for the disk become the next batch. No caller gets a result before the COMMIT that made it durable has returned.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import apsw

from domain.picklable import Picklable
from workflows.hub.deferred import Deferred
from workflows.hub.hub import Hub, wait
from workflows.sqlite.open_files import FileReplaced, OpenFiles

T = TypeVar("T")
Work = Callable[[apsw.Connection], T]

BATCH_MAX = 256
"""Works in one transaction. Bounds how long the first waits for the last: about 8 ms at 30 us a work."""

CHECKPOINT_PAGES = 1000
"""WAL pages (4 KiB each) between two checkpoints; SQLite's default."""

# After these errors SQLite may have rolled back the transaction, or the disk is no longer reliable.
_FATAL = (apsw.IOError, apsw.FullError, apsw.CorruptError, apsw.NotADBError, apsw.NoMemError, apsw.ReadOnlyError)


class DatabaseUnavailable(Picklable, Exception):
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
    future: Deferred[Any]
    on_durable: Callable[[Any], None] | None
    result: Any = None
    error: BaseException | None = None

    def settle(self) -> None:
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            if self.on_durable is not None:
                self.on_durable(self.result)
            self.future.set_result(self.result)


class Writer:
    """Owns ``connection``: from now on only the hub's thread uses it."""

    def __init__(
        self, path: Path, connection: apsw.Connection, hub: Hub, on_break: Callable[[BaseException], None]
    ) -> None:
        """``on_break`` is called, on the hub, with the error after which nothing can be written any more."""
        self._path = path
        self._connection = connection
        self.hub = hub
        self._on_break = on_break
        self._files = OpenFiles(path, connection)
        self._frames = 0  # in the WAL after this commit, if it changed something
        self._queue: deque[_Queued] = deque()
        self._gate = threading.Lock()  # nothing is queued behind the end, or behind a failure
        self._refusal: DatabaseUnavailable | None = None
        self._wal_pages = self._checkpointed_pages = 0
        self._data_version = 0
        self._asked_in_turn = -1
        connection.set_wal_hook(self._note_wal)

    def submit(self, work: Work[T], on_durable: Callable[[T], None] | None = None) -> Deferred[T]:
        """Queue a work; see ``Database.submit``. Raises DatabaseUnavailable if the database is broken or closed."""
        future: Deferred[T] = Deferred()
        with self._gate:
            if self._refusal is not None:
                raise self._refused()
            self._queue.append(_Queued(work, future, on_durable))
        self.hub.call(self._commit_soon)
        return future

    def _commit_soon(self) -> None:
        self.hub.commit(self._commit_queued)

    def write(self, work: Work[T]) -> T:
        """Submit and wait until it is durable. A callback of the hub must not wait: it uses ``submit``."""
        return wait(self.submit(work))

    def read(self, work: Work[T]) -> T:
        """Run a reading work on the hub, where no transaction is open between two turns: it sees what is durable."""
        return work(self._connection)

    def foreign_writes(self) -> int:
        """Return a number that changes when another connection has written. SQLite is asked once a turn."""
        if self._asked_in_turn != self.hub.turns:
            self._asked_in_turn = self.hub.turns
            self._data_version = int(self._connection.pragma("data_version"))
        return self._data_version

    def close(self) -> None:
        """Commit all queued works, then stop. Idempotent."""
        with self._gate:
            self._refusal = self._refusal or DatabaseClosed(f"{self._path} is closed")
        self.hub.ask(self._close)

    def _close(self) -> None:
        while self._queue:
            self._commit_queued()
        self._connection.close()
        self._files.close()

    def _refused(self) -> DatabaseUnavailable:
        refusal = self._refusal
        if isinstance(refusal, DatabaseBroken) and refusal.__cause__ is not None:
            return DatabaseBroken(self._path, refusal.__cause__)  # each caller gets its own traceback
        return DatabaseClosed(f"{self._path} is closed")

    def _commit_queued(self) -> None:
        batch = self._next_batch()
        try:
            if batch:
                self._commit(batch)
        except BaseException as bug:
            self._break(bug, batch)  # no caller may wait for a batch that nothing commits
            raise
        if self._queue:
            self.hub.commit(self._commit_queued)
        elif batch:
            self.hub.soon(self._checkpoint_if_due)

    def _next_batch(self) -> list[_Queued]:
        batch: list[_Queued] = []
        while self._queue and len(batch) < BATCH_MAX:
            queued = self._queue.popleft()
            if queued.future.set_running_or_notify_cancel():
                batch.append(queued)
        return batch

    def _commit(self, batch: list[_Queued]) -> None:
        self._frames = 0
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
            self._files.check(self._frames)
        except (apsw.Error, FileReplaced) as error:
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
        while self._queue:
            queued = self._queue.popleft()
            if queued.future.set_running_or_notify_cancel():
                batch.append(queued)
        for queued in batch:
            if not queued.future.done():
                queued.future.set_exception(DatabaseBroken(self._path, error))
        self._on_break(DatabaseBroken(self._path, error))

    def _note_wal(self, _connection: apsw.Connection, _database: str, pages: int) -> int:
        self._wal_pages = self._frames = pages
        return apsw.SQLITE_OK

    def _checkpoint_if_due(self) -> None:
        """Copy the WAL into the database, after the results of the batch were returned."""
        if self._wal_pages < self._checkpointed_pages:
            self._checkpointed_pages = 0  # the WAL began again
        if self._refusal is not None or self._wal_pages - self._checkpointed_pages < CHECKPOINT_PAGES:
            return
        try:
            self._files.check_database()  # the checkpoint may write the mark again
            self._connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
            self._checkpointed_pages = self._wal_pages
        except (apsw.BusyError, apsw.LockedError):
            return  # another process checkpoints
        except (apsw.Error, FileReplaced, OSError) as error:
            self._break(error, [])
