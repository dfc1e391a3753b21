"""The transactions of an order's history, worked out once for all views that show them."""

from __future__ import annotations

from domain.order.evolving import evolve_all
from domain.order.ledger import Transaction, book
from workflows.event_store.commits import History
from workflows.event_store.streams import order_id_in


def booked(history: History, since: int = 0) -> tuple[Transaction, ...]:
    """Return the transactions after version ``since``; they are kept with the history. Raises UnknownEvent.

    The order that the events fold to on the way is kept too, so that ``folded_order`` does not fold them again.
    """
    key = (booked, since)
    if key not in history.folds:
        order_id = order_id_in(history.stream)
        assert order_id is not None
        order, history.folds[key] = book(order_id, history.events, after=since)
        history.folds.setdefault(evolve_all, order)
    kept: tuple[Transaction, ...] = history.folds[key]
    return kept
