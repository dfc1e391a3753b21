"""Add the reasons of changes by people to a page of events, for auditors.

The view ``events`` has no personal fields, and a reason is one: it is encrypted in the log, and erased with the
customer. So the reasons of a page are read from the log.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.identifiers import OrderId
from domain.order.events import CancellationRequested
from workflows.event_store.commits import RecordedEvent
from workflows.event_store.event_log import EventLog
from workflows.event_store.streams import order_stream
from workflows.orders.access import personal_fields
from workflows.orders.access_events import OrderShown
from workflows.orders.json_values import plain
from workflows.orders.visibility import VISIBILITY, Audience, seen_fields

if TYPE_CHECKING:
    from workflows.client.search_json import ListedEventJson

FIELD = "reason"

TYPES = {CancellationRequested.__name__} | {
    kind.__name__
    for kind, sight in VISIBILITY.items()
    if FIELD in personal_fields(kind) and Audience.AUDITOR in sight.fields[FIELD]
}
"""The changes whose reason is a personal field and may be shown to auditors."""


def add_reasons(log: EventLog, events: list[ListedEventJson]) -> list[OrderShown]:
    """Add each reason that auditors may see to its event.

    Args:
        log: It reads personal fields.
        events: Of one page; those that have a reason are changed.

    Returns:
        The orders of which a reason is shown: the caller records the read before it answers.
    """
    shown: dict[str, OrderShown] = {}
    histories: dict[str, tuple[RecordedEvent, ...]] = {}
    for listed in events:
        if listed["type"] not in TYPES:
            continue
        order_id = OrderId(listed["order_id"])
        if order_id not in histories:
            histories[order_id] = log.load(order_stream(order_id)).recorded
        event = histories[order_id][listed["version"] - 1].event
        if FIELD in seen_fields(event, Audience.AUDITOR):
            listed["data"][FIELD] = plain(getattr(event, FIELD))
            shown[order_id] = OrderShown(order_id=order_id, customer=listed["customer"] or "")
    return list(shown.values())
