"""Events in words: what a support person reads in a timeline.

The events come as the API shows them: a type's name and its data as JSON. A type that is not known here (a newer
engine's) is shown by its name, so that nothing is ever left out of a timeline.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, TypeAlias

from workflows.clock import read_timestamp

Data: TypeAlias = Mapping[str, Any]


def in_words(kind: str, data: Data) -> str:
    """One sentence without a full stop, e.g. ``Card authorized, 42.50 EUR held``."""
    words = _WORDS.get(kind)
    return words(data) if words else re.sub(r"(?<!^)(?=[A-Z])", " ", kind).capitalize()


def money(value: Mapping[str, str]) -> str:
    """``12.50 EUR``."""
    return f"{value['amount']} {value['currency']}"


def since(start: str, then: str) -> str:
    """Time between two RFC 3339 times as people say it: ``+0.4s``, ``+38s``, ``+3m53``, ``+1h23``."""
    passed = max(read_timestamp(then) - read_timestamp(start), timedelta())
    seconds = passed.total_seconds()
    if seconds < 10:
        return f"+{seconds:.1f}s"
    minutes, seconds_left = divmod(int(seconds), 60)
    hours, minutes_left = divmod(minutes, 60)
    if hours:
        return f"+{hours}h{minutes_left:02d}"
    return f"+{minutes}m{seconds_left:02d}" if minutes else f"+{seconds_left}s"


def actor(value: Mapping[str, str]) -> str:
    """``courier cou_7``; Expediter itself is ``system``."""
    return "system" if value["role"] == "system" else f"{value['role']} {value['id']}"


def plain(name: str) -> str:
    """``preparation_rejected`` -> ``preparation rejected``."""
    return name.replace("_", " ")


def _placed(data: Data) -> str:
    items = sum(line["quantity"] for line in data["lines"])
    return f"Order placed, {items} item{'' if items == 1 else 's'} from {data['restaurant']}"


def _reasoned(sentence: str) -> Callable[[Data], str]:
    return lambda data: f"{sentence}: {plain(data['reason'])}" if data.get("reason") else sentence


def _fixed(sentence: str) -> Callable[[Data], str]:
    return lambda _: sentence


def _decliner(data: Data) -> str:
    return f"Courier {data['courier']}" if data.get("courier") else "Courier"


def _cancelling(data: Data) -> str:
    asked = data["cause"] == "asked"
    why = f"by {actor(data['by'])}" if asked else f"because of {plain(data['cause'])}"
    reason = f": {data['reason']}" if data.get("reason") else ""
    return f"Cancelling {why}{reason} (at fault: {data['fault']})"


_WORDS: dict[str, Callable[[Data], str]] = {
    "OrderPlaced": _placed,
    "RunStarted": lambda d: f"Run {d['run']} started by {actor(d['by'])}: {d['reason']}",
    "OrderParked": lambda d: f"Parked for a person to look: {d['error']}",
    "CancellationRequested": _cancelling,
    "OrderCancelled": _fixed("Order cancelled, everything given back"),
    "OrderCompleted": _fixed("Order completed, delivered and paid for"),
    "CreditGranted": lambda d: f"Credit of {money(d['amount'])} granted by {actor(d['by'])}: {d['reason']}",
    "WrittenOff": lambda d: f"Written off by {actor(d['by'])}, what #{d['intent']} holds or owes: {d['reason']}",
    "NoteAdded": lambda d: f"Note of {actor(d['by'])}: {d['text']}",
    "OrderAbandoned": lambda d: f"Given up by {actor(d['by'])}, nothing undone: {d['reason']}",
    "ApprovalRequested": lambda d: (
        f"{actor(d['by'])} wants to {plain(d['wish'])}, {money(d['amount'])}; a second person is needed: {d['reason']}"
    ),
    "ApprovalGiven": lambda d: f"{actor(d['by'])} agrees to #{d['approval']}",
    "PaymentAuthorizationRequested": lambda d: f"Authorization of {money(d['amount'])} requested",
    "PaymentAuthorized": lambda d: f"Payment authorized, {money(d['amount'])} held",
    "PaymentDeclined": _reasoned("Payment declined"),
    "PaymentCaptureRequested": lambda d: f"Capture of {money(d['amount'])} requested",
    "PaymentCaptured": lambda d: f"{money(d['amount'])} captured",
    "PaymentCaptureRefused": _reasoned("Capture refused"),
    "PaymentVoidRequested": _fixed("Release of the authorization requested"),
    "PaymentVoided": _fixed("Authorization released, nothing is held any more"),
    "PaymentVoidRefused": _reasoned("Release of the authorization refused"),
    "PaymentRefundRequested": lambda d: f"Refund of {money(d['amount'])} requested",
    "PaymentRefunded": lambda d: f"{money(d['amount'])} refunded",
    "PaymentRefundRefused": _reasoned("Refund refused"),
    "PreparationRequested": _fixed("Preparation requested from the restaurant"),
    "PreparationAccepted": lambda d: f"Restaurant accepted, ready at {d['ready_at'][11:16]} UTC",
    "PreparationRejected": _reasoned("Restaurant rejected the order"),
    "PreparationTimedOut": _fixed("Restaurant did not answer in time"),
    "ItemUnavailable": lambda d: f"Line {d['line']} is out of stock, {d['available'] or 'none'} of it can be had",
    "PreparationReady": _fixed("Meal is ready for pickup"),
    "PreparationOverdue": _fixed("Meal was not ready in time"),
    "PreparationCancellationRequested": _fixed("Cancellation of the ticket requested"),
    "PreparationCancelled": _fixed("Ticket taken off the board"),
    "PreparationWrittenOff": _reasoned("Too late to take the ticket back"),
    "CourierRequested": lambda d: f"Courier requested, attempt {d['attempt']}",
    "CourierAssigned": lambda d: f"Courier {d['courier']} takes it",
    "CourierOffered": lambda d: f"Offered to couriers {', '.join(d['couriers'])}",
    "CourierDeclined": lambda d: _reasoned(f"{_decliner(d)} declined")(d),
    "CourierTimedOut": _fixed("No courier in time"),
    "OrderPickedUp": _fixed("Courier picked the meal up"),
    "OrderDelivered": _fixed("Delivered to the customer"),
    "DeliveryFailed": lambda d: f"Delivery failed: {plain(d['reason'])} (at fault: {d['fault']})",
    "DeliveryOverdue": _fixed("Nobody said in time what became of the meal"),
    "CourierReleaseRequested": lambda d: f"Withdrawal of offer #{d['request']} requested",
    "CourierReleased": _fixed("Offer withdrawn, no courier is under way for it"),
    "CourierWrittenOff": _reasoned("Too late to release the courier"),
}
