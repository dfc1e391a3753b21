"""Words that callers send as the status of an order, although a filter of its own finds such orders."""

from __future__ import annotations

from typing import Final

FILTER_INSTEAD: Final = {"parked": "parked", "overdue": "overdue", "waiting": "waiting_for"}
"""By the word: the name of the filter in the API."""
