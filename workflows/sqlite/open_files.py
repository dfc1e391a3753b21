"""Notices that the files of an open database were deleted, replaced or emptied.

A process keeps writing to a deleted file without an error, and everything it writes is lost at its end. A WAL that was
truncated, e.g. by a copy over it, gets further commits behind a hole, and SQLite reads none of them at the next start.
"""

from __future__ import annotations

import os
from pathlib import Path

from domain.picklable import Picklable

_WAL_HEADER_BYTES = 32
_FRAME_HEADER_BYTES = 24
_HEADER_SALT = 16
_FRAME_SALT = 8
_SALT_BYTES = 8
"""Of SQLite's file format, section 4.1: a frame is valid if its salt is that of the WAL's header."""


class FileReplaced(Picklable, Exception):
    """The path of an open database file leads to no file, or to another one, or its content is gone."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path.name} was deleted, replaced or truncated while it was open")


class OpenFiles:
    """The database file and its WAL, as they are when this object is made: both must be open by then."""

    def __init__(self, database: Path, page_bytes: int) -> None:
        self._database = database
        self._wal = database.with_name(f"{database.name}-wal")
        self._files = {path: _identity(path) for path in (self._database, self._wal)}
        self._frame_bytes = _FRAME_HEADER_BYTES + page_bytes
        self._wal_fd = os.open(self._wal, os.O_RDONLY) if self._files[self._wal] else None
        self._frames = 0

    def check(self, frames: int) -> None:
        """Compare device and inode of each path, and look for the newest commits in the WAL: some 8 us.

        Args:
            frames: The number of frames in the WAL after the commit; 0 if the commit changed nothing.

        Raises:
            FileReplaced: A path leads to no file or another one, the database is empty, or the WAL has a hole.
        """
        for path, identity in self._files.items():
            if _identity(path) != identity:
                raise FileReplaced(path)
        if not self._database.stat().st_size:
            raise FileReplaced(self._database)
        if self._wal_fd is not None and frames:
            self._check_wal(self._wal_fd, frames)
            self._frames = frames

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
