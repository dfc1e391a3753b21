"""Refusals of commands. The class names the broken rule; state machines and clients match on the class name."""

from __future__ import annotations

from domain.identifiers import OrderId, Role
from domain.money import Money
from domain.picklable import Picklable


class Rejected(Picklable, Exception):
    """A command was refused and nothing was recorded. HTTP: 409 unless the subclass says otherwise."""


class InvalidOrder(Rejected):
    """A field of a new order breaks a rule. HTTP: 422."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field
        self.problem = problem


class OrderNotFound(Rejected):
    """The order does not exist. HTTP: 404."""

    def __init__(self, order_id: OrderId) -> None:
        super().__init__(f"Order {order_id} does not exist.")
        self.order_id = order_id


class OrderAlreadyPlaced(Rejected):
    """An order with other contents was placed under this id before."""

    def __init__(self, order_id: OrderId) -> None:
        super().__init__(
            f"Order {order_id} was placed before with other contents. Use a new Idempotency-Key for a new order."
        )
        self.order_id = order_id


class OrderAlreadyPickedUp(Rejected):
    """The meal was picked up, or reported as delivered, so the order cannot be cancelled; a credit is possible."""

    def __init__(self, order_id: OrderId) -> None:
        super().__init__(
            f"The meal of order {order_id} was picked up or reported as delivered, so the order cannot be cancelled. "
            "Grant a credit instead."
        )
        self.order_id = order_id


class OrderAlreadyEnded(Rejected):
    """The order is completed, cancelled or abandoned, so it cannot be changed in this way any more."""

    def __init__(self, order_id: OrderId) -> None:
        super().__init__(
            f"Order {order_id} has ended. What remains possible: a note, and a credit if it was completed."
        )
        self.order_id = order_id


class OrderAlreadyCancelling(Rejected):
    """A credit is pointless: the customer pays nothing for an order that is being cancelled."""

    def __init__(self, order_id: OrderId) -> None:
        super().__init__(
            f"Order {order_id} is being cancelled, or was, so the customer pays nothing for it. Money still held "
            f"is given back by itself, or the order is an incident (expediter order why {order_id}, "
            f"GET /orders/{order_id}/why)."
        )
        self.order_id = order_id


class CancellationNotAllowed(Rejected):
    """Couriers and auditors cannot cancel orders. HTTP: 403."""

    def __init__(self, role: Role) -> None:
        super().__init__(f"{role.capitalize()}s cannot cancel orders. Customers, restaurants and support can.")
        self.role = role


class NotAsked(Rejected):
    """The report answers an intent that the order does not have."""

    def __init__(self, fact: str, answers: int) -> None:
        super().__init__(
            f"{fact} does not apply: version {answers} of this order is not a request that it can answer. Ask why the "
            "order waits (expediter order why ORDER, GET /orders/{order_id}/why) to see which report helps."
        )
        self.fact = fact
        self.answers = answers


class UnknownLine(Rejected):
    """The line number is not one of the order's. HTTP: 422."""

    def __init__(self, line: int, lines: int) -> None:
        super().__init__(f"Line {line} does not exist. The order has lines 1 to {lines}.")
        self.line = line


class ImplausibleAmount(Rejected):
    """The amount is zero, negative or in another currency than the order. HTTP: 422."""

    def __init__(self, amount: Money, currency: str) -> None:
        super().__init__(f"{amount} is not possible for this order: use an amount in {currency} above zero.")
        self.amount = amount
        self.currency = currency


class NotTheNextRun(Rejected):
    """The number of a new run must be that of the current run plus one."""

    def __init__(self, order_id: OrderId, run: int, current: int) -> None:
        super().__init__(f"Order {order_id} is in run {current}. The next run is {current + 1}, not {run}.")
        self.order_id = order_id
        self.run = run
        self.current = current


class RunSuperseded(Rejected):
    """A newer run carries the order on. The older run ends without doing anything more."""

    def __init__(self, order_id: OrderId, run: int, current: int) -> None:
        super().__init__(f"Run {run} of order {order_id} was superseded by run {current}.")
        self.order_id = order_id
        self.run = run
        self.current = current


class CreditExceedsDue(Rejected):
    """The credit is larger than what the customer has to pay."""

    def __init__(self, amount: Money, due: Money) -> None:
        super().__init__(f"A credit of {amount} exceeds the {due} that the customer has to pay. Credit at most that.")
        self.amount = amount
        self.due = due


class CaptureRecorded(Rejected):
    """The capture is the order's own payment, so it is not refunded as an extra one."""

    def __init__(self, capture_id: str, intent: int) -> None:
        super().__init__(
            f"Capture {capture_id} is the order's own payment (event {intent}), not an extra one. "
            "Grant a credit instead."
        )
        self.capture_id = capture_id
        self.intent = intent


class CaptureInDoubt(Rejected):
    """The outcome of the order's own capture is not known yet, so the reported capture may be that one."""

    def __init__(self, capture_id: str, intent: int) -> None:
        super().__init__(
            f"The outcome of the order's own capture (event {intent}) is not known yet, and {capture_id} may be it. "
            "Retry the order first."
        )
        self.capture_id = capture_id
        self.intent = intent


class SecondPersonNeeded(Rejected):
    """The person who made a request cannot approve it. HTTP: 403."""

    def __init__(self, approval: int, person: str) -> None:
        super().__init__(f"{person} made request {approval}, so a second person has to approve it.")
        self.approval = approval
        self.person = person


class NoSuchApproval(Rejected):
    """No request with this number waits for approval. HTTP: 404."""

    def __init__(self, approval: int) -> None:
        super().__init__(
            f"There is no pending approval {approval} on this order. List the pending ones (expediter incidents "
            "approvals, GET /approvals)."
        )
        self.approval = approval


class ApprovalOutdated(Rejected):
    """The request would now move more money than when it was made, so it must be made again."""

    def __init__(self, approval: int, asked: Money, now: Money) -> None:
        super().__init__(
            f"Approval {approval} was requested for {asked}, but it would now be {now}. Make the request again."
        )
        self.approval = approval
        self.asked = asked
        self.now = now


class NotContested(Rejected):
    """The event is not a contested report, or it was confirmed before. HTTP: 404."""

    def __init__(self, report: int) -> None:
        super().__init__(
            f"Event {report} of this order is not a contested report. The incident's plans name the one that can be "
            "confirmed."
        )
        self.report = report


class NothingOwed(Rejected):
    """The intent holds nothing and has nothing left to collect, so there is nothing to write off."""

    def __init__(self, intent: int) -> None:
        super().__init__(
            f"There is nothing to write off for event {intent} of this order. The incident lists the events that hold "
            "or owe something."
        )
        self.intent = intent


class StillNeeded(Rejected):
    """The order still needs what was to be written off. ``claim`` is the capture that was refused, if one was."""

    def __init__(self, intent: int, claim: int | None = None) -> None:
        first = (
            "Cancel the order first, if the meal was not picked up."
            if claim is None
            else f"Write off event {claim}, the refused capture, instead."
        )
        super().__init__(f"The order still needs what event {intent} holds. {first}")
        self.intent = intent
        self.claim = claim
