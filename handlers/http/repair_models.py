"""The bodies of requests of support that repair an order, one model each."""

from __future__ import annotations

from typing import Literal

from handlers.http.models import example
from handlers.http.values import Long, MoneyBody, ProviderReference, Strict


class CreditBody(Strict):
    """How much less the customer pays, the party at fault for it, and why. A dry run changes nothing.

    The reason is for colleagues and auditors: it should not name the customer.
    """

    model_config = example(
        amount={"amount": "5.00", "currency": "EUR"}, fault="restaurant", reason="a dish was missing", dry_run=True
    )

    amount: MoneyBody
    fault: Literal["customer", "restaurant", "courier", "platform"]
    reason: Long
    dry_run: bool = False


class ExtraCaptureBody(Strict):
    """The provider's id of a payment that the order did not ask for, its amount there, and why it is refunded.

    A dry run changes nothing. The reason is for colleagues and auditors: it should not name the customer.
    """

    model_config = example(
        capture_id="cap_8d3f", amount={"amount": "42.50", "currency": "EUR"}, reason="charged twice", dry_run=True
    )

    capture_id: ProviderReference
    amount: MoneyBody
    reason: Long
    dry_run: bool = False
