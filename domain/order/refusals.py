"""Kinds of no. A refusal names the broken rule; state machines and clients match on the class name."""

from __future__ import annotations

from domain.identifiers import OrderId, Role
from domain.money import Money


class Rejected(Exception):
    """A wish, or a payload, that breaks a rule. Nothing was recorded. HTTP: 409 unless the subclass says otherwise."""


class InvalidOrder(Rejected):
    """The order itself is wrong: the caller's payload. HTTP: 422."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field
        self.problem = problem


class OrderNotFound(Rejected):
    """There is no such order. HTTP: 404."""

    def __init__(self, order_id: OrderId) -> None:
        super().__init__(f"there is no order {order_id}")
        self.order_id = order_id


class OrderAlreadyPlaced(Rejected):
    """Another order was placed under this id."""

    def __init__(self, order_id: OrderId) -> None:
        super().__init__(f"order {order_id} was placed before with other contents; use another Idempotency-Key")
        self.order_id = order_id


class OrderAlreadyPickedUp(Rejected):
    """A meal on its way can be credited, not cancelled."""

    def __init__(self, order_id: OrderId) -> None:
        super().__init__(f"order {order_id} was picked up; grant a credit instead")
        self.order_id = order_id


class OrderAlreadyEnded(Rejected):
    """The order is cancelled or completed and owes nothing: there is nothing left to do for a run."""

    def __init__(self, order_id: OrderId) -> None:
        super().__init__(f"order {order_id} has ended and owes nothing")
        self.order_id = order_id


class OrderAlreadyCancelling(Rejected):
    """An order that is being cancelled charges nothing, so there is nothing to credit."""

    def __init__(self, order_id: OrderId) -> None:
        super().__init__(f"order {order_id} is being cancelled; the customer pays nothing for it")
        self.order_id = order_id


class CancellationNotAllowed(Rejected):
    """Couriers and auditors do not cancel orders. HTTP: 403."""

    def __init__(self, role: Role) -> None:
        super().__init__(f"a {role} cannot cancel an order; the customer, the restaurant or support can")
        self.role = role


class NotAsked(Rejected):
    """An answer to a question that this order never asked."""

    def __init__(self, fact: str, answers: int) -> None:
        super().__init__(f"{fact} answers nothing: the order asked no such question in its version {answers}")
        self.fact = fact
        self.answers = answers


class UnknownLine(Rejected):
    """The order has no such line. HTTP: 422."""

    def __init__(self, line: int, lines: int) -> None:
        super().__init__(f"line {line} does not exist; the order has lines 1 to {lines}")
        self.line = line


class ImplausibleAmount(Rejected):
    """An amount of nothing, below it, or in a currency that is not the order's. HTTP: 422."""

    def __init__(self, amount: Money, currency: str) -> None:
        super().__init__(f"{amount} is not an amount of this order: use {currency}, above zero")
        self.amount = amount
        self.currency = currency


class NotTheNextRun(Rejected):
    """Runs are numbered without gaps."""

    def __init__(self, order_id: OrderId, run: int, current: int) -> None:
        super().__init__(f"order {order_id} is in run {current}; the next is run {current + 1}, not {run}")
        self.order_id = order_id
        self.run = run
        self.current = current


class RunSuperseded(Rejected):
    """A newer run of the order decides; this one is to end quietly."""

    def __init__(self, order_id: OrderId, run: int, current: int) -> None:
        super().__init__(f"run {run} of order {order_id} was superseded by run {current}")
        self.order_id = order_id
        self.run = run
        self.current = current


class CreditExceedsDue(Rejected):
    """More than the customer has to pay cannot be credited."""

    def __init__(self, amount: Money, due: Money) -> None:
        super().__init__(f"a credit of {amount} exceeds the {due} that the customer has to pay")
        self.amount = amount
        self.due = due


class SecondPersonNeeded(Rejected):
    """Who wished it cannot approve it. HTTP: 403."""

    def __init__(self, approval: int, person: str) -> None:
        super().__init__(f"{person} asked for this; approval {approval} needs a second person")
        self.approval = approval
        self.person = person


class NoSuchApproval(Rejected):
    """Nobody asked for it. HTTP: 404."""

    def __init__(self, approval: int) -> None:
        super().__init__(f"no wish of version {approval} waits for a second person")
        self.approval = approval


class ApprovalOutdated(Rejected):
    """More is at stake now than the first person saw: the wish is to be made again."""

    def __init__(self, approval: int, asked: Money, now: Money) -> None:
        super().__init__(f"approval {approval} was asked for {asked}, and now it is {now}; ask again")
        self.approval = approval
        self.asked = asked
        self.now = now


class NothingOwed(Rejected):
    """The intent holds and owes nothing, so there is nothing to write off."""

    def __init__(self, intent: int) -> None:
        super().__init__(f"nothing is held or owed by an intent of version {intent}")
        self.intent = intent


class StillNeeded(Rejected):
    """What the order still needs to go on cannot be written off; cancel the order first."""

    def __init__(self, intent: int) -> None:
        super().__init__(f"the order still needs what intent {intent} holds; cancel it first")
        self.intent = intent
