"""Reports that support passes on: a restaurant or courier said so, and did not report it.

They are recorded as the report of the party would be, contradictions included, and beside it who said so and why.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from domain.money import Money
from domain.order.commands import OnBehalf
from domain.order.events import Fact
from workflows.event_store.event_log import EventLog
from workflows.incidents.plans import Plan, plan
from workflows.orders.command_handling import Handled, load
from workflows.orders.permissions import Action, check
from workflows.orders.requests import OrderRequest, reporting, transact_request


def pass_on(
    log: EventLog,
    request: OrderRequest,
    fact: Callable[[int, datetime], Fact],
    on_behalf: OnBehalf,
    *,
    now: datetime,
    limit: Callable[[str], Money],
    answers: int | None = None,
    dry_run: bool = False,
) -> Handled | Plan:
    """Record a report on behalf of a party, or plan it in a dry run.

    Args:
        request: Its action is that of the party, e.g. ``Action.DELIVER``.
        fact: Make the fact from the version of the intent that it answers and its time.
        limit: Return the amount in a currency up to which one person decides alone.
        answers: The ticket or offer that the report is about; the current one if None.

    Raises:
        Rejected, KeyReused, PreconditionFailed, TooManyConflicts: As for every request.
    """
    history, order = load(log, request.order_id)
    check(request.caller.actor, Action.PASS_ON, order)
    prepare = reporting(request, fact, now=now, limit=limit, answers=answers, on_behalf=on_behalf)
    if not dry_run:
        return transact_request(log, request, prepare)
    keyed = prepare(history, order)
    keyed.permit()
    return plan(keyed.command(), order)
