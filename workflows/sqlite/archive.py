"""The segments of an archive in a folder beside the database: ``archive/000001.jsonl``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from workflows.boundary.private_files import write_private_content
from workflows.event_store.segments import SegmentDamaged, SegmentTaken
from workflows.sqlite.database import sync_folder

ARCHIVE: Final = "archive"
"""The folder of the segments, beside the database."""


class SegmentFolder:
    """The segments in one folder. Only one process writes it: the one that holds the database."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def newest(self) -> int:
        return max((int(file.stem) for file in self._folder.glob("*.jsonl") if file.stem.isdecimal()), default=0)

    def read(self, number: int, offset: int, length: int) -> bytes:
        try:
            with open(self._file(number), "rb") as file:
                return os.pread(file.fileno(), length, offset)
        except OSError as error:
            raise SegmentDamaged(f"segment {number} of the archive cannot be read: {type(error).__name__}") from error

    def write(self, number: int, content: bytes) -> None:
        """Store a segment. Raises OSError if the disk is full or cannot be written."""
        self._folder.mkdir(mode=0o700, exist_ok=True)
        if self._file(number).exists():
            raise SegmentTaken(f"segment {number} exists")
        write_private_content(self._file(number), content)
        for folder in (self._folder, self._folder.parent):
            sync_folder(folder)  # the table must not name a file whose name a power cut removes

    def _file(self, number: int) -> Path:
        return self._folder / f"{number:06}.jsonl"
