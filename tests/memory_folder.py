"""A folder in memory for the files of tests: an fsync there takes no time, however busy the disk is."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

ROOM_BYTES = 4e9
"""Free space below which files stay on the disk. A whole run keeps less than a quarter of it there."""


def memory_folder() -> Path | None:
    """Return the folder, or None if this machine has none with enough room."""
    memory = Path("/dev/shm")
    return memory if memory.is_dir() and shutil.disk_usage(memory).free > ROOM_BYTES else None


def use_memory_for_temporary_files() -> None:
    """Let this process and those that it starts create temporary files in memory, unless TMPDIR is already set."""
    memory = memory_folder()
    if "TMPDIR" not in os.environ and memory is not None:
        os.environ["TMPDIR"] = str(memory)
        tempfile.tempdir = None  # it is kept from the first use
