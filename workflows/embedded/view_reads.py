"""Reads of the views by functions of the hub, on threads of their own.

They are apart from the hub's pool, so that slow searches hold up no call to a provider; and few may wait, because each
one that waits occupies one of the hub's tasks, which orders need too.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from workflows.hub.hub import wait
from workflows.search.refusals import ViewsUnavailable

T = TypeVar("T")

THREADS: Final = 4
"""As many as the database has connections for readers."""

READS_MAX: Final = 64
"""Reads under way and waiting: a quarter of the hub's tasks."""


class ViewReads:
    """A bounded pool. Use it from the hub alone."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="views")
        self._reads = 0

    def __call__(self, read: Callable[[], T]) -> T:
        """Run a read on a thread while its task waits. Raises ViewsUnavailable if too many wait already."""
        if self._reads >= READS_MAX:
            raise ViewsUnavailable("Too many searches are under way. Send the same request again.")
        self._reads += 1
        try:
            return wait(self._pool.submit(read))
        finally:
            self._reads -= 1

    def close(self) -> None:
        """Let the reads under way end, each at its time limit at the latest."""
        self._pool.shutdown(wait=False, cancel_futures=True)
