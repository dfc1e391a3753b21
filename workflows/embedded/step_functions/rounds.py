"""The driver's rounds: what arrived in one turn of the hub is applied, written in the turn's transaction, performed.

All arrivals of a turn make one *round*. Its writes share the transaction, and so the fsync, of everything else that the
turn wrote. Its effects and answers follow once that is durable, round by round. When the journal cannot be written,
memory is ahead of the disk and nothing may be shown any more: every caller gets ``DriverStopped``.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from workflows.embedded.step_functions.journal import Writes
from workflows.hub.deferred import Deferred
from workflows.hub.hub import Hub, wait
from workflows.sqlite.database import Database

log = logging.getLogger(__name__)

T = TypeVar("T")


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
    answers: list[tuple[Deferred[Any], Any]] = field(default_factory=list)
    durable: bool = False


Work = Callable[[DriverRound], object]


@dataclass(frozen=True, slots=True)
class _Arrival:
    work: Work
    answer: Deferred[Any] | None = None


class Rounds:
    """Takes arrivals from any thread and applies them on the hub."""

    def __init__(self, database: Database, hub: Hub, on_break: Callable[[BaseException], None]) -> None:
        self._database = database
        self._hub = hub
        self._on_break = on_break
        self._inbox: deque[_Arrival] = deque()
        self._under_way: deque[DriverRound] = deque()  # applied and not performed yet, in order
        self._gate = threading.Lock()  # after the end, nothing is put into the inbox
        self._stopped: BaseException | None = None
        self._begun = False

    def begin(self) -> None:
        """Apply what has arrived and what comes."""
        self._begun = True
        self._hub.soon(self._schedule)

    def submit(self, work: Work, answer: Deferred[Any] | None = None) -> None:
        """Apply ``work`` in the next round.

        ``answer`` gets its result or its Refusal once durable. Raises DriverStopped.
        """
        with self._gate:
            if self._stopped is not None:
                raise DriverStopped(str(self._stopped)) from self._stopped
            self._inbox.append(_Arrival(work, answer))
        self._hub.call(self._schedule)

    def run(self, work: Callable[[DriverRound], T]) -> T:
        """Apply ``work`` and wait until it is durable. Raises DriverStopped, or the Refusal of ``work``."""
        answer: Deferred[T] = Deferred()
        self.submit(work, answer)
        return wait(answer)

    def close(self) -> None:
        """Apply and write what has arrived, then stop. Idempotent."""
        with self._gate:
            if self._stopped is None:
                self._stopped = DriverStopped("the engine was closed")
        if self._begun:
            ended: Deferred[None] = Deferred()
            self._hub.soon(lambda: self._end(ended))
            wait(ended)

    def _end(self, ended: Deferred[None]) -> None:
        """Resolve ``ended`` once every arrival is applied and every round is performed."""
        if self._inbox or self._under_way:
            self._hub.commit(lambda: self._hub.soon(lambda: self._end(ended)))
        else:
            ended.set_result(None)

    def _schedule(self) -> None:
        if self._begun:
            self._hub.before_commit(self._apply_arrivals)

    def _apply_arrivals(self) -> None:
        try:
            self._commit(self._apply(self._arrivals()))
        except BaseException as error:
            self._break(error)

    def _arrivals(self) -> deque[_Arrival]:
        with self._gate:
            arrivals, self._inbox = self._inbox, deque()
        return arrivals

    def _apply(self, arrivals: Iterable[_Arrival]) -> DriverRound:
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
        self._database.submit(round_.writes).add_done_callback(lambda written: self._written(round_, written))

    def _written(self, round_: DriverRound, written: Deferred[None]) -> None:
        try:
            written.result()  # an error stops the driver
            self._perform(round_)
        except BaseException as error:
            self._break(error)

    def _perform(self, round_: DriverRound) -> None:
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
        arrivals = self._arrivals()
        rounds, self._under_way = self._under_way, deque()
        for arrival in arrivals:
            if arrival.answer is not None:
                _settle(arrival.answer, stopped)
        for round_ in rounds:
            for answer, _ in round_.answers:
                _settle(answer, stopped)
        self._on_break(error)


def _result(work: Work, round_: DriverRound) -> object:
    try:
        return work(round_)
    except Refusal as refusal:
        log.debug("refused: %s", refusal)
        return refusal


def _settle(answer: Deferred[Any], result: object) -> None:
    if answer.done() or not answer.set_running_or_notify_cancel():
        return  # the caller cancelled
    if isinstance(result, BaseException):
        answer.set_exception(result)
    else:
        answer.set_result(result)
