"""The CPU time and memory of a process and the processes that it started, as counted by the kernel."""

from __future__ import annotations

import os
from pathlib import Path

from benchmarks.memory import rss_mb

_TICK_S = 1 / os.sysconf("SC_CLK_TCK")


def tree_cpu_s(pid: int) -> float:
    """Sum up user and system time of the tree, with that of its ended and awaited processes, in seconds."""
    stats = _stats()
    ticks = sum(sum(map(int, stats[member][11:15])) for member in _tree(pid, stats))
    return ticks * _TICK_S


def tree_rss_mb(pid: int) -> float:
    """Sum up the resident memory of the tree, in MB."""
    return sum(rss_mb(member) for member in _tree(pid, _stats()))


def _tree(pid: int, stats: dict[int, list[str]]) -> list[int]:
    """Return the process and all its descendants."""
    children = [child for child, fields in stats.items() if int(fields[1]) == pid]
    return [pid, *(member for child in children for member in _tree(child, stats))]


def _stats() -> dict[int, list[str]]:
    """Read the fields of /proc/PID/stat after the command's name, by process: state, parent, ..."""
    stats = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                stats[int(folder.name)] = (folder / "stat").read_text().rpartition(")")[2].split()
            except OSError:  # it has ended
                continue
    return stats
