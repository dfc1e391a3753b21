"""The bodies of requests about incidents, bulk jobs and circuits, one model each."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from handlers.http.models import example
from handlers.http.values import CustomerName, IntentVersion, Long, MoneyBody, OrderIdText, Strict
from workflows.incidents.bulk_actions import ORDERS_MAX
from workflows.incidents.bulk_jobs import PER_S_MAX


class RetryBody(Strict):
    """The reason for retrying. A dry run returns what would happen, and changes nothing."""

    model_config = example(reason="the provider is back", dry_run=True)

    reason: Long
    dry_run: bool = False


class ResolveBody(RetryBody):
    """How to resolve the incident.

    ``cancel`` compensates: releases holds and refunds payments. ``abandon`` ends the order as it is, without
    compensation. ``write_off`` gives up what the one ``intent`` holds or owes. ``confirm_report`` gives effect to a
    contested report. ``fault`` is the party at fault for what is given up.
    """

    model_config = example(how="write_off", intent=15, reason="the account is closed", fault="platform")

    how: Literal["cancel", "abandon", "write_off", "confirm_report"]
    fault: Literal["customer", "restaurant", "courier", "platform"] = "platform"
    intent: IntentVersion | None = None


class ApproveBody(Strict):
    """``approval`` is the number of the request to approve, as the incident lists it."""

    model_config = example(approval=17)

    approval: IntentVersion
    dry_run: bool = False


class RejectRequestBody(RetryBody):
    """``approval`` is the number of the request to reject. A person can withdraw an own request so."""

    model_config = example(approval=17, reason="the meal was delivered", dry_run=True)

    approval: IntentVersion


class AssignIncidentBody(Strict):
    """``to`` is the person of support who takes the incident on; null releases it."""

    model_config = example(to="sue")

    to: CustomerName | None


class NoteBody(Strict):
    """A note for other people who look at the order. Stored encrypted with the customer's key."""

    model_config = example(text="Called the restaurant: the oven is repaired.")

    text: Long


class BulkBody(Strict):
    """What to do with several orders: those named, or a group of incidents, that is all parked with one cause.

    A dry run answers with the plan and its token. Without one, the token of a plan that still holds begins the job. A
    credit needs ``amount``; the text of a note is ``reason``.
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
    group: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    reason: Long
    amount: MoneyBody | None = None
    fault: Literal["customer", "restaurant", "courier", "platform"] = "platform"
    per_s: Annotated[float, Field(gt=0, le=PER_S_MAX)] = 1.0
    token: Annotated[str, Field(max_length=64)] | None = None
    dry_run: bool = False

    def model_post_init(self, _: Any) -> None:
        """Check what a schema cannot express."""
        if (self.order_ids is None) == (self.group is None):
            raise ValueError("order_ids: send either these or group")
        if (self.amount is None) != (self.action != "credit"):
            raise ValueError("amount: is required for a credit, and used for nothing else")
        if not self.dry_run and self.token is None:
            raise ValueError("token: is required; a dry run answers with it")


class CircuitBody(Strict):
    """The reason for opening or closing the circuit."""

    model_config = example(reason="maintenance until 22:00")

    reason: Long
