"""Actions of support on one order: decided on the newest version, recorded once, or only planned in a dry run."""

from __future__ import annotations

from collections.abc import Callable

from domain.order.commands import Command
from domain.order.order import Order, RunState
from workflows.event_store.commits import History
from workflows.event_store.event_log import EventLog
from workflows.incidents.plans import Plan, plan
from workflows.incidents.refusals import NotAnIncident
from workflows.orders.command_handling import Handled, KeyedCommand, fold, load
from workflows.orders.permissions import check
from workflows.orders.requests import OrderRequest, request_key, transact_request


def act(
    log: EventLog,
    request: OrderRequest,
    command_for: Callable[[Order], Command],
    body: object,
    dry_run: bool,
    *,
    parked_only: bool = True,
    further: tuple[object, ...] = (),
) -> Handled | Plan:
    """Decide and record the command of an action, or plan it in a dry run.

    Args:
        command_for: Make the command for the order as it is when the action is decided.
        body: Identifies a request without an Idempotency-Key, within one run of the order.
        parked_only: Refuse an order that is not parked.
        further: Parameters that the command does not carry; a repeated request must have the same.
    """

    def basis(history: History, order: Order) -> tuple[str, Order]:
        """Return the key of the request, and the order as it was when the first attempt under this key was decided."""
        check(request.caller.actor, request.action, order)
        key = request_key(request, (order.run, body))
        earlier = history.keys.get(key)
        if earlier is not None:
            return key, fold(request.order_id, history.events[: earlier.first - 1])
        if parked_only and order.run_state is not RunState.PARKED:
            raise NotAnIncident(request.order_id)
        return key, order

    def prepare(history: History, order: Order) -> KeyedCommand:
        key, decided_on = basis(history, order)
        command = command_for(decided_on)
        return KeyedCommand(command=lambda: command, request=command, key=key, further=further)

    if not dry_run:
        return transact_request(log, request, prepare)
    _, decided_on = basis(*load(log, request.order_id))
    return plan(command_for(decided_on), decided_on)


def preview(log: EventLog, request: OrderRequest, command: Command, *, parked_only: bool = False) -> Plan:
    """Plan a command whose request has a key of its own. Raises OrderNotFound, NotAllowed, NotAnIncident."""
    _, order = load(log, request.order_id)
    check(request.caller.actor, request.action, order)
    if parked_only and order.run_state is not RunState.PARKED:
        raise NotAnIncident(request.order_id)
    return plan(command, order)
