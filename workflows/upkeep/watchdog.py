"""The watchdog: no order waits unseen. It finds who exceeded the time budget of what it waits for, and gets it going.

It works on the view of open orders. In one round an order that is overdue hears the doorbell: its run is started by its
name, which does nothing if it ever was, and the log is read for whom it answers. If it is still overdue a round later,
a new run starts; after ``RUNS_MAX`` of those it is parked, for a person to look. Parked orders and those within budget
are left alone. The view itself is compared with the log once a day, so that an order whose message was lost is found; a
log is long, so that goes on for a while in each round until the whole was seen.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
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
from workflows.breakers.circuit import State
from workflows.breakers.dependencies import Dependency
from workflows.clock import timestamp
from workflows.engine import Engine
from workflows.event_store.commits import Commit, History
from workflows.event_store.documents import Document, DocumentChanged, DocumentsUnavailable
from workflows.event_store.event_log import Place, StreamUnavailable
from workflows.event_store.streams import order_id_in
from workflows.event_store.transact import PreconditionFailed
from workflows.executions import ExecutionsUnavailable
from workflows.orders.command_handling import Caller, handle, load
from workflows.projections.open_orders import AwaitedNow, OpenOrder, open_order, open_orders, refresh
from workflows.sagas import circuit_waits
from workflows.sagas.runs import start_run
from workflows.sagas.waits import waits_of, wake
from workflows.time_budgets import CIRCUIT_WAIT, Awaiting, Budgets

_log = logging.getLogger(__name__)

ROUND = timedelta(minutes=1)
"""How often it looks: the shortest schedule of EventBridge. What a doorbell is good for shows within it."""

RUNS_MAX = 3
"""New runs between two decisions of a person. What three did not help, a fourth does not."""

CHECK_EVERY = timedelta(days=1)
CHECK_FOR = timedelta(seconds=20)
"""How long a round goes on comparing the view with the log: with a scan of 10 MB/s, 288 GB a day."""

PARKED_AS = "Stuck"
"""The name of the incident."""


@dataclass(slots=True)
class Round:
    """What one round did, by order. ``failed`` could not be read or written this time; the next round tries again."""

    overdue: int = 0
    rung: list[OrderId] = field(default_factory=list)
    restarted: list[OrderId] = field(default_factory=list)
    parked: list[OrderId] = field(default_factory=list)
    failed: list[OrderId] = field(default_factory=list)


def watch(engine: Engine, order_machine: str, budgets: Budgets) -> Round:
    """One round over all open orders. May run in several processes at once: what one did, the other finds done."""
    now, done = engine.clock.now(), Round()
    for row in open_orders(engine.documents):
        if row.overdue(now) is not None:
            done.overdue += 1
            try:
                _look_after(engine, row.order_id, order_machine, budgets, done)
            except Exception:  # one order that cannot be read must not hide the others
                _log.exception("the watchdog could not look after order %s", row.order_id)
                done.failed.append(row.order_id)
    return done


def check_view(engine: Engine, order_machine: str, budgets: Budgets) -> list[OrderId] | None:
    """If it is time, compare the view with the log, from where the last round came to. None when it is not time.

    Returns the orders that were missing: their message was lost, so their run is started by its name, too.
    """
    kept, now = engine.documents.get(*_CHECK), engine.clock.now()
    if kept is not None and kept.body["ended_at"]:
        if now < datetime.fromisoformat(kept.body["began_at"]) + CHECK_EVERY:
            return None
        begun: dict[str, Any] = {}
    else:
        begun = dict(kept.body) if kept is not None else {}
    looking = _Look(engine, begun.get("after"))
    found = [order_id for order_id in looking.behind() if _looked_at(engine, order_id, order_machine, budgets)]
    ended_at = None if looking.after else timestamp(engine.clock.now())
    body = {"began_at": begun.get("began_at", timestamp(now)), "after": looking.after, "ended_at": ended_at}
    with suppress(DocumentChanged):  # another timer looked at the same, and says how far it came
        engine.documents.put(Document(*_CHECK, body), None if kept is None else kept.version)
    return found


# --- one order --------------------------------------------------------------------------------------------------------


def _look_after(engine: Engine, order_id: OrderId, machine: str, budgets: Budgets, done: Round) -> None:
    row = refresh(engine, order_id, budgets)
    found = None if row is None else row.overdue(engine.clock.now())
    if row is None or found is None or _at_a_circuit(engine, row):
        return
    late = _since_it_had_a_chance(engine, found)
    if not late.overdue(engine.clock.now()):
        return
    history, order = load(engine.log, order_id)
    answered = _is_answered(engine, order)
    ring(engine, order, machine)
    if answered or engine.clock.now() <= _rung_until(late):
        done.rung.append(order_id)
    elif _runs_tried(history) < RUNS_MAX:
        reason = f"it waited for {late.what} since {timestamp(late.since)}"
        command = StartRun(run=order.run + 1, by=SYSTEM, reason=reason)
        if _decided(engine, history, order, command):
            done.restarted.append(order_id)
    elif _decided(engine, history, order, _park(order, late)):
        done.parked.append(order_id)


def ring(engine: Engine, order: Order, order_machine: str) -> None:
    """What the feed should have done: the run is started, and who waits for what the log says is woken."""
    start_run(engine, order.order_id, order.run, order_machine)
    wake(engine, order.order_id)


def _rung_until(late: AwaitedNow) -> datetime:
    """Past its budget an order hears the doorbell for a round before anything else is done."""
    return late.since + timedelta(seconds=late.budget_s) + ROUND


def _at_a_circuit(engine: Engine, row: OpenOrder) -> bool:
    """Whether its run stands at an open circuit, or in the paced queue behind one that has closed."""
    now = engine.clock.now()
    waits = circuit_waits.waits_of(engine.documents, row.order_id)
    return any(wait.run == row.run and now <= wait.since + CIRCUIT_WAIT for wait in waits)


def _since_it_had_a_chance(engine: Engine, late: AwaitedNow) -> AwaitedNow:
    """The clock of a wait begins to run when the circuit of those it needs has closed."""
    circuits = [engine.breakers[dependency].read() for dependency in _NEEDS.get(late.what, ())]
    closed = [circuit.since for circuit in circuits if circuit.state is State.CLOSED]
    return replace(late, since=max([late.since, *closed]))


_NEEDS = {
    Awaiting.AUTHORIZATION: (Dependency.PAYMENTS,),
    Awaiting.ACCEPTANCE: (Dependency.KITCHEN,),
    Awaiting.ASSIGNMENT: (Dependency.COURIERS,),
    Awaiting.SETTLEMENT: tuple(Dependency),
    Awaiting.COMPENSATION: tuple(Dependency),
}
"""Who has to be up for what."""


def _is_answered(engine: Engine, order: Order) -> bool:
    """Whether the doorbell wakes somebody: then the order is given a round to move."""
    waits = waits_of(engine.documents, order.order_id)
    return any(
        answer(order, wait.awaited, wait.intent_version) is not Answer.NONE for wait in waits if wait.run == order.run
    )


def _runs_tried(history: History) -> int:
    """Runs that the watchdog started since a person last did, or since the beginning."""
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


def _decided(engine: Engine, history: History, order: Order, command: Command) -> bool:
    """Only on what was looked at: if the order moved meanwhile, it needs nobody."""
    key = f"{_KEY}{type(command).__name__}/{order.run}"
    caller = Caller(SYSTEM, correlation=order.order_id, causation="watchdog")
    try:
        handle(engine.log, command, order_id=order.order_id, key=key, caller=caller, loaded=history)
    except (PreconditionFailed, Rejected):
        return False
    return True


# --- the view against the log -----------------------------------------------------------------------------------------

_CHECK = ("watchdog", "view-check")


class _Look:
    """One round's look at the log, from ``after`` on. Then ``after`` is where it came to; None: to the end."""

    def __init__(self, engine: Engine, after: Sequence[Any] | None) -> None:
        self.after: Place | None = (str(after[0]), int(after[1])) if after else None
        self._engine = engine

    def behind(self) -> Iterator[OrderId]:
        """Orders whose row is missing or older than their stream. Their events are not decoded: a scan is long."""
        known = {row.order_id: row.version for row in open_orders(self._engine.documents)}
        until = self._engine.clock.now() + CHECK_FOR
        for stream, commits in groupby(self._engine.log.scan(self.after), key=lambda commit: commit.pk):
            *_, last = commits
            self.after = (last.pk, last.sk)
            order_id = order_id_in(stream)
            if order_id is not None and _is_behind(known.get(order_id), last):
                yield order_id
            if self._engine.clock.now() > until:  # at least one stream a round, or none would ever be the last
                return
        self.after = None


class _Event(msgspec.Struct):
    t: str


class _Events(msgspec.Struct):
    e: list[_Event]


def _is_behind(known: int | None, last: Commit) -> bool:
    """Whether the view has less than the stream, by the stream's last commit. So it is where nobody can tell."""
    try:
        return not _ends(last) if known is None else known < last.sk + last.size - 1
    except (msgspec.DecodeError, IndexError):
        return True


def _ends(commit: Commit) -> bool:
    return msgspec.json.decode(commit.ev, type=_Events).e[-1].t in _ENDS


_ENDS = {end.__name__ for end in (OrderCancelled, OrderCompleted, OrderAbandoned)}


def _looked_at(engine: Engine, order_id: OrderId, order_machine: str, budgets: Budgets) -> bool:
    """As ``_repaired``. An order that cannot be read keeps no other from being looked at, and stops no clock."""
    try:
        return _repaired(engine, order_id, order_machine, budgets)
    except (StreamUnavailable, DocumentsUnavailable, ExecutionsUnavailable):
        raise  # nobody can be looked at: the next round goes on from here
    except Exception:
        _log.exception("the watchdog could not compare order %s with the view", order_id)
        return False


def _repaired(engine: Engine, order_id: OrderId, order_machine: str, budgets: Budgets) -> bool:
    """True for an order that the view did not have, and has now."""
    missing = open_order(engine.documents, order_id) is None
    if refresh(engine, order_id, budgets) is None or not missing:
        return False
    _, order = load(engine.log, order_id)
    if order.run_state is RunState.RUNNING:
        ring(engine, order, order_machine)
    return True
