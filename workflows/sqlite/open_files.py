"""Notices that the files of an open database were deleted or replaced.

A process keeps writing to a deleted file without an error, and everything it writes is lost at its end.
"""

from __future__ import annotations

from pathlib import Path

from domain.picklable import Picklable


class FileReplaced(Picklable, Exception):
    """The path of an open database file leads to no file, or to another one."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path.name} was deleted or replaced while it was open")


class OpenFiles:
    """The database file and its WAL, as they are when this object is made: both must be open by then."""

    def __init__(self, database: Path) -> None:
        self._files = {path: _identity(path) for path in (database, database.with_name(f"{database.name}-wal"))}

    def check(self) -> None:
        """Compare device and inode of each path: some 3 us. Raises FileReplaced."""
        for path, identity in self._files.items():
            if _identity(path) != identity:
                raise FileReplaced(path)


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
