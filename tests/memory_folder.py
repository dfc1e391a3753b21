"""A folder in memory for the files of tests: an fsync there takes no time, however busy the disk is."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

ROOM_BYTES = 4e9
"""Free space below which files stay on the disk. A whole run keeps less than a quarter of it there."""


def memory_folder(room_bytes: float = ROOM_BYTES) -> Path | None:
    """Return the folder, or None if this machine has none with enough room: in the folder and in memory."""
    memory = Path("/dev/shm")
    if not memory.is_dir() or shutil.disk_usage(memory).free < room_bytes:
        return None
    return memory if _available_bytes() >= room_bytes else None


def _available_bytes() -> int:
    """Return how much memory programs may still take: https://man7.org/linux/man-pages/man5/proc_meminfo.5.html"""
    facts = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
    return int(facts["MemAvailable"].removesuffix("kB")) * 1024


def use_memory_for_temporary_files() -> None:
    """Let this process and those that it starts create temporary files in memory, unless TMPDIR is already set."""
    memory = memory_folder()
    if "TMPDIR" not in os.environ and memory is not None:
        os.environ["TMPDIR"] = str(memory)
        tempfile.tempdir = None  # it is kept from the first use
