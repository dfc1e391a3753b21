"""Copy an engine's folder while the engine runs, as it was at one moment.

The log's database is locked for writing for about a millisecond, in which a read snapshot of every database is opened;
the copying reads from these snapshots, beside the running engine. So no commit lies between the copies: every call in a
ledger of the sandbox is an intent in the copied log, and an engine on the copy repeats it under the same key.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import apsw

from workflows.sqlite.database import BUSY_TIMEOUT_MS, sync_folder

_NOT_COPIED = (".lock", "-wal", "-shm", "-journal", ".new")
"""Files that belong to a running process."""


_MARK = "A backup. It holds the keys of customers who were erased since it was made: run it after expediter restore.\n"


class BackupRefused(Exception):
    """The target exists, or the source is not the folder of an engine. Retryable: with other folders."""


def back_up(
    source: Path,
    target: Path,
    *,
    log: str,
    mark: str,
    left_out: frozenset[str] = frozenset(),
    first: frozenset[str] = frozenset(),
) -> None:
    """Copy the databases and all other files of a folder.

    The target appears when the copy is complete and durable; until then it is ``<target>.partial``.

    Args:
        source: The engine's folder. An engine may run on it.
        target: A folder that does not exist. Its files are readable by their owner alone.
        log: The name of the database that holds the log.
        mark: The name of a file that is made in the target, so that it is known as a backup.
        left_out: Names of further files that must not be copied.

        first: Names of folders that are copied before the databases, because they name what the log holds. All others
            are copied after them, because the log names what they hold.

    Raises:
        BackupRefused: The target exists or is inside the source, or the source has no such database.
        apsw.BusyError: Another process held the write lock of a database for longer than the busy timeout.
        apsw.Error, OSError: A file could not be read or written.
    """
    if not (source / log).is_file():
        raise BackupRefused(f"{source} is not the folder of an engine: it has no {log}")
    if target.exists():
        raise BackupRefused(f"{target} exists; choose a folder that does not")
    if target.resolve().is_relative_to(source.resolve()):
        raise BackupRefused(f"{target} is inside {source}, which it is a copy of; choose a folder outside of it")
    partial = target.with_name(target.name + ".partial")
    if partial.exists():
        shutil.rmtree(partial)  # an earlier backup was interrupted
    partial.mkdir(mode=0o700, parents=True)
    files = [file for file in sorted(source.iterdir()) if _is_copied(file, left_out)]
    databases = [file for file in files if file.suffix == ".sqlite"]
    for folder in filter(Path.is_dir, sorted(source.iterdir())):
        if folder.name in first:
            _copy_folder(folder, partial / folder.name)
    with _snapshots(source / log, databases) as snapshots:
        for snapshot, file in zip(snapshots, databases, strict=True):
            _copy_database(snapshot, partial / file.name)
    for file in files:
        if file not in databases:
            _copy_file(file, partial / file.name)
    for folder in filter(Path.is_dir, sorted(source.iterdir())):
        if folder.name not in first:
            _copy_folder(folder, partial / folder.name)
    (partial / mark).touch(0o600)
    (partial / mark).write_text(_MARK, encoding="utf-8")
    _sync(partial / mark)
    sync_folder(partial)
    partial.rename(target)
    sync_folder(target.parent)


def _is_copied(file: Path, left_out: frozenset[str]) -> bool:
    return file.is_file() and not file.name.endswith(_NOT_COPIED) and file.name not in left_out


@contextmanager
def _snapshots(log: Path, databases: list[Path]) -> Iterator[list[apsw.Connection]]:
    """Open a read transaction on every database, all at one moment in which no commit can be appended."""
    with ExitStack() as opened:
        connections = [opened.enter_context(closing(_open(file))) for file in databases]
        gate = opened.enter_context(closing(_open(log, apsw.SQLITE_OPEN_READWRITE)))
        gate.execute("BEGIN IMMEDIATE")
        try:
            for connection in connections:
                connection.execute("BEGIN")
                connection.execute("SELECT count(*) FROM sqlite_schema").fetchall()  # the snapshot begins with a read
        finally:
            gate.execute("ROLLBACK")
        yield connections


def _open(file: Path, flags: int = apsw.SQLITE_OPEN_READONLY) -> apsw.Connection:
    connection = apsw.Connection(str(file), flags=flags)
    connection.set_busy_timeout(BUSY_TIMEOUT_MS)
    return connection


def _copy_database(snapshot: apsw.Connection, target: Path) -> None:
    os.close(os.open(target, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    with closing(apsw.Connection(str(target))) as copy:
        copy.execute("PRAGMA synchronous=FULL")
        with copy.backup("main", snapshot, "main") as backup:
            backup.step(-1)
    _sync(target)


def _copy_folder(folder: Path, target: Path) -> None:
    target.mkdir(mode=0o700)
    for file in sorted(folder.iterdir()):
        if _is_copied(file, frozenset()):
            _copy_file(file, target / file.name)
    sync_folder(target)


def _copy_file(file: Path, target: Path) -> None:
    shutil.copyfile(file, target)
    target.chmod(0o600)
    _sync(target)


def _sync(file: Path) -> None:
    descriptor = os.open(file, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
