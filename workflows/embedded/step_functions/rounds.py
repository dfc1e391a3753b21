"""The driver's thread: takes what has arrived, works it in, writes it in one transaction, and only then acts.

All arrivals that are waiting make one *round*. While a round is on its way to the disk the next one is worked in, so
the disk is never idle and one fsync serves everybody; rounds are performed in their order. When the journal cannot be
written, memory is ahead of the disk and nothing may be shown any more: everybody hears ``DriverStopped``.
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
    """The driver was closed, or its journal can no longer be written. Retryable: with another engine on the folder."""


class Refusal(Exception):
    """What an arrival may raise: it is answered with it, and nothing is wrong with the driver."""


@dataclass(slots=True, eq=False)
class DriverRound:
    """What one round writes, and what happens once that is durable.

    ``follow`` is what else is worked in in this round; ``effects`` and ``answers`` wait for the disk, ``at_once``
    only for the end of the round.
    """

    writes: Writes = field(default_factory=Writes)
    follow: deque[WorkIn] = field(default_factory=deque)
    at_once: list[Callable[[], None]] = field(default_factory=list)
    effects: list[Callable[[], None]] = field(default_factory=list)
    answers: list[tuple[Future[Any], Any]] = field(default_factory=list)
    durable: bool = False


WorkIn = Callable[[DriverRound], object]


@dataclass(frozen=True, slots=True)
class _Arrival:
    work_in: WorkIn
    answer: Future[Any] | None = None


class Rounds:
    """Any thread brings arrivals; one thread works them in."""

    def __init__(self, database: Database, on_break: Callable[[BaseException], None]) -> None:
        self._database = database
        self._on_break = on_break
        self._inbox: SimpleQueue[_Arrival | None] = SimpleQueue()
        self._under_way: deque[DriverRound] = deque()  # not performed yet, in their order
        self._gate = threading.Lock()  # nothing is put into the inbox behind its end
        self._stopped: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="driver", daemon=True)

    def begin(self) -> None:
        """Work in what has arrived and what comes."""
        self._thread.start()

    def bring(self, work_in: WorkIn, answer: Future[Any] | None = None) -> None:
        """Work something in with the next round. ``answer`` gets its result, or its Refusal. Raises DriverStopped."""
        with self._gate:
            if self._stopped is not None:
                raise DriverStopped(str(self._stopped)) from self._stopped
            self._inbox.put(_Arrival(work_in, answer))

    def ask(self, work_in: Callable[[DriverRound], T]) -> T:
        """Bring something and wait until it is durable. Raises what it raised."""
        answer: Future[T] = Future()
        self.bring(work_in, answer)
        return answer.result()

    def close(self) -> None:
        """Work in what has arrived, wait for the disk, then stop. Idempotent."""
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
                self._commit(self._worked_in(arrivals))
        except BaseException as error:
            self._break(error)

    def _next_arrivals(self) -> tuple[list[_Arrival], bool]:
        """All that has arrived, once something has; and whether that was the end."""
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

    def _worked_in(self, arrivals: list[_Arrival]) -> DriverRound:
        round_ = DriverRound()
        for arrival in arrivals:
            result = _result(arrival.work_in, round_)
            if arrival.answer is not None:
                round_.answers.append((arrival.answer, result))
            while round_.follow:
                _result(round_.follow.popleft(), round_)
        for effect in round_.at_once:
            effect()
        return round_

    def _commit(self, round_: DriverRound) -> None:
        """A round without writes waits for the ones before it: what it says may rest on them."""
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
            written.result()  # raises what makes the driver stop
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


def _result(work_in: WorkIn, round_: DriverRound) -> object:
    try:
        return work_in(round_)
    except Refusal as refusal:
        log.debug("refused: %s", refusal)
        return refusal


def _settle(answer: Future[Any], result: object) -> None:
    if answer.done() or not answer.set_running_or_notify_cancel():
        return  # nobody waits
    if isinstance(result, BaseException):
        answer.set_exception(result)
    else:
        answer.set_result(result)
