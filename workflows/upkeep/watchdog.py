"""The watchdog: it finds orders whose waits exceeded their time budget, and gets them going again.

It reads the view of open orders. In one round an overdue order is notified: the execution of its run is started, which
has no effect if it was started before, and every task is woken whose answer is in the log. If the order is still
overdue a round later, a new run starts; after ``RUNS_MAX`` of those the order is parked and becomes an incident.
Parked orders and orders within their budget are left alone.

The view itself is compared with the log once a day, so that an order whose commit was never delivered is found. A log
is long, so each round compares a part of it until all of it was read.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

import msgspec

from domain.identifiers import SYSTEM, OrderId
from domain.order.commands import Command, ParkOrder, StartRun
from domain.order.events import OrderAbandoned, OrderCancelled, OrderCompleted, RunStarted
from domain.order.order import Order, RunState
from domain.order.questions import Answer, answer
from domain.order.refusals import Rejected
from workflows.breakers.circuit import CircuitState
from workflows.breakers.dependencies import Dependency
from workflows.clock import timestamp
from workflows.engine import Engine
from workflows.event_store.commits import Commit, History
from workflows.event_store.documents import Document, DocumentChanged, DocumentsUnavailable, body_as
from workflows.event_store.event_log import Place, StreamUnavailable
from workflows.event_store.segments import is_pointer
from workflows.event_store.streams import order_id_in
from workflows.event_store.transact import PreconditionFailed
from workflows.executions import ExecutionsUnavailable
from workflows.orders.command_handling import for_order, handle, load
from workflows.orders.waiting import AwaitedNow
from workflows.projections.open_orders import OpenOrder, open_order, open_orders, refresh, stored_rows
from workflows.sagas import circuit_waits
from workflows.sagas.runs import start_run
from workflows.sagas.waits import waits_of, wake
from workflows.time_budgets import CIRCUIT_WAIT, Awaiting
from workflows.upkeep.settings import UpkeepSettings

_log = logging.getLogger(__name__)

ROUND = timedelta(minutes=1)
"""Between two rounds: the shortest schedule of EventBridge. A notification that helps takes effect within it."""

RUNS_MAX = 3
"""New runs that the watchdog starts for an order before it parks it."""

CHECK_EVERY = timedelta(days=1)
CHECK_FOR = timedelta(seconds=20)
"""How long one round compares the view with the log. At 10 MB/s that is 288 GB a day."""

PARKED_AS = "Stuck"
"""The error name of the incident."""


@dataclass(slots=True)
class WatchdogRound:
    """What one round did, by order. ``failed`` orders could not be read or written; the next round tries again."""

    overdue: int = 0
    notified: list[OrderId] = field(default_factory=list)
    restarted: list[OrderId] = field(default_factory=list)
    parked: list[OrderId] = field(default_factory=list)
    failed: list[OrderId] = field(default_factory=list)


def watch(engine: Engine, settings: UpkeepSettings) -> WatchdogRound:
    """Make one round over all open orders. Several processes may do so at once: no order is restarted twice.

    A row that another version of Expediter wrote in another shape is recomputed, so that an upgrade loses no order.
    """
    now, done = engine.clock.now(), WatchdogRound()
    for order_id, row in stored_rows(engine.documents):
        try:
            if row is None:
                _refresh_and_start(engine, order_id, settings)
            elif row.overdue(now) is not None:
                done.overdue += 1
                _act_on_overdue(engine, order_id, settings, done)
        except Exception:  # one order must not stop the round for the others
            _log.exception("the watchdog could not read or restart order %s", order_id)
            done.failed.append(order_id)
    return done


def check_rows(engine: Engine, settings: UpkeepSettings) -> list[OrderId] | None:
    """Compare the view with the log if it is time, from where the last round stopped.

    Returns:
        The orders that had no row. Their commits were never delivered, so their runs are started too. None if the
        comparison was not due.
    """
    stored, now = engine.documents.get(*_CHECK), engine.clock.now()
    progress = body_as(stored, _CheckProgress) or _CheckProgress(began_at=now, after=None, ended_at=None)
    if progress.ended_at is not None:
        if now < progress.began_at + CHECK_EVERY:
            return None
        progress = _CheckProgress(began_at=now, after=None, ended_at=None)
    comparison = _RowComparison(engine, progress.after)
    missing = [order_id for order_id in comparison.outdated() if _was_missing(engine, order_id, settings)]
    ended_at = None if comparison.after else engine.clock.now()
    body: dict[str, Any] = msgspec.to_builtins(replace(progress, after=comparison.after, ended_at=ended_at))
    with suppress(DocumentChanged):  # another process compared the same part, and recorded how far it came
        engine.documents.put(Document(*_CHECK, body), None if stored is None else stored.version)
    return missing


# --- one order --------------------------------------------------------------------------------------------------------


def _act_on_overdue(engine: Engine, order_id: OrderId, settings: UpkeepSettings, done: WatchdogRound) -> None:
    """Notify, restart or park an order, if it is still overdue now that its row was recomputed."""
    row = refresh(engine, order_id, settings.budgets)
    oldest = None if row is None else row.overdue(engine.clock.now())
    if row is None or oldest is None or _waits_for_circuit(engine, row):
        return
    late = _since_circuit_closed(engine, oldest)
    if not late.overdue(engine.clock.now()):
        return
    history, order = load(engine.log, order_id)
    answered = _has_answered_wait(engine, order)
    notify(engine, history, order, settings.order_machine)
    if answered or engine.clock.now() <= _notified_until(late):
        done.notified.append(order_id)
    elif _runs_tried(history) < RUNS_MAX:
        reason = f"it waited for {late.what} since {timestamp(late.since)}"
        command = StartRun(run=order.run + 1, by=SYSTEM, reason=reason)
        if _record(engine, history, order, command):
            done.restarted.append(order_id)
    elif _record(engine, history, order, _park(order, late)):
        done.parked.append(order_id)


def notify(engine: Engine, history: History, order: Order, order_machine: str) -> None:
    """Do what the order's last commit should have caused: start its run, and wake tasks whose answer is in the log."""
    start_run(engine, history, order.order_id, order.run, order_machine)
    wake(engine, order.order_id)


def _notified_until(late: AwaitedNow) -> datetime:
    """Return until when an overdue order is only notified: one round past its budget."""
    return late.since + timedelta(seconds=late.budget_s) + ROUND


def _waits_for_circuit(engine: Engine, row: OpenOrder) -> bool:
    """Whether its run waits for an open circuit, or to be released by a closed one."""
    now = engine.clock.now()
    waits = circuit_waits.waits_of(engine.documents, row.order_id)
    return any(wait.run == row.run and now <= wait.since + CIRCUIT_WAIT for wait in waits)


def _since_circuit_closed(engine: Engine, late: AwaitedNow) -> AwaitedNow:
    """Return the wait as it counts from when the circuits of the providers that it needs last closed."""
    circuits = [engine.breakers[dependency].read() for dependency in _NEEDS.get(late.what, ())]
    closed = [circuit.since for circuit in circuits if circuit.state is CircuitState.CLOSED]
    return replace(late, since=max([late.since, *closed]))


_NEEDS = {
    Awaiting.AUTHORIZATION: (Dependency.PAYMENTS,),
    Awaiting.ACCEPTANCE: (Dependency.KITCHEN,),
    Awaiting.ASSIGNMENT: (Dependency.COURIERS,),
    Awaiting.SETTLEMENT: tuple(Dependency),
    Awaiting.COMPENSATION: tuple(Dependency),
}
"""The providers that must be reachable for each wait to end."""


def _has_answered_wait(engine: Engine, order: Order) -> bool:
    """Whether notifying the order wakes a task. Then the order gets a round to continue."""
    waits = waits_of(engine.documents, order.order_id)
    return any(
        answer(order, wait.awaited, wait.intent_version) is not Answer.NONE for wait in waits if wait.run == order.run
    )


def _runs_tried(history: History) -> int:
    """Count the runs that the watchdog started since a person last started one, or since the order was placed."""
    tried = 0
    for recorded in reversed(history.recorded):
        if isinstance(recorded.event, RunStarted) and recorded.key.startswith(_KEY):
            tried += 1
        elif isinstance(recorded.event, RunStarted) and recorded.event.by != SYSTEM:
            break
    return tried


def _park(order: Order, late: AwaitedNow) -> ParkOrder:
    detail = f"waits for {late.what} since {timestamp(late.since)}; {RUNS_MAX} new runs did not help"
    compensating = order.cancellation is not None
    return ParkOrder(run=order.run, error=PARKED_AS, detail=detail, compensating=compensating)


_KEY = "Watchdog/"


def _record(engine: Engine, history: History, order: Order, command: Command) -> bool:
    """Decide the command on the history that was read, and only on that. False if the order changed meanwhile."""
    key = f"{_KEY}{type(command).__name__}/{order.run}"
    caller = for_order("watchdog")
    try:
        handle(engine.log, command, order_id=order.order_id, key=key, caller=caller, loaded=history)
    except (PreconditionFailed, Rejected):
        return False
    return True


# --- the view against the log -----------------------------------------------------------------------------------------

_CHECK = ("watchdog", "view-check")


@dataclass(frozen=True, slots=True, kw_only=True)
class _CheckProgress:
    """How far the comparison came: ``after`` is the last commit that was compared, None at the end of the log."""

    began_at: datetime
    after: Place | None
    ended_at: datetime | None


class _RowComparison:
    """One round's comparison of the view with the log, beginning at ``after``.

    At the end ``after`` is the last commit that was read, or None if that was the end of the log.
    """

    def __init__(self, engine: Engine, after: Place | None) -> None:
        self.after = after
        self._engine = engine

    def outdated(self) -> Iterator[OrderId]:
        """Yield the orders whose row is missing or older than their stream. To be fast, events are not decoded."""
        versions = {row.order_id: row.version for row in open_orders(self._engine.documents)}
        until = self._engine.clock.now() + CHECK_FOR
        for stream, commits in groupby(self._engine.log.scan(self.after, contents=False), key=lambda commit: commit.pk):
            *_, last = commits
            self.after = (last.pk, last.sk)
            order_id = order_id_in(stream)
            if order_id is not None and _is_outdated(versions.get(order_id), last):
                yield order_id
            if self._engine.clock.now() > until:  # checked after a stream, so that each round makes progress
                return
        self.after = None


class _EventName(msgspec.Struct):
    t: str


class _EventNames(msgspec.Struct):
    e: list[_EventName]


def _is_outdated(version: int | None, last: Commit) -> bool:
    """Whether a row at this version includes less than the stream's last commit. True if that cannot be decoded.

    An archived order has ended and owes nothing.
    """
    if is_pointer(last.ev):
        return version is not None
    try:
        return not _ends(last) if version is None else version < last.sk + last.size - 1
    except (msgspec.DecodeError, IndexError):
        return True


def _ends(commit: Commit) -> bool:
    return msgspec.json.decode(commit.ev, type=_EventNames).e[-1].t in _ENDS


_ENDS = {end.__name__ for end in (OrderCancelled, OrderCompleted, OrderAbandoned)}


def _was_missing(engine: Engine, order_id: OrderId, settings: UpkeepSettings) -> bool:
    """Refresh the row of an order. True if it had none. An order that cannot be read does not stop the comparison."""
    try:
        return _refresh_and_start(engine, order_id, settings)
    except (StreamUnavailable, DocumentsUnavailable, ExecutionsUnavailable):
        raise  # no order can be read now: the next round continues from here
    except Exception:
        _log.exception("the watchdog could not compare order %s with the view", order_id)
        return False


def _refresh_and_start(engine: Engine, order_id: OrderId, settings: UpkeepSettings) -> bool:
    missing = open_order(engine.documents, order_id) is None
    if refresh(engine, order_id, settings.budgets) is None or not missing:
        return False
    history, order = load(engine.log, order_id)
    if order.run_state is RunState.RUNNING:
        notify(engine, history, order, settings.order_machine)
    return True
