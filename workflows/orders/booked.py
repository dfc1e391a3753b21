"""The transactions of an order's history, worked out once for all views that show them."""

from __future__ import annotations

from domain.order.ledger import Transaction, transactions
from workflows.event_store.commits import History
from workflows.event_store.streams import order_id_in


def booked(history: History, since: int = 0) -> tuple[Transaction, ...]:
    """Return the transactions after version ``since``; they are kept with the history. Raises UnknownEvent."""
    key = (booked, since)
    if key not in history.folds:
        order_id = order_id_in(history.stream)
        assert order_id is not None
        history.folds[key] = tuple(transactions(order_id, history.events, after=since))
    kept: tuple[Transaction, ...] = history.folds[key]
    return kept
