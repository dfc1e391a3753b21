"""The runs of an order: what began each, the executions that the engine has for it, and what these did.

The log is read before the executions and again after them: ``differences`` compares each with the other only where
one must know what the other shows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from domain.identifiers import Actor, OrderId
from domain.order.order import Order
from workflows.engine import Engine
from workflows.event_store.commits import History, RecordedEvent
from workflows.executions import DescribedExecution, ExecutionReads, ExecutionsUnavailable, NoSuchExecution
from workflows.orders.command_handling import load
from workflows.orders.permissions import Action, check
from workflows.runs.machines import MachineName, Machines, execution_name, machine_of, order_of
from workflows.runs.visits import Visit, visits
from workflows.sagas.runs import run_begun

EVENTS_MAX = 1000
"""Events of an execution that are read: one page. An order's execution has some sixty; many attempts add to them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadExecution:
    """An execution and the states that it entered.

    Attributes:
        name: Its name, which is its id in the API; None for an execution of an Express machine, which has no history.
        whole: Whether ``visits`` has all states that it entered until it was read.
    """

    machine: MachineName
    name: str | None
    described: DescribedExecution
    visits: tuple[Visit, ...]
    whole: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRun:
    """A run of an order.

    Attributes:
        began: The event that began it.
        executions: None if they were not read; empty if the engine has none.
    """

    run: int
    began: RecordedEvent
    executions: tuple[ReadExecution, ...] | None

    @property
    def parent(self) -> ReadExecution | None:
        """The execution of the order machine."""
        return next((each for each in self.executions or () if each.machine is MachineName.ORDER), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRuns:
    """All runs of an order, the oldest first, and its log before and after their executions were read."""

    runs: tuple[OrderRun, ...]
    before: History
    after: History
    order: Order
    read_at: datetime


Begun: TypeAlias = tuple[int, RecordedEvent]


def read_runs(engine: Engine, order_id: OrderId, actor: Actor, machines: Machines, *, newest: int) -> OrderRuns:
    """Read the runs of an order.

    Args:
        newest: Of how many runs, from the last one back, the executions are read.

    Raises:
        OrderNotFound, NotAllowed: As of ``check``.
        ExecutionsUnavailable: Retryable.
    """
    before, order = load(engine.log, order_id)
    check(actor, Action.READ_RUNS, order)
    reads = reads_of(engine)
    begun = list(_begun(before))
    runs = [
        OrderRun(
            run=run,
            began=began,
            executions=tuple(_executions(reads, machines, order_id, run)) if run > len(begun) - newest else None,
        )
        for run, began in begun
    ]
    after, order = load(engine.log, order_id)
    return OrderRuns(runs=tuple(runs), before=before, after=after, order=order, read_at=engine.clock.now())


def reads_of(engine: Engine) -> ExecutionReads:
    """Return what reads executions."""
    assert engine.execution_reads is not None  # every deployment that serves these routes has them
    return engine.execution_reads


def read_execution(reads: ExecutionReads, machines: Machines, name: str) -> ReadExecution:
    """Read an execution of an order. Raises NoSuchExecution."""
    machine = machine_of(name)
    described = reads.describe(machine=machines[machine], name=name)
    page = reads.history(machine=machines[machine], name=name, limit=EVENTS_MAX, reverse=False, cursor=None)
    return ReadExecution(
        machine=machine, name=name, described=described, visits=tuple(visits(page.events)), whole=page.next is None
    )


def newest_visits(engine: Engine, order_id: OrderId, run: int, machines: Machines) -> tuple[Visit, ...]:
    """Return the states that the executions of a run entered; none if they cannot be read now, or not in this process.

    Args:
        run: The number of the run.
    """
    if engine.execution_reads is None:
        return ()
    try:
        executions = list(_executions(engine.execution_reads, machines, order_id, run))
    except ExecutionsUnavailable:
        return ()
    return tuple(visit for execution in executions for visit in execution.visits)


def _begun(history: History) -> Iterator[Begun]:
    for recorded in history.recorded:
        run = run_begun(recorded.event)
        if run is not None:
            yield run, recorded


def _executions(reads: ExecutionReads, machines: Machines, order_id: OrderId, run: int) -> Iterator[ReadExecution]:
    try:
        parent = read_execution(reads, machines, execution_name(order_id, run))
    except NoSuchExecution:
        return
    yield parent
    for visit in parent.visits:
        if visit.starts is not None and order_of(visit.starts) == order_id:
            try:
                yield read_execution(reads, machines, visit.starts)
            except NoSuchExecution:  # it is about to start
                continue
        elif visit.action == "authorize" and "ExecutionArn" in (visit.output or {}) and visit.exited_at is not None:
            yield _express(visit, visit.exited_at)


def _express(visit: Visit, stopped_at: datetime) -> ReadExecution:
    """Return the payment execution that a state waited for, as the result of its task shows it."""
    result = visit.output
    described = DescribedExecution(
        arn=str(result.get("ExecutionArn", "")),
        status=str(result.get("Status", "")),
        started_at=visit.entered_at,
        stopped_at=stopped_at,
        error=str(result.get("Error", "")),
        cause=str(result.get("Cause", "")),
        definition=None,
    )
    return ReadExecution(machine=MachineName.PAYMENT, name=None, described=described, visits=(), whole=False)
