"""The published events of an order, as CloudEvents 1.0: one for each fact and decision of its log.

The table in ``workflows.orders.visibility`` decides which events and fields subscribers see: outcomes and decisions.
They see no intents and no actions of employees (notes, approvals, incidents, runs), no personal data, and not the
actor, which only the audit needs. The name of a type is a contract with subscribers: add fields, or publish another
``v``, but never rename a type.

``sequence`` is the version in the order's stream, with gaps for events that are not published. Events may arrive late
and twice; duplicates have the same ``source`` and ``id``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from domain.order import events as e
from workflows.event_store.commits import Opaque, RecordedEvent, UnknownEvent
from workflows.orders.visibility import Audience, visible
from workflows.tracing import trace_in

SOURCE = "/expediter/orders"

RESTAURANTS = "/expediter/restaurants"
"""The source of notices about restaurants, apart from that of orders: rules select events by their source."""

ACCESSES = "/expediter/accesses"
"""The source of notices about reads of personal data."""

SEQUENCE_DIGITS = 10
"""The CloudEvents extension ``sequence`` is a text, so it is padded: its sort order is the order of the events."""

PUBLISHED: Mapping[type[Any], str] = {
    e.OrderPlaced: "order.placed",
    e.CancellationRequested: "order.cancellation-requested",
    e.OrderCancelled: "order.cancelled",
    e.OrderCompleted: "order.completed",
    e.OrderAbandoned: "order.abandoned",
    e.CreditGranted: "order.credit-granted",
    e.WrittenOff: "order.written-off",
    e.PaymentAuthorized: "payment.authorized",
    e.PaymentDeclined: "payment.declined",
    e.PaymentCaptured: "payment.captured",
    e.PaymentCaptureRefused: "payment.capture-refused",
    e.PaymentVoided: "payment.voided",
    e.PaymentVoidRefused: "payment.void-refused",
    e.PaymentRefunded: "payment.refunded",
    e.PaymentRefundRefused: "payment.refund-refused",
    e.PaymentFound: "payment.found",
    e.PreparationAccepted: "preparation.accepted",
    e.PreparationRejected: "preparation.rejected",
    e.PreparationTimedOut: "preparation.timed-out",
    e.ItemUnavailable: "preparation.item-unavailable",
    e.PreparationReady: "preparation.ready",
    e.PreparationOverdue: "preparation.overdue",
    e.PreparationCancelled: "preparation.cancelled",
    e.PreparationWrittenOff: "preparation.written-off",
    e.CourierAssigned: "delivery.courier-assigned",
    e.CourierDeclined: "delivery.courier-declined",
    e.CourierTimedOut: "delivery.courier-timed-out",
    e.CourierReleased: "delivery.courier-released",
    e.CourierWrittenOff: "delivery.courier-written-off",
    e.OrderPickedUp: "delivery.picked-up",
    e.OrderDelivered: "delivery.delivered",
    e.DeliveryFailed: "delivery.failed",
    e.DeliveryOverdue: "delivery.overdue",
}
"""The types that subscribers may know of, and the middle of their CloudEvents type: ``expediter.order.placed.v1``."""

VERSION = 1
"""The version in the name of every published type. It is apart from the schema in which an event is stored."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudEvent:
    """One published event. ``id`` is ``<order>/<version>``, ``time`` when it was recorded, ``sequence`` its version.

    ``trace`` is the trace id of the request that led to it, for the transport; subscribers do not read it in the event.
    """

    id: str
    type: str
    subject: str
    time: str
    sequence: int
    data: Mapping[str, Any]
    source: str = SOURCE
    datacontenttype: str = "application/json"
    trace: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the event in the JSON format of CloudEvents, structured mode."""
        return {
            "specversion": "1.0",
            "id": self.id,
            "source": self.source,
            "type": self.type,
            "subject": self.subject,
            "time": self.time,
            "datacontenttype": self.datacontenttype,
            "sequence": f"{self.sequence:0{SEQUENCE_DIGITS}}",
            "data": dict(self.data),
        }


def cloud_events(order_id: str, recorded: Iterable[RecordedEvent]) -> list[CloudEvent]:
    """Return the published events among an order's events. Raises UnknownEvent for a type that only newer code has."""
    return [published for entry in recorded if (published := _cloud_event(order_id, entry)) is not None]


def restaurant_changed(restaurant_id: str, version: int, ts: str) -> CloudEvent:
    """Return the notice that a restaurant or its menu changed: the views read the restaurant again. It has no data."""
    return CloudEvent(
        id=f"{restaurant_id}/{version}",
        type=f"expediter.restaurant.changed.v{VERSION}",
        subject=restaurant_id,
        time=ts,
        sequence=version,
        data={},
        source=RESTAURANTS,
    )


def read_recorded(access_id: str, ts: str) -> CloudEvent:
    """Return the notice that a read of personal data was recorded: the views read its record. It has no data."""
    return CloudEvent(
        id=f"{access_id}/1",
        type=f"expediter.access.recorded.v{VERSION}",
        subject=access_id,
        time=ts,
        sequence=1,
        data={},
        source=ACCESSES,
    )


def _cloud_event(order_id: str, recorded: RecordedEvent) -> CloudEvent | None:
    event: Any = recorded.event
    if isinstance(event, Opaque):
        raise UnknownEvent(order_id, recorded.version, event)
    data = visible(event, Audience.SUBSCRIBER)
    if data is None:
        return None
    return CloudEvent(
        id=f"{order_id}/{recorded.version}",
        type=type_of(type(event)),
        subject=order_id,
        time=recorded.ts,
        sequence=recorded.version,
        data=data,
        trace=trace_in(recorded.correlation),
    )


def type_of(kind: type[Any]) -> str:
    """Return the CloudEvents type of a published event type: ``expediter.order.placed.v1``."""
    return f"expediter.{PUBLISHED[kind]}.v{VERSION}"


TYPES: Mapping[str, type[Any]] = {type_of(kind): kind for kind in PUBLISHED}
"""The CloudEvents types that are published now, each with its event type."""
