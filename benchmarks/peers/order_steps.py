"""The steps of the equal order, as plain functions that each peer wraps in its own kind of step.

Providers have a ledger with one line a call; the application has one event record a step. A repeated step finds its
line and its record, so a step may run twice. The documentation of every peer requires that.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from benchmarks.peers.rows import SyncedRows

_BEGUN = {"placed", "authorized", "accepted", "ready", "assigned"}
RECORDS = {
    "completed": _BEGUN | {"picked_up", "delivered", "captured"},
    "cancelled": _BEGUN | {"offer_withdrawn", "ticket_cancelled", "voided"},
}
"""The event records of an order, by its end."""

_CALLED = {"authorize", "send_ticket", "make_offer"}
CALLS = {
    "completed": _CALLED | {"capture"},
    "cancelled": _CALLED | {"withdraw_offer", "cancel_ticket", "void"},
}
"""The calls of providers for an order, by its end."""


class OrdersLost(AssertionError):
    """Orders did not reach their end with all their records and calls."""


class OrderSteps:
    """The steps over two files: the application's event records, and the ledger of the simulated providers."""

    def __init__(self, folder: Path, observe: Callable[[str, str], None]) -> None:
        """Create the files.

        Args:
            observe: Called with the order and the call or record, once that is durable.
        """
        self._records = SyncedRows(folder / "records.sqlite")
        self._ledger = SyncedRows(folder / "providers.sqlite")
        self._observe = observe

    def place(self, order: str) -> str:
        return self.record(order, "placed")

    def authorize(self, order: str) -> str:
        self._call(order, "authorize")
        return self.record(order, "authorized")

    def send_ticket(self, order: str) -> str:
        return self._call(order, "send_ticket")

    def make_offer(self, order: str) -> str:
        return self._call(order, "make_offer")

    def record(self, order: str, event: str) -> str:
        """Append the event record of a step."""
        body = self._records.add(order, event)
        self._observe(order, event)
        return body

    def capture(self, order: str) -> str:
        self._call(order, "capture")
        return self.record(order, "captured")

    def withdraw_offer(self, order: str) -> str:
        self._call(order, "withdraw_offer")
        return self.record(order, "offer_withdrawn")

    def cancel_ticket(self, order: str) -> str:
        self._call(order, "cancel_ticket")
        return self.record(order, "ticket_cancelled")

    def void(self, order: str) -> str:
        self._call(order, "void")
        return self.record(order, "voided")

    def check(self, ends: dict[str, str]) -> None:
        """Compare the files with the ends that orders should have reached.

        Raises:
            OrdersLost: An order has other records or calls than its end has.
        """
        records, calls = self._records.kinds(), self._ledger.kinds()
        lost = [
            f"{order} ({end}): records {sorted(records.get(order, ()))}, calls {sorted(calls.get(order, ()))}"
            for order, end in ends.items()
            if records.get(order) != RECORDS[end] or calls.get(order) != CALLS[end]
        ]
        if lost or not ends:
            raise OrdersLost(f"{len(lost)} of {len(ends)} orders: {lost[:3]}")

    def _call(self, order: str, call: str) -> str:
        receipt = self._ledger.add(order, call)
        self._observe(order, call)
        return receipt
