"""The body of a request about several orders."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from handlers.http.models import example
from handlers.http.order_filters import OrderFilterBody
from handlers.http.values import Long, MoneyBody, OfField, OrderIdText, Shape, Strict
from workflows.incidents.bulk_actions import ORDERS_MAX, TOKEN
from workflows.incidents.bulk_jobs import PER_S_MAX


class BulkChangeBody(Strict):
    """Why a bulk job is stopped or resumed. A dry run changes nothing."""

    model_config = example(reason="the bank called: wait for them", dry_run=True)

    reason: Long
    dry_run: bool = False


class BulkBody(Strict):
    """What to do with several orders: those named, those that match a filter, or a group of incidents.

    A group is all orders parked with one cause. A dry run answers with the plan and its token. Without one, the token
    of a plan that still holds begins the job. A credit needs ``amount``; the text of a note is ``reason``.
    """

    model_config = example(
        action="credit",
        order_ids=["ord_qb7sg5jrmwm74kcdldslq4kd3e"],
        reason="the app was down",
        amount={"amount": "5.00", "currency": "EUR"},
        dry_run=True,
    )

    action: Literal["retry", "cancel", "credit", "note"]
    order_ids: Annotated[list[OrderIdText], Field(min_length=1, max_length=ORDERS_MAX)] | None = None
    filter: OrderFilterBody | None = None
    group: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    reason: Long
    amount: MoneyBody | None = None
    fault: Literal["customer", "restaurant", "courier", "platform"] = "platform"
    per_s: Annotated[float, Field(gt=0, le=PER_S_MAX)] = 1.0
    token: Annotated[str, Shape(TOKEN, "must be the token of a plan, as a dry run answers it")] | None = None
    dry_run: bool = False

    def model_post_init(self, _: Any) -> None:
        """Check what a schema cannot express."""
        if sum(chosen is not None for chosen in (self.order_ids, self.filter, self.group)) != 1:
            raise OfField("order_ids", "send one of order_ids, filter and group")
        if (self.amount is None) != (self.action != "credit"):
            raise OfField("amount", "is required for a credit, and used for nothing else")
        if not self.dry_run and self.token is None:
            raise OfField("token", "is required; a dry run answers with it")
