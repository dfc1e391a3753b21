"""Errors raised by incident operations.

They have a module of their own: every API maps errors to statuses, but only one API loads the rest of this room.
"""

from __future__ import annotations

from collections.abc import Sequence

from domain.identifiers import OrderId
from domain.order.refusals import Rejected
from domain.picklable import Picklable


class NotAnIncident(Rejected):
    """The order is not parked: it is running or has ended."""

    def __init__(self, order_id: OrderId) -> None:
        super().__init__(
            f"Order {order_id} is not parked, so there is nothing to retry or resolve. Ask why it waits "
            f"(expediter order why {order_id}, GET /orders/{order_id}/why)."
        )
        self.order_id = order_id


class PlanOutdated(Rejected):
    """The plan of a bulk job no longer holds, or has expired."""


class PlanBegun(Rejected):
    """A job has begun with this plan. Another one would do everything twice."""

    def __init__(self, job_id: str) -> None:
        super().__init__(f"This plan was begun before, as {job_id}. To act again, make a new plan with dry_run.")
        self.job_id = job_id


class NoOrderPossible(Rejected):
    """The action of a bulk job is possible on none of its orders."""

    def __init__(self, action: str) -> None:
        super().__init__(f"A {action} is possible on none of these orders. The plan says why for each: send dry_run.")
        self.action = action


class WriteOffNeedsIntent(Rejected):
    """A write-off must name an intent. HTTP: 422."""

    def __init__(self, owed_by: Sequence[int]) -> None:
        events = ", ".join(map(str, owed_by)) or "none"
        super().__init__(f"Name the event to write off (intent). Events with something left to write off: {events}.")


class NoSuchJob(Picklable, LookupError):
    """No bulk job has this id. HTTP: 404."""

    def __init__(self, job_id: str) -> None:
        super().__init__(f"There is no bulk job {job_id}. Its id is in the answer to the request that began it.")


class NoSuchGroup(Picklable, LookupError):
    """No order is parked with this cause. Retryable: no. HTTP: 404."""

    def __init__(self, cause: str) -> None:
        super().__init__(f"No order is parked with the cause {cause!r}. List the incidents to see their causes.")
        self.cause = cause
