"""The repository of ``eventsourcing`` on its POPO store: an order of the same number of events is loaded and folded."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from benchmarks.peers.answering import answer_all, timed
from benchmarks.peers.eventsourcing_order import Order, Orders

AT = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


def main() -> None:
    orders, stored = Orders(), {}

    def replay(events: int, count: int) -> dict[str, Any]:
        if events not in stored:
            order = Order()
            for number in range(events - 1):
                order.record(number, "auth_51HqZ8", 2800, "EUR", AT)
            orders.save(order)
            stored[events] = order.id
        return timed([lambda: orders.repository.get(stored[events])] * count)

    answer_all({"replay": replay})


if __name__ == "__main__":
    main()
