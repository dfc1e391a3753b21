"""Erasures as JSON, and in words what they take and leave."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workflows.clock import timestamp
from workflows.erasure.requests import ErasurePlan
from workflows.erasure.state import ApprovedErasure, ErasureState, ProposedErasure
from workflows.event_store.erasure import CustomerErased
from workflows.orders.json_values import plain

if TYPE_CHECKING:  # importing the client costs a cold start
    from workflows.client.customer_json import (
        ApprovedErasureJson,
        ErasureJson,
        ErasureReceiptJson,
        ListedErasureJson,
        ProposedErasureJson,
        StaysJson,
    )


def erasure_view(plan: ErasurePlan) -> ErasureJson:
    """Return a plan with how far the erasure is."""
    state = plan.state
    return {
        "customer": plan.customer,
        "state": plan.phase.value,
        "key_id": plan.key_id,
        "proposed": _proposed(state.proposed),
        "approved": _approved(state.approved),
        "orders": len(plan.orders.all),
        "fields": plan.fields,
        "deliveries": plan.deliveries,
        "pending": plan.pending,
        "open_orders": [{"order_id": order_id, "waits_for": what} for order_id, what in plan.orders.open],
        "goes": _goes(plan),
        "stays": _STAYS,
        "receipts": [receipt_view(receipt) for receipt in state.receipts],
    }


def listed_view(customer: str, state: ErasureState) -> ListedErasureJson:
    """Return an erasure that has not ended."""
    return {
        "customer": customer,
        "state": state.phase.value,
        "proposed": _proposed(state.proposed),
        "approved": _approved(state.approved),
    }


def receipt_view(receipt: CustomerErased) -> ErasureReceiptJson:
    """Return the record of an erasure."""
    shown: ErasureReceiptJson = plain(receipt)
    return shown


def _proposed(proposed: ProposedErasure | None) -> ProposedErasureJson | None:
    if proposed is None:
        return None
    return {"by": plain(proposed.by), "reason": proposed.reason, "at": timestamp(proposed.at)}


def _approved(approved: ApprovedErasure | None) -> ApprovedErasureJson | None:
    if approved is None:
        return None
    destroyed_at = None if approved.destroyed_at is None else timestamp(approved.destroyed_at)
    return {
        "by": plain(approved.by),
        "reason": approved.approval_reason,
        "at": timestamp(approved.at),
        "destroyed_at": destroyed_at,
    }


def _goes(plan: ErasurePlan) -> list[str]:
    if plan.key_id is None:
        return []
    fields, orders = _counted(plan.fields, "field"), _counted(len(plan.orders.all), "order")
    unsent = f"; {plan.pending} of them had not arrived and will not be sent" if plan.pending else ""
    return [
        f"The data key {plan.key_id}. {fields} of {orders} read as (erased): contacts, payment methods, notes and "
        "reasons in free text.",
        "The blind indexes in the views: the orders are not found by phone, e-mail or name any more.",
        f"What was kept of {_counted(plan.deliveries, 'webhook delivery', 'webhook deliveries')}{unsent}.",
        "Positions of couriers on the way to the customer, and unused tickets of the customer for live updates.",
    ]


def _counted(number: int, one: str, many: str = "") -> str:
    return f"{number} {one if number == 1 else many or f'{one}s'}"


_STAYS: list[StaysJson] = [
    {
        "what": "Amounts, items, restaurants, couriers and times of the orders, and their receipts.",
        "why": "The books and the taxes are made of them. They name no person.",
    },
    {
        "what": "The customer's id.",
        "why": "Orders, events and the record of reads refer to it. Only the system that issued it knows the person.",
    },
    {
        "what": "Every commit with its hash, and the unreadable ciphertext in it.",
        "why": "The chain, and proofs that were made before, stay valid.",
    },
    {
        "what": "Who read the customer's data, when and why.",
        "why": "It is kept as long as the log, and holds no personal data of the customer.",
    },
    {
        "what": "What providers, webhook receivers and backups hold.",
        "why": "It is outside of this engine: erase it there. A backup is restored without the destroyed keys.",
    },
]
