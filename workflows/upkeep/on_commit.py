"""What follows a commit of an order: waiting tasks are woken, runs are started, and the row of the order is refreshed.

Commits come in the order of their stream, at least once, and perhaps late. A commit that failed until Lambda stopped
delivering it never comes. Therefore each commit also makes up for earlier ones: it wakes every task whose answer is in
the log, and it starts the runs that began in any event which the order's row does not include yet.
"""

from __future__ import annotations

import logging

from domain.order.events import OrderParked
from workflows.engine import Engine
from workflows.event_store.commits import Commit
from workflows.event_store.event_log import TooManyConflicts
from workflows.event_store.streams import order_id_in
from workflows.event_store.transact import CONFLICTS_MAX
from workflows.projections.open_orders import next_row, store_row
from workflows.receipts.issuing import issue_receipts
from workflows.sagas.runs import run_begun, start_run
from workflows.sagas.waits import wake
from workflows.upkeep.settings import UpkeepSettings

_log = logging.getLogger(__name__)

PARKED = "an order was parked"
"""The message of a log line with ``order``, ``run`` and ``error``. The detail is left out: it may hold personal
data."""


def follow_commit(engine: Engine, commit: Commit, settings: UpkeepSettings) -> None:
    """Do what follows a commit; nothing if it belongs to no order. Repeating it has no further effect.

    Raises:
        TooManyConflicts: Other processes kept changing the row. Retryable, as are the errors of stores and executions.
    """
    order_id = order_id_in(commit.pk)
    if order_id is None:
        return
    wake(engine, order_id)
    started: set[int] = set()
    for _ in range(CONFLICTS_MAX):
        refreshed = next_row(engine, order_id, settings.budgets)
        events = refreshed.events_of(commit)
        for event in (*refreshed.unseen, *events):
            run = run_begun(event)
            if run is not None and run not in started:
                start_run(engine, refreshed.history, order_id, run, settings.order_machine)
                started.add(run)
        # The row is stored last: once it includes an event, no later commit starts that event's run.
        if store_row(engine.documents, refreshed):
            break
    else:
        raise TooManyConflicts(f"the row of order {order_id} is changed by too many processes at once; try again")
    issue_receipts(engine.log, engine.documents, refreshed.history, events)
    for event in events:
        if isinstance(event, OrderParked):
            _log.warning(PARKED, extra={"order": order_id, "run": event.run, "error": event.error})
