"""The ledger of one order as JSON: its transactions in double entry, and what is left on each account."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.money import Money
from domain.order.events import Event, PaymentAuthorized, PaymentCaptured, PaymentFound, PaymentRefunded
from domain.order.ledger import Posting, balances
from domain.order.order import Order
from workflows.event_store.commits import History
from workflows.orders.booked import booked
from workflows.orders.json_values import money_json

if TYPE_CHECKING:  # importing the client costs a function's cold start
    from workflows.client.order_json import LedgerJson, PostingJson


def ledger_view(history: History, order: Order) -> LedgerJson:
    """Return the transactions, oldest first, and the balances of an order with this history."""
    all_booked = booked(history)
    return {
        "order_id": order.order_id,
        "version": history.version,
        "transactions": [
            {
                "version": transaction.version,
                "event": type(transaction.event).__name__,
                "recorded_at": history.recorded[transaction.version - 1].ts,
                "reference": provider_reference(transaction.event),
                "postings": [_posting(posting) for posting in transaction.postings],
            }
            for transaction in all_booked
        ],
        "balances": [
            {"account": account.value, "amount": money_json(Money(minor, order.currency))}
            for account, minor in balances(all_booked).items()
        ],
    }


def provider_reference(event: Event | object) -> str | None:
    """Return the provider's id that an event brought: of an authorization, a capture or a refund."""
    match event:
        case PaymentAuthorized():
            return event.authorization_id
        case PaymentCaptured() | PaymentFound():
            return event.capture_id
        case PaymentRefunded():
            return event.refund_id
        case _:
            return None


def _posting(posting: Posting) -> PostingJson:
    return {"account": posting.account.value, "party": posting.party, "amount": money_json(posting.amount)}
