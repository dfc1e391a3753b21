"""The requests of support that repair orders: one function each, as in ``calls``."""

from __future__ import annotations

from .api_call import ApiCall, order_path, write
from .incident_json import ActionOutcomeJson
from .order_json import MoneyJson


def credit(
    order_id: str, amount: MoneyJson, fault: str, reason: str, *, dry_run: bool = False, key: str | None = None
) -> ApiCall[ActionOutcomeJson]:
    """Lower what the customer pays; what was captured already is refunded.

    Args:
        fault: The party at fault: customer, restaurant, courier or platform.
    """
    body = {"amount": amount, "fault": fault, "reason": reason, "dry_run": dry_run}
    return write(order_path(order_id, "credits"), body, key)
