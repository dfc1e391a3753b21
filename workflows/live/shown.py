"""Record the personal data of orders that a subscription shows: once for an order, before the first message with it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

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

    def has(self, order_id: OrderId) -> bool:
        """Whether the record of an order is made, and remembered."""
        return order_id in self._recorded

    def record(self, actor: Actor, topic: Topic, orders: Iterable[tuple[OrderNow, int]]) -> None:
        """Record that orders are shown, each as it was at a version. It may pause the task.

        Those with the same personal fields are one record, which is one commit and one wait for the disk.

        Raises:
            StreamUnavailable: Nothing may be sent.
        """
        by_fields: dict[tuple[str, ...], dict[OrderId, OrderShown]] = {}
        for now, until in orders:
            order_id, placed = now.order.order_id, now.order.placed
            if placed is None or order_id in self._recorded:
                continue
            recorded = now.history.recorded[:until]
            if fields := shown_fields((each.event for each in recorded), audience_of(actor, now.order)):
                shown = OrderShown(order_id=order_id, customer=placed.customer)
                by_fields.setdefault(fields, {})[order_id] = shown
        for fields, shown_orders in by_fields.items():
            self._append(actor, topic, fields, shown_orders)

    def _append(
        self, actor: Actor, topic: Topic, fields: tuple[str, ...], orders: Mapping[OrderId, OrderShown]
    ) -> None:
        record_read(
            self._log,
            Caller(actor, correlation=f"live {topic}", causation=f"live {topic}"),
            route=ROUTE,
            orders=list(orders.values()),
            fields=fields,
            reason="",
            at=self._clock.now(),
        )
        if len(self._recorded) >= KEPT_MAX:
            self._recorded.clear()
        self._recorded.update(orders)
