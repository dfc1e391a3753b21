"""Record that a caller is shown what events of one order hold."""

from __future__ import annotations

from collections.abc import Sequence

from domain.order.events import OrderPlaced
from workflows.engine import engine
from workflows.event_store.commits import History, RecordedEvent
from workflows.orders.access import record_read, shown_fields
from workflows.orders.access_events import OrderShown
from workflows.orders.command_handling import Caller
from workflows.orders.visibility import Audience


def record_order_read(
    caller: Caller,
    route: str,
    *,
    history: History,
    shown: Sequence[RecordedEvent],
    audience: Audience,
    reason: str | None,
) -> None:
    """Record the read, unless nothing personal is shown.

    Raises:
        StreamUnavailable: It could not be recorded, so nothing may be shown.
    """
    ports, placed = engine(), history.recorded[0].event
    if isinstance(placed, OrderPlaced):  # each order begins so
        record_read(
            ports.log,
            caller,
            route=route,
            orders=[OrderShown(order_id=placed.order_id, customer=placed.customer)],
            fields=shown_fields((recorded.event for recorded in shown), audience),
            reason=reason or "",
            at=ports.clock.now(),
        )
