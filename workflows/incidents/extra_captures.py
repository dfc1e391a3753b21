"""Extra captures: payments that the provider took without the order, e.g. because it took the money twice.

The log holds no such payment, so support names it by the provider's id, from the provider's books. A run of the order
looks it up at the provider and refunds it; what the provider does not have for this order is not refunded.
"""

from __future__ import annotations

from collections.abc import Callable

from domain.money import Money
from domain.order.commands import RefundExtra
from domain.order.order import Order
from workflows.event_store.event_log import EventLog
from workflows.incidents.acting import act
from workflows.incidents.plans import Plan
from workflows.orders.command_handling import Handled
from workflows.orders.requests import OrderRequest


def refund_extra(
    log: EventLog,
    request: OrderRequest,
    capture_id: str,
    amount: Money,
    *,
    reason: str,
    limit: Callable[[str], Money],
    dry_run: bool = False,
) -> Handled | Plan:
    """Have an extra capture looked up at the provider and refunded, whatever the order's status.

    Args:
        capture_id: The provider's id of the capture.
        amount: What the provider took. Another amount at the provider counts as not found.
        limit: Return the amount in a currency up to which one person decides alone.

    Raises:
        Rejected: CaptureRecorded, CaptureInDoubt or ImplausibleAmount.
        KeyReused, PreconditionFailed, TooManyConflicts: As for every request.
    """

    def command(order: Order) -> RefundExtra:
        return RefundExtra(
            capture_id=capture_id,
            amount=amount,
            by=request.caller.actor,
            reason=reason,
            limit=limit(order.currency),
        )

    return act(log, request, command, (capture_id, str(amount)), dry_run, parked_only=False)
