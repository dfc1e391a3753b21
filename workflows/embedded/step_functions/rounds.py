"""The driver's thread: applies what has arrived, writes it in one transaction, and only then performs its effects.

All arrivals that are waiting make one *round*. While a round is being written, the next is applied, so the disk is
never idle and one fsync serves many callers. Effects are performed in the order of the rounds. If the journal cannot be
written, memory is ahead of the disk and must not be shown: every caller gets ``DriverStopped``.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

from workflows.embedded.step_functions.journal import Writes
from workflows.sqlite.database import Database

log = logging.getLogger(__name__)

T = TypeVar("T")

ROUND_MAX = 256
"""Arrivals in one round: bounds how long the first waits for the last."""


class DriverStopped(Exception):
    """The driver was closed, or its journal cannot be written any more.

    Retryable: with the next engine on the folder.
    """


class Refusal(Exception):
    """Raised by an arrival to refuse itself: its caller gets the exception, and the driver continues."""


@dataclass(slots=True, eq=False)
class DriverRound:
    """What one round writes, and what is done once that is durable.

    ``follow`` holds further work of this round. ``effects`` and ``answers`` wait until the round is durable,
    ``at_once`` only until all its work is applied.
    """

    writes: Writes = field(default_factory=Writes)
    follow: deque[Work] = field(default_factory=deque)
    at_once: list[Callable[[], None]] = field(default_factory=list)
    effects: list[Callable[[], None]] = field(default_factory=list)
    answers: list[tuple[Future[Any], Any]] = field(default_factory=list)
    durable: bool = False


Work = Callable[[DriverRound], object]


@dataclass(frozen=True, slots=True)
class _Arrival:
    work: Work
    answer: Future[Any] | None = None


class Rounds:
    """Takes arrivals from any thread and applies them in one thread."""

    def __init__(self, database: Database, on_break: Callable[[BaseException], None]) -> None:
        self._database = database
        self._on_break = on_break
        self._inbox: SimpleQueue[_Arrival | None] = SimpleQueue()
        self._under_way: deque[DriverRound] = deque()  # applied and not performed yet, in order
        self._gate = threading.Lock()  # after the end, nothing is put into the inbox
        self._stopped: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="driver", daemon=True)

    def begin(self) -> None:
        """Start the thread."""
        self._thread.start()

    def submit(self, work: Work, answer: Future[Any] | None = None) -> None:
        """Apply ``work`` in the next round.

        ``answer`` gets its result or its Refusal once durable. Raises DriverStopped.
        """
        with self._gate:
            if self._stopped is not None:
                raise DriverStopped(str(self._stopped)) from self._stopped
            self._inbox.put(_Arrival(work, answer))

    def run(self, work: Callable[[DriverRound], T]) -> T:
        """Apply ``work`` and wait until it is durable. Raises DriverStopped, or the Refusal of ``work``."""
        answer: Future[T] = Future()
        self.submit(work, answer)
        return answer.result()

    def close(self) -> None:
        """Apply and write what has arrived, then stop. Idempotent."""
        with self._gate:
            if self._stopped is None:
                self._stopped = DriverStopped("the engine was closed")
                self._inbox.put(None)
        if self._thread.ident is not None:
            self._thread.join()

    def _run(self) -> None:
        try:
            more = True
            while more or self._under_way:
                arrivals, is_end = self._next_arrivals()
                more = more and not is_end
                self._commit(self._apply(arrivals))
        except BaseException as error:
            self._break(error)

    def _next_arrivals(self) -> tuple[list[_Arrival], bool]:
        """Wait for arrivals and return them, and whether the end was among them."""
        arrivals: list[_Arrival] = []
        arrival = self._inbox.get()
        while arrival is not None:
            arrivals.append(arrival)
            if len(arrivals) >= ROUND_MAX:
                return arrivals, False
            try:
                arrival = self._inbox.get_nowait()
            except Empty:
                return arrivals, False
        return arrivals, True

    def _apply(self, arrivals: list[_Arrival]) -> DriverRound:
        round_ = DriverRound()
        for arrival in arrivals:
            result = _result(arrival.work, round_)
            if arrival.answer is not None:
                round_.answers.append((arrival.answer, result))
            while round_.follow:
                _result(round_.follow.popleft(), round_)
        for effect in round_.at_once:
            effect()
        return round_

    def _commit(self, round_: DriverRound) -> None:
        """Write a round. One without writes waits for those before it, because its answers may depend on them."""
        if not (round_.writes or round_.effects or round_.answers):
            return
        self._under_way.append(round_)
        if not round_.writes:
            self._perform(round_)
            return
        written = self._database.submit(round_.writes)
        written.add_done_callback(lambda done: self._inbox.put(_Arrival(lambda _: self._perform(round_, done))))

    def _perform(self, round_: DriverRound, written: Future[None] | None = None) -> None:
        if written is not None:
            written.result()  # an error stops the driver
        round_.durable = True
        while self._under_way and self._under_way[0].durable:
            ready = self._under_way.popleft()
            for effect in ready.effects:
                effect()
            for answer, result in ready.answers:
                _settle(answer, result)

    def _break(self, error: BaseException) -> None:
        log.critical("the driver stops: %s", error, exc_info=error)
        stopped = DriverStopped(f"the driver stopped: {error}")
        with self._gate:
            self._stopped = error
        while not self._inbox.empty():
            arrival = self._inbox.get()
            if arrival is not None and arrival.answer is not None:
                _settle(arrival.answer, stopped)
        for round_ in self._under_way:
            for answer, _ in round_.answers:
                _settle(answer, stopped)
        self._on_break(error)


def _result(work: Work, round_: DriverRound) -> object:
    try:
        return work(round_)
    except Refusal as refusal:
        log.debug("refused: %s", refusal)
        return refusal


def _settle(answer: Future[Any], result: object) -> None:
    if answer.done() or not answer.set_running_or_notify_cancel():
        return  # the caller cancelled
    if isinstance(result, BaseException):
        answer.set_exception(result)
    else:
        answer.set_result(result)
