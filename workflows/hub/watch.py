"""Watches the hub from a thread of its own, because one call that does not come back would stop everything.

A task must not compute for long: all others wait for it. If a turn lasts longer than ``LOG_AFTER_S``, its stack is
logged; after ``INTERRUPT_AFTER_S`` the call is interrupted with ``CallTooLong``, which ends a function as an error of
its own. What Python cannot interrupt (a call that sleeps or waits inside C code) is logged, and holds the hub until it
returns; so such calls belong on a thread (``Hub.elsewhere``).
"""

from __future__ import annotations

import logging
import threading
import time

from workflows.hub.hub import Hub

log = logging.getLogger(__name__)

LOOK_EVERY_S = 0.25
LOG_AFTER_S = 3.0
"""A turn is given 10 ms. A first import, or a disk that is busy, can take seconds on a loaded machine."""

INTERRUPT_AFTER_S = 10.0


class CallTooLong(Exception):
    """A call computed on the hub for longer than ``INTERRUPT_AFTER_S``. Retryable: no, it would do the same again."""


class Watch:
    """Watch a hub until ``close``."""

    def __init__(self, hub: Hub, *, log_after_s: float = LOG_AFTER_S, interrupt_after_s: float = INTERRUPT_AFTER_S):
        self._hub = hub
        self._log_after_s = log_after_s
        self._interrupt_after_s = interrupt_after_s
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watch of the hub", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop watching. Idempotent."""
        self._closed.set()
        self._thread.join()

    def _run(self) -> None:
        turn, since, is_logged, is_interrupted = self._hub.turns, time.monotonic(), False, False
        while not self._closed.wait(min(LOOK_EVERY_S, self._log_after_s)):
            if self._hub.turns != turn or not self._hub.is_busy:
                turn, since, is_logged, is_interrupted = self._hub.turns, time.monotonic(), False, False
                continue
            held_s = time.monotonic() - since
            if held_s > self._log_after_s and not is_logged:
                is_logged = True
                log.error("one call holds the hub", extra={"held_s": round(held_s, 1), "stack": self._hub.stack()})
            if held_s > self._interrupt_after_s and not is_interrupted:
                is_interrupted = True
                self._hub.interrupt(CallTooLong)
