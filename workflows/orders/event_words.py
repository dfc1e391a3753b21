"""A sentence for each event of an order, the same in the API, on the command line and on a page.

Events come as the API's JSON, so that a sentence never contains what its reader may not see. A type without a sentence
here (recorded by a newer engine) is named in words, so that nothing is missing from a timeline.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TypeAlias

from workflows.orders.words import WITHHELD, Data, actor, money, plain, quoted, why_cancelled

Earlier: TypeAlias = Mapping[int, Data]
"""Events that precede an event, by version. After a cut they are not all of them."""


def event_sentence(event: Data, earlier: Earlier) -> str:
    """Return one sentence without a full stop, e.g. ``Payment authorized, 42.50 EUR held``."""
    kind, data = event["type"], event["data"]
    if kind in _FROM_EARLIER:
        return _FROM_EARLIER[kind](event, earlier)
    sentence = _FROM_DATA.get(kind)
    return sentence(data) if sentence else re.sub(r"(?<!^)(?=[A-Z])", " ", kind).capitalize()


_INTENTS = {
    "PaymentAuthorizationRequested": "authorization",
    "PaymentCaptureRequested": "capture",
    "PaymentRefundRequested": "refund",
    "PaymentLookupRequested": "look-up",
    "PreparationRequested": "ticket",
    "CourierRequested": "offer",
}


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
    """The sentence, and the code for the reason if the reader may see it."""
    return lambda data: (
        sentence if data.get("reason") in {None, "", WITHHELD} else f"{sentence}: {plain(data['reason'])}"
    )


def _at_fault(data: Data) -> str:
    """Name the party at fault, to append to a sentence."""
    return f" (at fault: {data['fault']})"


def _fixed(sentence: str) -> Callable[[Data], str]:
    return lambda _: sentence


_REQUESTS = {
    "item_unavailable": "report of an unavailable item",
    "delivery_failed": "report of a failed delivery",
    "confirm_report": "confirmation of a contested report",
    "refund_extra": "refund of a payment that was taken twice",
}


def _run_started(event: Data, _earlier: Earlier) -> str:
    data = event["data"]
    if data["by"]["role"] == "system":  # the same commit records first why
        return f"Run {data['run']} started automatically because of event {event['version'] - 1}"
    return f"Run {data['run']} started by {actor(data['by'])}{quoted(data['reason'])}"


def _order_cancelled(_event: Data, earlier: Earlier) -> str:
    kinds = {event["type"] for event in earlier.values()}
    undone = [
        words for kind, words in (("PaymentVoided", "released"), ("PaymentRefunded", "refunded")) if kind in kinds
    ]
    return f"Order cancelled, payment {' and '.join(undone)}" if undone else "Order cancelled"


def _completed(_event: Data, earlier: Earlier) -> str:
    given_up = {event["data"]["intent"] for event in earlier.values() if event["type"] == "WrittenOff"}
    captures = {version for version, event in earlier.items() if event["type"] == "PaymentCaptureRequested"}
    return f"Order completed, delivered and {'its price given up in part or whole' if given_up & captures else 'paid'}"


def _written_off(event: Data, earlier: Earlier) -> str:
    data = event["data"]
    intent = earlier.get(data["intent"])
    what = "" if intent is None else _INTENTS.get(intent["type"], "intent")
    amount = f"{money(intent['data']['amount'])} " if intent is not None and "amount" in intent["data"] else ""
    subject = f"{amount}{what} (event {data['intent']})" if what else f"Event {data['intent']}"
    return (
        f"{subject[0].upper()}{subject[1:]} written off by {actor(data['by'])}{quoted(data['reason'])}{_at_fault(data)}"
    )


_FROM_EARLIER: dict[str, Callable[[Data, Earlier], str]] = {
    "RunStarted": _run_started,
    "OrderCancelled": _order_cancelled,
    "OrderCompleted": _completed,
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
    "CancellationRequested": lambda d: f"Cancellation begun {why_cancelled(d)}{_at_fault(d)}",
    "CreditGranted": lambda d: (
        f"Credit of {money(d['amount'])} granted by {actor(d['by'])}{quoted(d['reason'])}{_at_fault(d)}"
    ),
    "NoteAdded": lambda d: f"Note by {actor(d['by'])}{quoted(d['text'])}",
    "OrderAbandoned": lambda d: (
        f"Abandoned by {actor(d['by'])}, nothing was reversed{quoted(d['reason'])}{_at_fault(d)}"
    ),
    "ApprovalRequested": lambda d: (
        f"Second person needed for the {_REQUESTS.get(d['wish'], plain(d['wish']))} of {money(d['amount'])} "
        f"requested by {actor(d['by'])}{quoted(d['reason'])}"
    ),
    "ApprovalRejected": lambda d: f"Request {d['approval']} rejected by {actor(d['by'])}{quoted(d['reason'])}",
    "IncidentAssigned": lambda d: (
        f"Incident taken on by {d['to']}{quoted(d.get('reason'))}"
        if d["to"]
        else f"Incident released by {actor(d['by'])}{quoted(d.get('reason'))}"
    ),
    "ReportedOnBehalf": lambda d: (
        f"Passed on by {actor(d['by'])} for the {d['on_behalf_of']}{quoted(d['said_by'])}{quoted(d['reason'])}"
    ),
    "ApprovalGiven": lambda d: f"Request {d['approval']} approved by {actor(d['by'])}{quoted(d.get('reason'))}",
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
    "PaymentLookupRequested": lambda d: (
        f"Capture {d['capture_id']} of {money(d['amount'])} reported by {actor(d['by'])} as taken without the order"
        f"{quoted(d['reason'])}; look-up at the provider requested"
    ),
    "PaymentFound": lambda d: f"The provider took {money(d['amount'])} more, as {d['capture_id']}",
    "PaymentNotFound": _with_code("The provider has no such payment to refund"),
    "PreparationRequested": _fixed("Ticket for the restaurant requested"),
    "PreparationAccepted": lambda d: f"Restaurant accepted, ready at {d['ready_at'][11:16]} UTC",
    "PreparationRejected": _with_code("Restaurant rejected the order"),
    "PreparationTimedOut": _fixed("Restaurant did not answer in time"),
    "ItemUnavailable": _line_unavailable,
    "PreparationReady": _fixed("Meal is ready for pickup"),
    "PreparationOverdue": _fixed("Meal was not ready in time"),
    "PreparationCancellationRequested": _fixed("Cancellation of the ticket requested"),
    "PreparationCancelled": _fixed("Ticket cancelled by the restaurant"),
    "PreparationWrittenOff": lambda d: f"Ticket could not be recalled ({plain(d['reason'])}), written off",
    "CourierRequested": lambda d: f"Offer to couriers requested, attempt {d['attempt']}",
    "CourierOffered": lambda d: f"Offered to {_couriers(d['couriers'])}",
    "CourierAssigned": lambda d: f"Courier {d['courier']} took the delivery",
    "CourierDeclined": _courier_declined,
    "CourierTimedOut": _fixed("No courier answered in time"),
    "OrderPickedUp": _fixed("Courier picked the meal up"),
    "OrderDelivered": _fixed("Delivered to the customer"),
    "DeliveryFailed": lambda d: f"{_with_code('Delivery failed')(d)}{_at_fault(d)}",
    "DeliveryOverdue": _fixed("No delivery report in time"),
    "CourierReleaseRequested": lambda d: f"Withdrawal of offer {d['request']} requested",
    "CourierReleased": _fixed("Offer withdrawn"),
    "CourierWrittenOff": lambda d: f"Courier could not be released ({plain(d['reason'])}), written off",
}

SENTENCES = _FROM_EARLIER.keys() | _FROM_DATA.keys()
"""The types of events that have a sentence of their own."""
