"""Credits: support lowers what the customer pays, at any time until the order is cancelled or abandoned.

What was captured already is refunded, and an order that has ended gets a new run for that. The domain bounds a credit
by what the customer pays, so nothing is refunded that was not taken (``adjustments``).
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256

from domain.money import Money
from domain.order.commands import GrantCredit
from domain.order.events import Fault
from domain.order.order import Order
from workflows.event_store.event_log import EventLog
from workflows.incidents.acting import act
from workflows.incidents.plans import Plan
from workflows.orders.command_handling import Handled
from workflows.orders.requests import OrderRequest, request_key


def grant_credit(
    log: EventLog,
    request: OrderRequest,
    amount: Money,
    *,
    fault: Fault,
    reason: str,
    limit: Callable[[str], Money],
    dry_run: bool = False,
) -> Handled | Plan:
    """Grant a credit, whatever the order's status. Above the limit a second person has to approve it.

    Args:
        request: Has an Idempotency-Key: two credits of the same amount are two credits.
        limit: Return the amount in a currency up to which one person decides alone.

    Raises:
        Rejected: A rule forbids it, e.g. CreditExceedsDue.
        KeyReused, PreconditionFailed, TooManyConflicts: As for every request.
    """
    credit_id = sha256(request_key(request, None).encode()).hexdigest()[:16]

    def command(order: Order) -> GrantCredit:
        return GrantCredit(
            credit_id=credit_id,
            amount=amount,
            fault=fault,
            by=request.caller.actor,
            reason=reason,
            limit=limit(order.currency),
        )

    return act(log, request, command, None, dry_run, parked_only=False)
