"""Notices that the files of an open database were deleted, replaced, emptied or overwritten.

A process keeps writing to a deleted file without an error, and everything it writes is lost at its end. A WAL that was
truncated, e.g. by a copy over it, gets further commits behind a hole, and SQLite reads none of them at the next start.

A copy over the database itself leaves device and inode as they are. So each process writes a random mark into the
database's header when it opens it, and looks for the mark before it acknowledges a commit. Pages in the middle that are
overwritten one by one are not noticed here: SQLite finds some of them when it reads them, and the audit all of them.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

import apsw

from domain.picklable import Picklable

_WAL_HEADER_BYTES = 32
_FRAME_HEADER_BYTES = 24
_PAGES_AT, _MARK_AT = 28, 60
_MARK_END = 64
"""In the header of a database: its number of pages, and ``user_version``, which SQLite leaves to its users."""

_HEADER_SALT = 16
_FRAME_SALT = 8
_SALT_BYTES = 8
"""Of SQLite's file format, section 4.1: a frame is valid if its salt is that of the WAL's header."""


class FileReplaced(Picklable, Exception):
    """The path of an open database file leads to no file, or to another one, or its content is gone."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path.name} was deleted, replaced or overwritten while it was open")


class OpenFiles:
    """The database file and its WAL, as they are when this object is made: both must be open by then."""

    def __init__(self, database: Path, connection: apsw.Connection) -> None:
        """Mark the database. ``connection`` is the one that writes to it."""
        self._connection = connection
        self._mark = secrets.randbelow(2**31 - 1) + 1
        connection.pragma("user_version", self._mark)
        connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
        self._is_marked = False  # until the checkpoint has got as far, for which readers may have to end
        self._bytes = 0
        self._database = database
        self._wal = database.with_name(f"{database.name}-wal")
        self._files = {path: _identity(path) for path in (self._database, self._wal)}
        self._page_bytes = int(connection.pragma("page_size"))
        self._frame_bytes = _FRAME_HEADER_BYTES + self._page_bytes
        self._wal_fd = os.open(self._wal, os.O_RDONLY) if self._files[self._wal] else None
        self._frames = 0

    def check(self, frames: int) -> None:
        """Compare device and inode of each path, and look for the mark and the newest commits: some 9 us.

        Args:
            frames: The number of frames in the WAL after the commit; 0 if the commit changed nothing.

        Raises:
            FileReplaced: A path leads to no file or another one, the database was cut or has another
                mark, or the WAL has a hole.
        """
        for path, identity in self._files.items():
            if _identity(path) != identity:
                raise FileReplaced(path)
        self.check_database()
        if self._wal_fd is not None and frames:
            self._check_wal(self._wal_fd, frames)
            self._frames = frames

    def check_database(self) -> None:
        """Look for the mark in the database, and compare its size with the one before. Raises FileReplaced."""
        size = self._database.stat().st_size
        complete, header = self._connection.read("main", 0, 0, _MARK_END)
        is_marked = complete and int.from_bytes(header[_MARK_AT:_MARK_END]) == self._mark
        pages = int.from_bytes(header[_PAGES_AT : _PAGES_AT + 4])
        is_cut = size < self._bytes and size < pages * self._page_bytes  # VACUUM makes it shorter, and says so
        if not size or is_cut or (self._is_marked and not is_marked):
            raise FileReplaced(self._database)
        self._is_marked, self._bytes = is_marked, size

    def close(self) -> None:
        if self._wal_fd is not None:
            os.close(self._wal_fd)
            self._wal_fd = None

    def _check_wal(self, wal_fd: int, frames: int) -> None:
        """Check the last frame, and the last one of the check before, which a hole would contain.

        An empty WAL was checkpointed and truncated after the commit: the commit is in the database.
        """
        salt = os.pread(wal_fd, _SALT_BYTES, _HEADER_SALT)
        for frame in {frames, min(self._frames or frames, frames)}:
            offset = _WAL_HEADER_BYTES + (frame - 1) * self._frame_bytes + _FRAME_SALT
            if salt and (not any(salt) or os.pread(wal_fd, _SALT_BYTES, offset) != salt):
                raise FileReplaced(self._wal)


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
