"""The audiences of every event and of each of its fields, in one table.

``visible`` decides wherever events are shown: the history and the replay of an order, incidents, circuits, the events
on the bus. An event class without a row cannot be shown, and a test fails for a field without an entry. Which orders a
caller may read at all is in ``permissions``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any

from domain.catalogue import events as r
from domain.identifiers import Actor, Role
from domain.order import events as e
from domain.order.order import Order
from workflows.breakers import events as circuit
from workflows.event_store.commits import Opaque
from workflows.event_store.erasure import (
    CustomerErased,
    ErasureProposed,
    ErasureRejected,
    ErasureRequested,
    KeyDestroyed,
)
from workflows.orders.access_events import AuditDataRead, PersonalDataRead
from workflows.orders.json_values import JSON, plain
from workflows.orders.permissions import Action, may


class Audience(StrEnum):
    """A reader of events. ``CARRIER`` is the courier who brings, or brought, the meal; ``COURIER`` is any other.

    ``SUBSCRIBER`` receives the events of all orders: from the bus, or by a webhook.
    """

    CUSTOMER = "customer"
    RESTAURANT = "restaurant"
    COURIER = "courier"
    CARRIER = "carrier"
    SUPPORT = "support"
    AUDITOR = "auditor"
    SERVICE = "service"
    SUBSCRIBER = "subscriber"


Audiences = frozenset[Audience]


def audience_of(actor: Actor, order: Order | None = None) -> Audience:
    """Return the audience of a caller that may read the order.

    Args:
        order: Needed only for couriers. Without it a courier counts as one who does not bring the meal.
    """
    if actor.role is Role.COURIER and order is not None and may(actor, Action.READ_PERSONAL, order):
        return Audience.CARRIER
    return Audience(actor.role.value)


def discreet(audience: Audience, *, personal: bool) -> Audience:
    """Return the audience itself, or auditors in place of support and services if personal data is not wanted."""
    return Audience.AUDITOR if not personal and audience in (Audience.SUPPORT, Audience.SERVICE) else audience


def visible(event: object, audience: Audience) -> dict[str, JSON] | None:
    """Return the fields of an event that the audience may see, as JSON.

    Fields that it may not see are left out. ``views.event_view`` puts ``(withheld)`` in their place.

    Args:
        event: An event, or the ``Opaque`` of a newer release, which only the operators see.

    Returns:
        None if the event is not shown to the audience.
    """
    if isinstance(event, Opaque):
        return plain(event.data) if audience in OPERATORS else None
    if audience not in VISIBILITY[type(event)].event:
        return None
    return {name: plain(getattr(event, name)) for name in seen_fields(event, audience)}


def seen_fields(event: object, audience: Audience) -> Sequence[str]:
    """Return the names of the fields of an event that the audience sees, if it may see the event.

    Beyond the table, auditors see why support cancelled. Why a customer cancelled is the customer's own text.
    """
    names = _seen_names(type(event), audience)  # type: ignore[arg-type]  # a class is hashable
    by_support = isinstance(event, e.CancellationRequested) and event.by.role is Role.SUPPORT
    return (*names, "reason") if by_support and audience is Audience.AUDITOR else names


@cache  # some hundred classes of events, and eight audiences
def _seen_names(kind: type[Any], audience: Audience) -> tuple[str, ...]:
    return tuple(name for name, seen_by in VISIBILITY[kind].fields.items() if audience in seen_by)


def sees(audience: Audience, event: type[Any], field: str) -> bool:
    """Return whether the audience may see a field of an event, for a view that contains the field's value."""
    return audience in VISIBILITY[event].fields[field]


@dataclass(frozen=True, slots=True)
class Sight:
    """The audiences that see an event, and the audiences of each of its fields."""

    event: Audiences
    fields: Mapping[str, Audiences]


PUBLIC: Audiences = frozenset(Audience)
"""Every audience that can read the order, and subscribers."""

READERS: Audiences = PUBLIC - {Audience.SUBSCRIBER}
"""Every audience that can read the order."""

INVOLVED: Audiences = READERS - {Audience.COURIER, Audience.AUDITOR}
"""Audiences that need the customer's personal data for this order."""

COOKING: Audiences = INVOLVED - {Audience.CARRIER}
"""Audiences that read the customer's texts for the kitchen."""

PAYING: Audiences = frozenset({Audience.CUSTOMER, Audience.SUPPORT, Audience.SERVICE})
"""Audiences that are concerned with the payment: not restaurants and couriers."""

OPERATORS: Audiences = frozenset({Audience.SUPPORT, Audience.AUDITOR, Audience.SERVICE})
"""The operators of the platform and its auditors."""

STAFF: Audiences = frozenset({Audience.SUPPORT, Audience.AUDITOR})
"""The readers of incidents and circuits."""

COLLEAGUES: Audiences = frozenset({Audience.SUPPORT})
"""Readers of support's notes for colleagues. A note may name the customer, so auditors do not read it."""

REVIEWERS: Audiences = INVOLVED | {Audience.AUDITOR}
"""Readers of the reason of a change by support, which is written for the audit."""


def _row(event: Audiences, names: str, narrower: Mapping[str, Audiences]) -> Sight:
    return Sight(event, {**dict.fromkeys(names.split(), event), **narrower})


def _published(names: str = "", /, **narrower: Audiences) -> Sight:
    return _row(PUBLIC, names, narrower)


def _kept(names: str = "", /, **narrower: Audiences) -> Sight:
    return _row(READERS, names, narrower)


def _staff(names: str) -> Sight:
    return _row(STAFF, names, {})


_OUTCOME = _published("answers at")
_REFUSED = _published("answers reason at")

VISIBILITY: Mapping[type[Any], Sight] = {
    # the order
    e.OrderPlaced: _published(
        "order_id customer restaurant lines delivery_fee service_fee tip placed_at menu_version fee_tax_class "
        "fee_tax_rate_bp",
        payment_method=PAYING,
        contact=INVOLVED,
        kitchen_note=COOKING,
    ),
    e.RunStarted: _kept("run by", reason=OPERATORS),
    e.OrderParked: _kept("run error", detail=OPERATORS),
    e.ReportContested: _kept("report contradicts"),
    e.ReportConfirmed: _kept("report by"),
    e.ReportedOnBehalf: _kept("report on_behalf_of by", said_by=STAFF, reason=STAFF),
    e.CancellationRequested: _published("cause fault", by=READERS, reason=INVOLVED),
    e.OrderCancelled: _published(),
    e.OrderCompleted: _published(),
    e.CreditGranted: _published("credit_id amount fault", by=READERS, reason=REVIEWERS),
    e.WrittenOff: _published("intent fault", by=READERS, reason=STAFF),
    e.NoteAdded: _kept("note_id by", text=COLLEAGUES),
    e.OrderAbandoned: _published("fault unclaimed unreturned", by=READERS, reason=STAFF),
    e.ApprovalRequested: _kept(
        "wish amount fault by credit_id intent line available reported_at capture_id", reason=STAFF
    ),
    e.ApprovalGiven: _kept("approval by", reason=STAFF),
    e.ApprovalRejected: _kept("approval by", reason=STAFF),
    e.IncidentAssigned: _kept("by", to=STAFF, reason=STAFF),
    # payment
    e.PaymentAuthorizationRequested: _kept("amount", payment_method=PAYING),
    e.PaymentAuthorized: _published("answers authorization_id amount at"),
    e.PaymentDeclined: _REFUSED,
    e.PaymentCaptureRequested: _kept("authorization_id amount"),
    e.PaymentCaptured: _published("answers capture_id amount at"),
    e.PaymentCaptureRefused: _REFUSED,
    e.PaymentVoidRequested: _kept("authorization_id"),
    e.PaymentVoided: _OUTCOME,
    e.PaymentVoidRefused: _REFUSED,
    e.PaymentRefundRequested: _kept("capture_id amount"),
    e.PaymentRefunded: _published("answers refund_id amount at"),
    e.PaymentRefundRefused: _REFUSED,
    e.PaymentLookupRequested: _kept("capture_id amount by", reason=STAFF),
    e.PaymentFound: _published("answers capture_id amount at"),
    e.PaymentNotFound: _kept("answers reason at"),
    # preparation
    e.PreparationRequested: _kept(),
    e.PreparationAccepted: _published("answers ready_at at"),
    e.PreparationRejected: _published("answers at", reason=INVOLVED),
    e.PreparationTimedOut: _OUTCOME,
    e.ItemUnavailable: _published("answers line available at", by=READERS),
    e.PreparationReady: _OUTCOME,
    e.PreparationOverdue: _OUTCOME,
    e.PreparationCancellationRequested: _kept("request"),
    e.PreparationCancelled: _OUTCOME,
    e.PreparationWrittenOff: _REFUSED,
    # delivery
    e.CourierRequested: _kept("attempt"),
    e.CourierOffered: _kept("answers at", couriers=OPERATORS),
    e.CourierAssigned: _published("answers courier at"),
    e.CourierDeclined: _published("answers at courier", reason=INVOLVED),
    e.CourierTimedOut: _OUTCOME,
    e.OrderPickedUp: _OUTCOME,
    e.OrderDelivered: _OUTCOME,
    e.DeliveryFailed: _published("answers fault at", by=READERS, reason=INVOLVED),
    e.DeliveryOverdue: _OUTCOME,
    e.CourierReleaseRequested: _kept("request"),
    e.CourierReleased: _OUTCOME,
    e.CourierWrittenOff: _REFUSED,
    # restaurants, in streams of their own: every audience that may read orders sees them
    r.RestaurantRegistered: _kept("restaurant profile"),
    r.RestaurantChanged: _kept("profile"),
    r.OrderingPaused: _kept("until", reason=OPERATORS | {Audience.RESTAURANT}),
    r.OrderingResumed: _kept(),
    r.MenuPublished: _kept("menu_version menu"),
    r.SoldOut: _kept("sku option"),
    r.BackInStock: _kept("sku option"),
    # erasures of customers, and circuits: each in streams of their own
    ErasureProposed: _staff("reason proposed_at"),
    ErasureRejected: _staff("reason rejected_at"),
    ErasureRequested: _staff("key_id reason requested_at approval_reason"),
    KeyDestroyed: _staff("key_id destroyed_at"),
    CustomerErased: _staff(
        "key_id reason proposed_by approved_by approved_at destroyed_at orders fields deliveries erased_at"
        " approval_reason"
    ),
    circuit.CircuitOpened: _staff("failures calls window_s last_error at"),
    circuit.CircuitClosed: _staff("probe probes at"),
    circuit.CircuitForcedClosed: _staff("reason at"),
    circuit.CircuitHeldOpen: _staff("reason at"),
    # reads of personal data and of data of all orders, each in a stream of its own
    PersonalDataRead: _row(frozenset({Audience.AUDITOR}), "route orders fields reason at", {}),
    AuditDataRead: _row(frozenset({Audience.AUDITOR}), "route request at", {}),
}
"""By event class. The fields named in the text have the event's audiences; the others have fewer."""
