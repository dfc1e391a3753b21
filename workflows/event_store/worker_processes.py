"""Processes that compute for the one that started them, on all cores, and end with it.

Without this they would outlive a process that was killed: a worker of a pool waits for its next task for ever.
"""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor  # noqa: TID251 - the one place that makes pools
from typing import Any


def worker_pool(
    cores: int | None = None, begin: Callable[..., object] | None = None, *arguments: Any
) -> ProcessPoolExecutor:
    """Return a pool of processes, by default one a core, each of which calls ``begin`` first. All of it is pickled."""
    context = multiprocessing.get_context("spawn")  # a fork would copy the locks of other threads
    return ProcessPoolExecutor(cores, mp_context=context, initializer=_begin, initargs=(begin, arguments))


def _begin(begin: Callable[..., object] | None, arguments: tuple[Any, ...]) -> None:
    threading.Thread(target=_end_with_parent, name="ends with its parent", daemon=True).start()
    if begin is not None:
        begin(*arguments)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None, "a pool started this process"
    parent.join()
    os._exit(1)
