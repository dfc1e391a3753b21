"""Sentences for people about the events and the state of an order.

Events come as the API's JSON. A type without a sentence here (recorded by a newer engine) is shown by its name, so that
nothing is missing from a timeline.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, TypeAlias

from workflows.clock import read_timestamp
from workflows.orders.waiting_words import ANSWERS, outcome_words

Data: TypeAlias = Mapping[str, Any]

Earlier: TypeAlias = Mapping[int, Data]
"""Events that precede an event, by version. After a cut they are not all of them."""


def event_sentence(event: Data, earlier: Earlier) -> str:
    """Return one sentence without a full stop, e.g. ``Payment authorized, 42.50 EUR held``."""
    kind, data = event["type"], event["data"]
    if kind in _FROM_EARLIER:
        return _FROM_EARLIER[kind](event, earlier)
    sentence = _FROM_DATA.get(kind)
    return sentence(data) if sentence else re.sub(r"(?<!^)(?=[A-Z])", " ", kind).capitalize()


def payment_sentence(payment: Data) -> str:
    """Say what was authorized, captured, released and refunded of an order's payment."""
    authorization = payment["authorization"]
    if authorization is None:
        return f"{payment['method']}: nothing authorized yet"
    sentence = _UNAUTHORIZED.get(authorization["state"], "").format(money(authorization["amount"]))
    refunded = "" if is_zero(payment["refunded"]) else f", refunded {money(payment['refunded'])}"
    return f"{payment['method']}: {sentence or _authorized(payment)}{refunded}"


_UNAUTHORIZED = {"asked": "authorization of {} requested", "declined": "authorization of {} declined"}


def _authorized(payment: Data) -> str:
    authorized, captured, released = payment["authorized"], payment["captured"], payment["released"]
    if is_zero(captured):
        return f"{money(authorized)} authorized{'' if is_zero(released) else ', released without a capture'}"
    if is_zero(released):
        return f"captured {money(captured)}"
    return f"captured {captured['amount']} of {money(authorized)} authorized, {money(released)} released"


def cancellation_sentence(cancellation: Data, *, ended: bool) -> str:
    """Say who or what cancelled an order, and which party is at fault."""
    cancelled = "Cancelled" if ended else "Being cancelled"
    return f"{cancelled} {_why_cancelled(cancellation)}. At fault: {cancellation['fault']}."


def waiting_sentences(order: Data) -> list[str]:
    """Say what the order waits for, e.g. ``waiting for the restaurant to accept ticket 4, until 05:00:36 UTC``.

    First the answers that have a deadline, then the other calls without a recorded outcome.
    """
    answers = [wait for wait in order.get("waiting", ()) if wait["until"]]
    calls = [call for call in order["pending"] if call["version"] not in {wait["intent_version"] for wait in answers}]
    return [
        *(
            f"waiting for {ANSWERS[wait['what']].format(wait['intent_version'])}, until {wait['until'][11:19]} UTC"
            for wait in answers
        ),
        *(f"waiting for {outcome_words(call['intent'], call['version'])}" for call in calls),
    ]


def money(value: Data) -> str:
    """Return ``12.50 EUR``."""
    return f"{value['amount']} {value['currency']}"


def is_zero(amount: Data) -> bool:
    """Tell whether an amount of money is zero."""
    return set(amount["amount"]) <= set("0.")


def since(start: str, then: str) -> str:
    """Return the time between two RFC 3339 times: ``+0.4s``, ``+38s``, ``+3m53``, ``+1h23``."""
    passed = max(read_timestamp(then) - read_timestamp(start), timedelta())
    seconds = passed.total_seconds()
    if seconds < 10:
        return f"+{seconds:.1f}s"
    minutes, seconds_left = divmod(int(seconds), 60)
    hours, minutes_left = divmod(minutes, 60)
    if hours:
        return f"+{hours}h{minutes_left:02d}"
    return f"+{minutes}m{seconds_left:02d}" if minutes else f"+{seconds_left}s"


def actor(value: Data) -> str:
    """Return ``courier cou_7``; Expediter itself is ``system``."""
    return "system" if value["role"] == "system" else f"{value['role']} {value['id']}"


def plain(name: str) -> str:
    """Return the words of a name: ``timed_out`` -> ``timed out``; ``write_off`` is spelled ``write-off`` for people."""
    return name.replace("write_off", "write-off").replace("_", " ")


def spaced(name: str) -> str:
    """Return the words of a class name: ``DeliveryOverdue`` -> ``delivery overdue``."""
    return re.sub(r"(?<!^)(?=[A-Z])", " ", name).lower()


def _why_cancelled(data: Data) -> str:
    if data["cause"] == "asked":
        return f"by {actor(data['by'])}{_quoted(data.get('reason'))}"
    return f"because {_CAUSES.get(data['cause'], plain(data['cause']))}"


_CAUSES = {
    "payment_declined": "the payment was declined",
    "preparation_rejected": "the restaurant rejected the order",
    "preparation_timed_out": "the restaurant did not answer in time",
    "preparation_overdue": "the meal was not ready in time",
    "nothing_left": "no item is available",
    "no_courier": "no courier took the delivery",
    "delivery_failed": "the delivery failed",
    "abandoned": "the order was abandoned",
}

_INTENTS = {
    "PaymentAuthorizationRequested": "authorization",
    "PaymentCaptureRequested": "capture",
    "PaymentRefundRequested": "refund",
    "PreparationRequested": "ticket",
    "CourierRequested": "offer",
}


def _quoted(reason: str | None) -> str:
    return "" if reason in (None, "", "(withheld)") else f': "{reason}"'


def _couriers(couriers: list[str] | str) -> str:
    """Name the couriers of an offer, which only operators see."""
    return "couriers" if isinstance(couriers, str) else ", ".join(couriers) or "no courier"


def _placed(data: Data) -> str:
    items = sum(line["quantity"] for line in data["lines"])
    return f"Order placed, {items} item{'' if items == 1 else 's'} from {data['restaurant']}"


def _line_unavailable(data: Data) -> str:
    available = data["available"]
    return f"Line {data['line']}: {f'only {available} available' if available else 'out of stock'}"


def _courier_declined(data: Data) -> str:
    who = f"Courier {data['courier']}" if data.get("courier") else "Courier"  # older events do not name the courier
    return _with_code(f"{who} declined")(data)


def _with_code(sentence: str) -> Callable[[Data], str]:
    """The sentence, and the provider's code for the reason."""
    return lambda data: f"{sentence}: {plain(data['reason'])}" if data.get("reason") else sentence


def _fixed(sentence: str) -> Callable[[Data], str]:
    return lambda _: sentence


_REQUESTS = {
    "item_unavailable": "report of an unavailable item",
    "delivery_failed": "report of a failed delivery",
    "confirm_report": "confirmation of a contested report",
}


def _run_started(event: Data, _earlier: Earlier) -> str:
    data = event["data"]
    if data["by"]["role"] == "system":  # the same commit records first why
        return f"Run {data['run']} started automatically because of event {event['version'] - 1}"
    return f"Run {data['run']} started by {actor(data['by'])}{_quoted(data['reason'])}"


def _order_cancelled(_event: Data, earlier: Earlier) -> str:
    kinds = {event["type"] for event in earlier.values()}
    undone = [
        words for kind, words in (("PaymentVoided", "released"), ("PaymentRefunded", "refunded")) if kind in kinds
    ]
    return f"Order cancelled, payment {' and '.join(undone)}" if undone else "Order cancelled"


def _written_off(event: Data, earlier: Earlier) -> str:
    data = event["data"]
    intent = earlier.get(data["intent"])
    what = "" if intent is None else _INTENTS.get(intent["type"], "intent")
    amount = f"{money(intent['data']['amount'])} " if intent is not None and "amount" in intent["data"] else ""
    subject = f"{amount}{what} (event {data['intent']})" if what else f"Event {data['intent']}"
    return f"{subject[0].upper()}{subject[1:]} written off by {actor(data['by'])}{_quoted(data['reason'])}"


_FROM_EARLIER: dict[str, Callable[[Data, Earlier], str]] = {
    "RunStarted": _run_started,
    "OrderCancelled": _order_cancelled,
    "WrittenOff": _written_off,
}
"""Sentences that name other events."""

_FROM_DATA: dict[str, Callable[[Data], str]] = {
    "OrderPlaced": _placed,
    "OrderParked": lambda d: f"Parked, support has to decide: {d['error']}",
    "ReportContested": lambda d: (
        f"Event {d['report']} contradicts "
        + (f"event {d['contradicts']}" if d["contradicts"] else "a missing report")
        + " and has no effect until support decides"
    ),
    "ReportConfirmed": lambda d: f"Event {d['report']} takes effect, confirmed by {actor(d['by'])}",
    "CancellationRequested": lambda d: f"Cancellation begun {_why_cancelled(d)} (at fault: {d['fault']})",
    "OrderCompleted": _fixed("Order completed, delivered and paid"),
    "CreditGranted": lambda d: f"Credit of {money(d['amount'])} granted by {actor(d['by'])}{_quoted(d['reason'])}",
    "NoteAdded": lambda d: f"Note by {actor(d['by'])}{_quoted(d['text'])}",
    "OrderAbandoned": lambda d: f"Abandoned by {actor(d['by'])}, nothing was reversed{_quoted(d['reason'])}",
    "ApprovalRequested": lambda d: (
        f"Second person needed for the {_REQUESTS.get(d['wish'], plain(d['wish']))} of {money(d['amount'])} "
        f"requested by {actor(d['by'])}{_quoted(d['reason'])}"
    ),
    "ApprovalGiven": lambda d: f"Request {d['approval']} approved by {actor(d['by'])}",
    "PaymentAuthorizationRequested": lambda d: f"Authorization of {money(d['amount'])} requested",
    "PaymentAuthorized": lambda d: f"Payment authorized, {money(d['amount'])} held",
    "PaymentDeclined": _with_code("Payment declined"),
    "PaymentCaptureRequested": lambda d: f"Capture of {money(d['amount'])} requested",
    "PaymentCaptured": lambda d: f"{money(d['amount'])} captured",
    "PaymentCaptureRefused": _with_code("Capture refused by the provider"),
    "PaymentVoidRequested": _fixed("Release of the authorization requested"),
    "PaymentVoided": _fixed("Authorization released"),
    "PaymentVoidRefused": _with_code("Release of the authorization refused by the provider"),
    "PaymentRefundRequested": lambda d: f"Refund of {money(d['amount'])} requested",
    "PaymentRefunded": lambda d: f"{money(d['amount'])} refunded",
    "PaymentRefundRefused": _with_code("Refund refused by the provider"),
    "PreparationRequested": _fixed("Ticket sent to the restaurant"),
    "PreparationAccepted": lambda d: f"Restaurant accepted, ready at {d['ready_at'][11:16]} UTC",
    "PreparationRejected": _with_code("Restaurant rejected the order"),
    "PreparationTimedOut": _fixed("Restaurant did not answer in time"),
    "ItemUnavailable": _line_unavailable,
    "PreparationReady": _fixed("Meal is ready for pickup"),
    "PreparationOverdue": _fixed("Meal was not ready in time"),
    "PreparationCancellationRequested": _fixed("Cancellation of the ticket requested"),
    "PreparationCancelled": _fixed("Ticket cancelled by the restaurant"),
    "PreparationWrittenOff": lambda d: f"Ticket could not be recalled ({plain(d['reason'])}), written off",
    "CourierRequested": lambda d: f"Delivery offered to couriers, attempt {d['attempt']}",
    "CourierOffered": lambda d: f"Offered to {_couriers(d['couriers'])}",
    "CourierAssigned": lambda d: f"Courier {d['courier']} took the delivery",
    "CourierDeclined": _courier_declined,
    "CourierTimedOut": _fixed("No courier answered in time"),
    "OrderPickedUp": _fixed("Courier picked the meal up"),
    "OrderDelivered": _fixed("Delivered to the customer"),
    "DeliveryFailed": lambda d: f"Delivery failed: {plain(d['reason'])} (at fault: {d['fault']})",
    "DeliveryOverdue": _fixed("No delivery report in time"),
    "CourierReleaseRequested": lambda d: f"Withdrawal of offer {d['request']} requested",
    "CourierReleased": _fixed("Offer withdrawn"),
    "CourierWrittenOff": lambda d: f"Courier could not be released ({plain(d['reason'])}), written off",
}

SENTENCES = _FROM_EARLIER.keys() | _FROM_DATA.keys()
"""The types of events that have a sentence of their own."""
