"""What others may hear of an order, as CloudEvents 1.0: the facts and decisions of its log, one event each.

An intent is not published, its outcome is; neither is what people do inside (notes, approvals, incidents, runs), nor
the circuits. Every event type is decided about in ``PUBLISHED`` or ``INTERNAL``, so that a new one cannot slip out or
be forgotten. A type's name is a promise to subscribers: add fields, or publish another ``v``, and never rename one.

Personal fields are left out, and so are ``WITHHELD``. The events of one order are numbered by ``sequence``, the version
of its stream, with gaps where one is not published. They may come late, and twice (``source`` and ``id`` tell).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, get_args, get_type_hints

from domain.order import events as e
from domain.personal import Erased
from workflows.breakers.events import CircuitClosed, CircuitForcedClosed, CircuitHeldOpen, CircuitOpened
from workflows.event_store.commits import Opaque, RecordedEvent, UnknownEvent
from workflows.orders.views import plain

SOURCE = "/expediter/orders"

SEQUENCE_DIGITS = 10
"""The CloudEvents extension ``sequence`` is a text whose order is the order of the events."""

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
"""The event types that are published, and the middle of their CloudEvents type: ``expediter.order.placed.v1``."""

INTERNAL: frozenset[type[Any]] = frozenset(
    {
        # intents: the call they ask for may never be made; its outcome is published
        e.PaymentAuthorizationRequested,
        e.PaymentCaptureRequested,
        e.PaymentVoidRequested,
        e.PaymentRefundRequested,
        e.PreparationRequested,
        e.PreparationCancellationRequested,
        e.CourierRequested,
        e.CourierReleaseRequested,
        # what people do about the order inside
        e.NoteAdded,
        e.ApprovalRequested,
        e.ApprovalGiven,
        # how the engine runs it: a fault of ours is no news of the order
        e.RunStarted,
        e.OrderParked,
        # circuits belong to no order
        CircuitOpened,
        CircuitClosed,
        CircuitForcedClosed,
        CircuitHeldOpen,
    }
)
"""The event types that stay in the log."""

WITHHELD = frozenset({"by", "payment_method"})
"""No subscriber's business: which of us did it, which is for the audit to know, and what the customer pays with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudEvent:
    """One published event. ``id`` is ``<order>/<version>``, ``time`` when it was recorded, ``sequence`` its version."""

    id: str
    type: str
    subject: str
    time: str
    sequence: int
    data: Mapping[str, Any]
    source: str = SOURCE
    datacontenttype: str = "application/json"

    def as_json(self) -> dict[str, Any]:
        """The JSON event format, structured mode."""
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
    """Those of an order's events that others may hear of. Raises UnknownEvent for one that only newer code knows."""
    return [_cloud_event(order_id, found) for found in recorded if _is_published(order_id, found)]


def _is_published(order_id: str, found: RecordedEvent) -> bool:
    if isinstance(found.event, Opaque):
        raise UnknownEvent(order_id, found.version, found.event)
    return type(found.event) in PUBLISHED


def _cloud_event(order_id: str, found: RecordedEvent) -> CloudEvent:
    kind: Any = type(found.event)
    return CloudEvent(
        id=f"{order_id}/{found.version}",
        type=f"expediter.{PUBLISHED[kind]}.v{getattr(kind, 'SCHEMA', 1)}",
        subject=order_id,
        time=found.ts,
        sequence=found.version,
        data={name: plain(getattr(found.event, name)) for name in _FIELDS[kind]},
    )


def _shown(kind: type[Any]) -> tuple[str, ...]:
    hints = get_type_hints(kind)
    fields = (field.name for field in dataclasses.fields(kind))
    return tuple(name for name in fields if name not in WITHHELD and Erased not in get_args(hints[name]))


_FIELDS = {kind: _shown(kind) for kind in PUBLISHED}
