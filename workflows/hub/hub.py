"""The hub: one thread that runs plain blocking code as tasks, and commits what they wrote once a turn.

A *task* is a greenlet. Where its code waits for a future (``wait``) or for time (``sleep``) the hub runs other tasks,
so a thousand of them cost no thread and no switch of threads. A *turn* is:

1. run what is ready, until nothing is, or for ``TURN_WORK_S``;
2. run what gathers the turn's work (``before_commit``): the driver writes the signals that arrived;
3. run the transactions (``commit``): each database commits everything that was queued in this turn with one fsync;
4. resolve the futures of what is now durable, which makes their tasks ready for the next turn.

So an HTTP answer leaves after the fsync of everything that its function wrote, on this way:

* The request's function is a task (``embedded.lambda_.functions``). Its append queues a work for the turn's transaction
  (``sqlite.group_commit.Writer.submit``), and the task waits for the work's future.
* In step 3 the COMMIT, which syncs the WAL, returns; in step 4 the future is resolved. If COMMIT fails, the future gets
  the error instead, and the function fails: nothing was promised.
* In the next turn the task goes on, and ends. Its result goes to the server's loop (``embedded.http.from_hub``), which
  writes the answer to the socket.

Nor can an answer show what another request has written and what is not durable yet: a task reads only between two
transactions, and the histories kept in memory (``sqlite.recent``) are replaced in step 4.
``tests/embedded/test_bytes_after_fsync.py`` records the order of all fsyncs and outgoing bytes.

Other threads reach the hub through ``soon`` alone, its one inbox. A call that really blocks (a socket of another
program's library, a slow file) runs on a thread of a bounded pool (``elsewhere``), and its task waits for it.
"""

from __future__ import annotations

import ctypes
import heapq
import logging
import sys
import threading
import time
import traceback
from bisect import bisect_left
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from itertools import count
from queue import Empty, SimpleQueue
from threading import get_ident
from typing import Any, NamedTuple, TypeVar

from greenlet import getcurrent, greenlet

from workflows.hub.deferred import Deferred, Resolvable

log = logging.getLogger(__name__)

T = TypeVar("T")

TURN_WORK_S = 0.010
"""After so much work a turn commits although more is ready, so that no task waits long for its durability."""

TURN_BOUNDS_S = (0.010, 0.025, 0.050, 0.100, 0.250, 1.0, 3.0)
"""Upper bounds by which turns are counted. The last is the time after which the watch logs a turn."""

THREADS_MAX = 32
"""Blocking calls at once. They wait for the network; one more waits in the queue of the pool."""


class TurnTimes(NamedTuple):
    """``by_bound`` counts turns by the smallest of ``TURN_BOUNDS_S`` that they kept; the last number, longer ones."""

    by_bound: tuple[int, ...]
    busy_s: float
    longest_s: float


class Hub:
    """Runs tasks, timers and transactions on one thread, from the first ``soon`` until ``close``."""

    def __init__(self, name: str = "hub", *, turn_work_s: float = TURN_WORK_S) -> None:
        """``turn_work_s``: how long a turn runs calls before it commits although more are ready."""
        self._ready: deque[Callable[[], object]] = deque()
        self._inbox: SimpleQueue[Callable[[], object]] = SimpleQueue()
        self._before_commit: dict[Callable[[], object], None] = {}
        self._commits: dict[Callable[[], object], None] = {}
        self._timers: list[tuple[float, int, Callable[[], object]]] = []
        self._timer_numbers = count()
        self._pool: ThreadPoolExecutor | None = None
        self._name = name
        self._closing = False
        self._turn_work_s = turn_work_s
        self._turn_began_s = 0.0
        self.turns = 0
        """Turns that began so far. A number that stands still while ``is_busy`` means that one call holds the hub."""
        self._turns_by_bound = [0] * (len(TURN_BOUNDS_S) + 1)
        self._busy_s = self._longest_turn_s = 0.0
        self._calling = False
        self._loop: greenlet | None = None
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._ident = 0  # until the thread runs
        self._thread.start()

    # --- from any thread -------------------------------------------------------------------------------------------

    @property
    def is_here(self) -> bool:
        """Whether the caller runs on the hub's thread."""
        return get_ident() == self._ident

    def soon(self, call: Callable[[], object]) -> None:
        """Run ``call`` on the hub, after what is ready. It must be short and must not wait."""
        if get_ident() == self._ident:
            self._ready.append(call)
        else:
            self._inbox.put(call)

    def call(self, call: Callable[[], object]) -> None:
        """Run ``call`` now if this is the hub's thread; otherwise as ``soon``."""
        if get_ident() == self._ident:
            call()
        else:
            self.soon(call)

    def spawn(self, code: Callable[[], object]) -> None:
        """Run ``code`` as a task. It may wait, and handles its own errors: the hub only logs them."""
        self.soon(lambda: greenlet(lambda: _logging_errors(code)).switch())

    def turn_times(self) -> TurnTimes:
        """Return how long turns took since the start: their calls, and the transaction with its fsync."""
        return TurnTimes(tuple(self._turns_by_bound), self._busy_s, self._longest_turn_s)

    @property
    def is_busy(self) -> bool:
        """Whether the hub is inside a call, as opposed to waiting for arrivals."""
        return self._calling

    def interrupt(self, error: type[BaseException]) -> None:
        """Raise ``error`` in the call that holds the hub, as soon as it runs Python code again."""
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(self._thread.ident or 0), ctypes.py_object(error))

    def stack(self) -> str:
        """Return the lines of code that the hub's thread is in now, without values."""
        frame = sys._current_frames().get(self._thread.ident or 0)
        return "".join(traceback.format_stack(frame)) if frame else ""

    def ask(self, code: Callable[[], T], timeout_s: float | None = None) -> T:
        """Run ``code`` as a task and return its result, or raise what it raised. Raises TimeoutError."""
        answer: Deferred[T] = Deferred()
        self.spawn(lambda: _resolve(answer, code))
        return wait(answer, timeout_s)

    def close(self) -> None:
        """Finish the turn under way and everything that is ready, then stop. Idempotent."""
        if self._thread.is_alive():
            self.soon(self._close)
            self._thread.join()
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)

    # --- on the hub's thread ---------------------------------------------------------------------------------------

    def before_commit(self, call: Callable[[], object]) -> None:
        """Run ``call`` once in this turn, when nothing is ready any more and before the turn's transactions."""
        self._before_commit[call] = None

    def commit(self, transaction: Callable[[], object]) -> None:
        """Run ``transaction`` once, as the last thing of this turn."""
        self._commits[transaction] = None

    def after(self, seconds: float, call: Callable[[], object]) -> None:
        """Run ``call`` on the hub once ``seconds`` have passed on the monotonic clock."""
        heapq.heappush(self._timers, (time.monotonic() + seconds, next(self._timer_numbers), call))

    def elsewhere(self, call: Callable[[], T]) -> T:
        """Run a call that blocks on a thread of the pool while the task waits. Raises what the call raises."""
        if self._pool is None:
            self._pool = ThreadPoolExecutor(THREADS_MAX, thread_name_prefix=f"{self._name} elsewhere")
        return wait(self._pool.submit(copy_context().run, call))

    # --- the loop --------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        self._ident = get_ident()
        self._loop = getcurrent()
        _here.hub = self
        while not (self._closing and self._is_idle):
            self._take_arrivals()
            self.turns += 1
            self._calling = True
            began_s = time.monotonic()
            while self._ready and not self._is_late:
                _logging_errors(self._ready.popleft())
            if self._before_commit:
                gathered, self._before_commit = self._before_commit, {}
                _run_all(gathered)
            if self._is_late or not self._ready:
                commits, self._commits = self._commits, {}
                _run_all(commits)
                self._turn_began_s = time.monotonic()
            self._calling = False
            self._count_turn(time.monotonic() - began_s)

    def _count_turn(self, took_s: float) -> None:
        self._turns_by_bound[bisect_left(TURN_BOUNDS_S, took_s)] += 1
        self._busy_s += took_s
        self._longest_turn_s = max(self._longest_turn_s, took_s)

    @property
    def _is_idle(self) -> bool:
        return not (self._ready or self._before_commit or self._commits)

    @property
    def _is_late(self) -> bool:
        return time.monotonic() > self._turn_began_s + self._turn_work_s

    def _take_arrivals(self) -> None:
        """Move what other threads sent, and the timers that are due, to what is ready; wait if the hub is idle."""
        may_wait = self._is_idle and not self._closing
        try:
            arrival = self._inbox.get(block=may_wait, timeout=self._idle_s() if may_wait else None)
            if may_wait:
                self._turn_began_s = time.monotonic()
            while True:
                self._ready.append(arrival)
                arrival = self._inbox.get_nowait()
        except Empty:
            pass
        while self._timers and self._timers[0][0] <= time.monotonic():
            self._ready.append(heapq.heappop(self._timers)[2])

    def _idle_s(self) -> float | None:
        return max(0.0, self._timers[0][0] - time.monotonic()) if self._timers else None

    def _close(self) -> None:
        self._closing = True

    def _park(self) -> None:
        """Run other tasks until one of them switches back to this one."""
        assert self._loop is not None, "tasks run after the loop began"
        if getcurrent() is self._loop:
            raise RuntimeError("a callback of the hub cannot wait: make it a task with spawn()")
        self._loop.switch()


class _Here(threading.local):
    hub: Hub | None = None


_here = _Here()


def wait(future: Resolvable[T], timeout_s: float | None = None) -> T:
    """Return the future's result, or raise its exception.

    In a task the hub runs others meanwhile; in any other thread the thread blocks. A task ignores ``timeout_s``: what
    it waits for is resolved by the hub itself.
    """
    hub = _here.hub
    if hub is not None and not future.done():
        task = getcurrent()
        future.add_done_callback(lambda _: hub.soon(task.switch))
        hub._park()
    return future.result(timeout_s)


def sleep(seconds: float) -> None:
    """Let so much time pass. In a task the hub runs others meanwhile; in any other thread the thread sleeps."""
    hub = _here.hub
    if hub is None:
        time.sleep(seconds)
    elif seconds > 0:
        hub.after(seconds, getcurrent().switch)
        hub._park()


def _resolve(future: Deferred[Any], code: Callable[[], Any]) -> None:
    try:
        future.set_result(code())
    except BaseException as error:
        future.set_exception(error)


def _run_all(calls: dict[Callable[[], object], None]) -> None:
    for call in calls:
        _logging_errors(call)


def _logging_errors(call: Callable[[], object]) -> None:
    """Keep one task's or callback's error from stopping the others. A part that cannot go on stops itself first."""
    try:
        call()
    except BaseException as error:  # a SystemExit of a handler must not end the thread either
        log.critical("a call on the hub failed: %s", error, exc_info=error)
