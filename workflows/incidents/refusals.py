"""Errors raised by incident operations.

They have a module of their own, because every API maps them to a status and only one of them has incidents.
"""

from __future__ import annotations

from collections.abc import Sequence

from domain.order.refusals import Rejected


class WriteOffNeedsIntent(Rejected):
    """A write-off must name an intent. HTTP: 422."""

    def __init__(self, owed_by: Sequence[int]) -> None:
        known = ", ".join(map(str, owed_by)) or "none"
        super().__init__(f"name the intent whose debt is written off; this order owes for: {known}")


class NoSuchJob(LookupError):
    """No bulk retry has this id. HTTP: 404."""

    def __init__(self, job_id: str) -> None:
        super().__init__(f"there is no bulk retry {job_id}")


class NoSuchGroup(LookupError):
    """No order is parked with this cause. Retryable: no. HTTP: 404."""

    def __init__(self, cause: str) -> None:
        super().__init__(f"No order is parked with the cause {cause!r}. List the incidents to see their causes.")
        self.cause = cause
