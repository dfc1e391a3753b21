"""Classifies how orders ended, from the orders as the API shows them and from their events."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from workflows.cli.demo.play import ENDED, Played

View = Mapping[str, Any]


def outcome(view: View) -> str:
    """Return ``delivered``, or why not: ``payment_declined``, ``cancelled_by_customer``; ``unended`` for neither."""
    if view["parked"] or view["status"] not in ENDED:
        return "unended"
    cancellation = view["cancellation"]
    if cancellation is None:
        return "delivered"
    asked = cancellation["cause"] == "asked"
    return f"cancelled_by_{cancellation['by']['role']}" if asked else str(cancellation["cause"])


def count(played: Iterable[Played]) -> Counter[str]:
    """Count the orders by outcome, the most frequent first."""
    return Counter(dict(Counter(outcome(each.view) for each in played).most_common()))


def most_telling(played: Sequence[Played], events_of: Callable[[str], list[View]]) -> list[tuple[Played, list[View]]]:
    """Choose one delivered and one compensated order with the greatest variety of events."""
    chosen = []
    for fits in (_is_delivered, _gave_back):
        candidates = [(each, events_of(each.view["id"])) for each in played if fits(each.view)]
        if candidates:
            chosen.append(max(candidates, key=lambda found: _variety(found[1])))
    return chosen


def _variety(events: Sequence[View]) -> int:
    return 2 * len({event["type"] for event in events}) - len(events)


def _is_delivered(view: View) -> bool:
    return outcome(view) == "delivered"


def _gave_back(view: View) -> bool:
    """Tell whether the order was cancelled after its payment was authorized."""
    return view["status"] == "cancelled" and view["preparation"] is not None
