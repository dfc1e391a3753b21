"""Brings the results of function calls from the hub's thread to the server's loop."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import TypeVar

from workflows.hub.deferred import Deferred

T = TypeVar("T")


class FromHub:
    """Resolves futures of one loop. The loop is woken once for all calls that have ended since it last looked.

    Waking it is a system call and a switch of threads, and the calls of one turn end together.
    """

    def __init__(self) -> None:
        self._ended: deque[Callable[[], None]] = deque()
        self._is_waking = False

    def expect(self, call: Deferred[T]) -> asyncio.Future[T]:
        """Return a future of the running loop that gets what ``call`` gets, and cancels it if it is cancelled."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[T] = loop.create_future()

        def copy() -> None:
            if answer.done():
                return
            if call.cancelled():
                answer.cancel()
            elif (error := call.exception()) is not None:
                answer.set_exception(error)
            else:
                answer.set_result(call.result())

        def ended(_: Deferred[T]) -> None:
            self._ended.append(copy)
            if not self._is_waking and not loop.is_closed():
                self._is_waking = True
                loop.call_soon_threadsafe(self._resolve)

        call.add_done_callback(ended)
        answer.add_done_callback(lambda _: call.cancel() if answer.cancelled() else None)
        return answer

    def _resolve(self) -> None:
        self._is_waking = False  # first: a call that ends from here on wakes the loop again
        while self._ended:
            self._ended.popleft()()
