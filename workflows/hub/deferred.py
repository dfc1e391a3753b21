"""The result of a call that has not ended yet: what a task of the hub waits for.

It has the methods of ``concurrent.futures.Future`` and costs a tenth of it, because it has no condition variable of its
own. The hub resolves some fifty of them an order.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any, Final, Generic, Protocol, TypeVar

log = logging.getLogger(__name__)

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

_PENDING: Final = 0
_RUNNING: Final = 1
_DONE: Final = 2
_CANCELLED: Final = 3

_gate = threading.Lock()
"""Held for a few instructions by every change of a state, of all of them: they hardly ever meet."""


class Resolvable(Protocol[T_co]):
    """What ``hub.wait`` takes: a Deferred, or a Future of a pool of threads."""

    def done(self) -> bool: ...
    def result(self, timeout: float | None = None) -> T_co: ...
    def add_done_callback(self, fn: Callable[[Any], object]) -> None: ...


class Deferred(Generic[T]):
    """Resolved once, with a result or an exception, or cancelled before its call began. Threads may share it."""

    __slots__ = ("_callbacks", "_error", "_result", "_state")

    def __init__(self) -> None:
        self._state = _PENDING
        self._result: Any = None
        self._error: BaseException | None = None
        self._callbacks: list[Callable[[Deferred[T]], object]] = []

    def done(self) -> bool:
        """Whether it has a result or an exception, or was cancelled."""
        return self._state >= _DONE

    def cancelled(self) -> bool:
        """Whether it was cancelled."""
        return self._state == _CANCELLED

    def cancel(self) -> bool:
        """Cancel a call that has not begun. Returns False if it has begun or ended."""
        with _gate:
            if self._state == _PENDING:
                self._state = _CANCELLED
            elif self._state != _CANCELLED:
                return False
        self._call_back()
        return True

    def set_running_or_notify_cancel(self) -> bool:
        """Note that the call begins, so that it cannot be cancelled any more. Returns False if it was cancelled."""
        with _gate:
            if self._state == _PENDING:
                self._state = _RUNNING
        return self._state != _CANCELLED

    def set_result(self, result: T) -> None:
        """Resolve it. Raises RuntimeError if it was resolved before."""
        self._resolve(result, None)

    def set_exception(self, error: BaseException) -> None:
        """Resolve it with an exception, which ``result`` raises. Raises RuntimeError if it was resolved before."""
        self._resolve(None, error)

    def result(self, timeout: float | None = None) -> T:
        """Return the result or raise the exception. Blocks the thread until then, for at most ``timeout`` seconds.

        Raises:
            TimeoutError: It is not resolved yet.
        """
        error = self.exception(timeout)
        if error is None:
            return self._result  # type: ignore[no-any-return]  # of type T, as set_result took it
        try:
            raise error
        finally:
            del self, error  # the traceback refers to this frame

    def exception(self, timeout: float | None = None) -> BaseException | None:
        """Return the exception, or None if there is a result. Blocks as ``result`` does."""
        if self._state < _DONE:
            self._block(timeout)
        if self._state == _CANCELLED:
            raise RuntimeError("the call was cancelled")
        return self._error

    def add_done_callback(self, fn: Callable[[Deferred[T]], object]) -> None:
        """Call ``fn`` in the thread that resolves it, or now if that has happened. An error of it is logged."""
        with _gate:
            if self._state < _DONE:
                self._callbacks.append(fn)
                return
        fn(self)

    def _resolve(self, result: Any, error: BaseException | None) -> None:
        with _gate:
            if self._state >= _DONE:
                raise RuntimeError("a call is resolved once")
            self._result, self._error, self._state = result, error, _DONE
        self._call_back()

    def _call_back(self) -> None:
        callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            try:
                callback(self)
            except Exception as error:
                log.critical("a callback failed: %s", error, exc_info=error)

    def _block(self, timeout: float | None) -> None:
        resolved = threading.Lock()
        resolved.acquire()
        with _gate:
            if self._state >= _DONE:
                return
            self._callbacks.insert(0, lambda _: resolved.release())  # no other callback can keep it from waking
        if not resolved.acquire(timeout=-1 if timeout is None else max(0.0, timeout)):
            raise TimeoutError
