"""The bodies of requests of support that repair an order, one model each."""

from __future__ import annotations

from typing import Literal

from handlers.http.models import example
from handlers.http.values import Long, MoneyBody, Strict


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
