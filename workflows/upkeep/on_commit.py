"""What happens to every commit, in the order of its stream: runs are started, who waits is woken, the views follow.

The feed may bring a commit late, or never: it failed until nobody brought it any more. The view of open orders knows up
to where each order was followed, so the runs that began in what it has not seen are started before it goes on. It reads
its row and the log anyway, so this costs nothing; and any commit of an order wakes all who wait.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from workflows.engine import Engine
from workflows.event_store.commits import Commit, RecordedEvent
from workflows.event_store.streams import order_id_in
from workflows.projections.open_orders import refresh
from workflows.sagas.runs import relay, run_begun, start_run
from workflows.time_budgets import budgets


def follow(engine: Engine, commit: Commit, environment: Mapping[str, str]) -> None:
    """Raises what the executions and the stores raise; then it is to be asked again, and does no harm."""
    order_id, machine = order_id_in(commit.pk), environment["ORDER_MACHINE"]
    if order_id is None:
        return
    started: list[int] = []

    def start_unseen(unseen: Sequence[RecordedEvent]) -> None:
        for recorded in unseen:
            run = run_begun(recorded.event)
            if run is not None and run not in started:
                start_run(engine, order_id, run, machine)
                started.append(run)

    def follow_with_view() -> list[int]:
        refresh(engine, order_id, budgets(environment), first=start_unseen)
        return started

    relay(engine, commit, machine, catch_up=follow_with_view)
