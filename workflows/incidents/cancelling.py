"""Cancel an order, or work out what that would do."""

from __future__ import annotations

from domain.order.commands import CancelOrder
from workflows.event_store.event_log import EventLog
from workflows.incidents.acting import preview
from workflows.incidents.plans import Plan
from workflows.orders import requests
from workflows.orders.command_handling import Handled
from workflows.orders.requests import OrderRequest


def cancel(log: EventLog, request: OrderRequest, reason: str, *, dry_run: bool) -> Handled | Plan:
    """Request the cancellation of the order, or plan it in a dry run. Raises as every request."""
    if dry_run:
        return preview(log, request, CancelOrder(by=request.caller.actor, reason=reason))
    return requests.cancel(log, request, reason)
