"""What callers ask for as the status of an order and is none."""

from __future__ import annotations

from typing import Final

FILTER_INSTEAD: Final = {"parked": "parked", "overdue": "overdue", "waiting": "waiting_for"}
"""The filter that finds such orders, as the API names it."""
