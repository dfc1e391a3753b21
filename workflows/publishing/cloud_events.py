"""The published events of an order, as CloudEvents 1.0: one for each fact and decision of its log.

Outcomes are published and intents are not; neither are internal events (notes, approvals, incidents, runs) and
circuits. ``PUBLISHED`` and ``INTERNAL`` together list every event type, so that a new one is neither leaked nor
forgotten. The name of a type is a contract with subscribers: add fields, or publish another ``v``, and never rename
one.

Personal fields and the fields in ``WITHHELD`` are left out. ``sequence`` is the version in the order's stream, with
gaps for events that are not published. Events may arrive late and twice; duplicates have the same ``source`` and
``id``.
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
from workflows.event_store.erasure import ErasureRequested, KeyDestroyed
from workflows.orders.views import plain

SOURCE = "/expediter/orders"

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
        # intents: their call may never be made; its outcome is published
        e.PaymentAuthorizationRequested,
        e.PaymentCaptureRequested,
        e.PaymentVoidRequested,
        e.PaymentRefundRequested,
        e.PreparationRequested,
        e.PreparationCancellationRequested,
        e.CourierRequested,
        e.CourierOffered,  # which couriers were asked concerns the dispatcher alone
        e.CourierReleaseRequested,
        # erasures of customers, which are in streams of their own
        ErasureRequested,
        KeyDestroyed,
        # what employees do about the order
        e.NoteAdded,
        e.ApprovalRequested,
        e.ApprovalGiven,
        # how the engine runs it
        e.RunStarted,
        e.OrderParked,
        e.ReportContested,
        e.ReportConfirmed,
        # circuits belong to no order
        CircuitOpened,
        CircuitClosed,
        CircuitForcedClosed,
        CircuitHeldOpen,
    }
)
"""The event types that stay in the log."""

WITHHELD = frozenset({"by", "payment_method"})
"""Fields that are not published: the actor, which only the audit needs, and the customer's payment method."""


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
    return [_cloud_event(order_id, entry) for entry in recorded if _is_published(order_id, entry)]


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
