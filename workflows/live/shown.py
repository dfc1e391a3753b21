"""Record the personal data of orders that a subscription shows: once for an order, before the first message with it."""

from __future__ import annotations

from domain.identifiers import Actor, OrderId
from workflows.clock import Clock
from workflows.event_store.event_log import EventLog
from workflows.live.order_now import OrderNow
from workflows.live.topics import Topic
from workflows.orders.access import record_read, shown_fields
from workflows.orders.access_events import OrderShown
from workflows.orders.command_handling import Caller
from workflows.orders.visibility import audience_of

ROUTE = "WebSocket /live"

KEPT_MAX = 10_000
"""Orders that one subscription remembers: the record of a further one may be made again."""


class ShownOrders:
    """The orders whose personal data one subscription has shown."""

    def __init__(self, log: EventLog, clock: Clock) -> None:
        self._log = log
        self._clock = clock
        self._recorded: set[OrderId] = set()

    def record(self, actor: Actor, topic: Topic, now: OrderNow, until: int) -> None:
        """Record that an order is shown as it was at a version. It may pause the task.

        Raises:
            StreamUnavailable: Nothing may be sent.
        """
        order_id, placed = now.order.order_id, now.order.placed
        if placed is None or order_id in self._recorded:
            return
        recorded = now.history.recorded[:until]
        fields = shown_fields((each.event for each in recorded), audience_of(actor, now.order))
        if not fields:
            return
        record_read(
            self._log,
            Caller(actor, correlation=f"live {topic}", causation=f"live {topic}"),
            route=ROUTE,
            orders=[OrderShown(order_id=order_id, customer=placed.customer)],
            fields=fields,
            reason="",
            at=self._clock.now(),
        )
        if len(self._recorded) >= KEPT_MAX:
            self._recorded.clear()
        self._recorded.add(order_id)
