"""The saga that each type of event belongs to, and the event that a compensation takes back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, get_args

from domain.order import events as e
from workflows.event_store.commits import RecordedEvent


class Saga(StrEnum):
    """The saga that an event belongs to: that of the whole order, or that of one counterparty."""

    ORDER = "order"
    PAYMENT = "payment"
    PREPARATION = "preparation"
    DELIVERY = "delivery"


def saga_of(event: object) -> Saga | None:
    """Return the saga of an event; None for an event of a newer release."""
    return _SAGAS.get(type(event))


_SAGAS: Mapping[type[Any], Saga] = {
    **dict.fromkeys(get_args(e.Decision), Saga.ORDER),
    **dict.fromkeys((*get_args(e.PaymentIntent), *get_args(e.PaymentFact)), Saga.PAYMENT),
    **dict.fromkeys((*get_args(e.PreparationIntent), *get_args(e.PreparationFact)), Saga.PREPARATION),
    **dict.fromkeys((e.PreparationTimedOut, e.PreparationOverdue), Saga.PREPARATION),
    **dict.fromkeys((*get_args(e.DeliveryIntent), *get_args(e.DeliveryFact)), Saga.DELIVERY),
    **dict.fromkeys((e.CourierTimedOut, e.DeliveryOverdue), Saga.DELIVERY),
}


def undone_by(recorded: RecordedEvent, earlier: Sequence[RecordedEvent]) -> int | None:
    """Return the version of the event that this one takes back, wholly or in part; None if it takes none back.

    Both the request to take something back and the report that it was done name it.

    Args:
        earlier: All events before it.
    """
    event = recorded.event
    match event:
        case e.PaymentVoidRequested():
            return _newest(earlier, e.PaymentAuthorized, "authorization_id", event.authorization_id)
        case e.PaymentRefundRequested():
            return _newest(earlier, (e.PaymentCaptured, e.PaymentFound), "capture_id", event.capture_id)
        case e.PreparationCancellationRequested() | e.CourierReleaseRequested():
            return event.request
        case e.PaymentVoided() | e.PaymentRefunded() | e.PreparationCancelled() | e.CourierReleased():
            return undone_by(earlier[event.answers - 1], earlier[: event.answers - 1])
        case _:
            return None


def _newest(
    earlier: Sequence[RecordedEvent], kinds: type[Any] | tuple[type[Any], ...], field: str, value: str
) -> int | None:
    for recorded in reversed(earlier):
        if isinstance(recorded.event, kinds) and getattr(recorded.event, field) == value:
            return recorded.version
    return None
