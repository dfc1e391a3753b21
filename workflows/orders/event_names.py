"""Types of events in filters. Unknown names are refused: an empty list would read as if there were no such events."""

from __future__ import annotations

from difflib import get_close_matches
from typing import get_args

from domain.order.events import Event

EVENT_TYPES = sorted(kind.__name__ for kind in get_args(Event))


def event_type(name: str) -> str:
    """Return the name of a type of events of orders. Raises ValueError, with the nearest name."""
    if name not in EVENT_TYPES:
        near = get_close_matches(name, EVENT_TYPES, 1)
        instead = f"use {near[0]}" if near else "use the name of an event in an order's history, e.g. OrderCancelled"
        raise ValueError(f"no event is called {name}; {instead}")
    return name
