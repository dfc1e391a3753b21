"""Names of streams: ``<category>#<id>``, for instance ``order#ord_x`` or ``breaker#payments#2026-05-04``.

The category selects the event types of a stream, so two aggregates may use one class name for different events.
"""

from __future__ import annotations

from domain.identifiers import OrderId, RestaurantId

ORDER = "order"
BREAKER = "breaker"
CUSTOMER = "customer"
RESTAURANT = "restaurant"
ACCESS = "access"


def stream_name(category: str, id_: str) -> str:
    """Return the stream of one aggregate, or of one part of it."""
    return f"{category}#{id_}"


def category_of(stream: str) -> str:
    """Return the text before the first ``#``; all of the name if it has none."""
    return stream.partition("#")[0]


def id_in(stream: str) -> str:
    """Return the text after the first ``#``: the id within the category."""
    return stream.partition("#")[2]


def order_stream(order_id: str) -> str:
    """Return the stream that holds an order's events."""
    return stream_name(ORDER, order_id)


def order_id_in(stream: str) -> OrderId | None:
    """Return the order id in the stream's name, or None if the stream is not an order's."""
    category, separator, order_id = stream.partition("#")
    return OrderId(order_id) if separator and category == ORDER else None


def restaurant_stream(restaurant_id: RestaurantId) -> str:
    """Return the stream that holds the events of a restaurant and its menu."""
    return stream_name(RESTAURANT, restaurant_id)
