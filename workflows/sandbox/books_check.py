"""The books check: what the outside holds, took and gave back, held against the log, order by order and line by line.

Three rules. For each order, the provider's ledger and the fold say the same of what is held, captured and refunded.
Each line of a ledger is explained by exactly one event: by the outcome that answers the call's key, or, for a ticket or
an offer, by the intent that sent it, or that withdrew it before the facts overtook it. And each payment that the log
tells of has its line.

It may run beside a working engine: a call that was made and is not recorded yet has an open intent, which says so
(``pending``). An ended order has none, so there everything must agree.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, groupby

from domain.identifiers import OrderId
from domain.money import Money, total
from domain.order.books import books
from domain.order.events import (
    CourierReleased,
    CourierReleaseRequested,
    CourierRequested,
    CourierWrittenOff,
    Event,
    PaymentAuthorized,
    PaymentCaptured,
    PaymentCaptureRefused,
    PaymentDeclined,
    PaymentRefunded,
    PaymentVoided,
    PreparationCancellationRequested,
    PreparationCancelled,
    PreparationRequested,
    PreparationWrittenOff,
)
from domain.order.intents import open_intents
from domain.order.order import Order, RunState
from domain.order.payment import Hold, Transfer
from workflows.event_store.commits import Opaque, RecordedEvent
from workflows.event_store.event_log import EventLog
from workflows.event_store.streams import order_id_in, order_stream
from workflows.orders.command_handling import fold
from workflows.sandbox.counterparty import Counterparty
from workflows.sandbox.ledger import Entry
from workflows.sandbox.opening import Sandbox


@dataclass(frozen=True, slots=True)
class Difference:
    """Something on which the log and a ledger disagree. ``what`` names both sides."""

    order_id: str
    what: str


@dataclass(frozen=True, slots=True)
class BooksReport:
    """What was compared, and where it differs. ``pending`` lines belong to calls whose record is under way."""

    orders: int
    lines: int
    pending: int
    differences: tuple[Difference, ...]

    @property
    def balanced(self) -> bool:
        return not self.differences


@dataclass(frozen=True, slots=True)
class Account:
    """One order's money, as one side tells it."""

    held: Money
    captured: Money
    refunded: Money

    def __str__(self) -> str:
        return f"{self.held} held, {self.captured} captured, {self.refunded} refunded"


def check_books(log: EventLog, sandbox: Sandbox) -> BooksReport:
    """Compare the whole log with the three ledgers.

    The log is read first: what it tells of happened outside before it was recorded, so the ledgers have it. An order
    that differs is read again, alone, and judged by that: it may have moved meanwhile.
    """
    orders = dict(_orders(log))
    ledgers = [_by_order(counterparty.entries()) for counterparty in _counterparties(sandbox)]
    found: list[_Comparison] = []
    for order_id in orders | dict.fromkeys(chain(*ledgers)):
        comparison = _compare(order_id, orders.get(order_id, ()), [ledger.get(order_id, []) for ledger in ledgers])
        if comparison.differences:
            recorded = log.load(order_stream(order_id)).recorded
            again = [_by_order(counterparty.entries()) for counterparty in _counterparties(sandbox)]
            comparison = _compare(order_id, recorded, [ledger.get(order_id, []) for ledger in again])
        found.append(comparison)
    return BooksReport(
        orders=len(found),
        lines=sum(len(lines) for ledger in ledgers for lines in ledger.values()),
        pending=sum(comparison.pending for comparison in found),
        differences=tuple(Difference(each.order_id, what) for each in found for what in each.differences),
    )


def _orders(log: EventLog) -> Iterator[tuple[OrderId, tuple[RecordedEvent, ...]]]:
    for stream, commits in groupby(log.scan(), key=lambda commit: commit.pk):
        order_id = order_id_in(stream)
        if order_id is not None:
            yield order_id, tuple(event for commit in commits for event in log.events(commit))


def _counterparties(sandbox: Sandbox) -> tuple[Counterparty, ...]:
    return sandbox.payments, sandbox.kitchen, sandbox.couriers


def _by_order(lines: Iterable[Entry]) -> Mapping[OrderId, list[Entry]]:
    """A line belongs to the order that its key begins with; it may not know the order otherwise (a tombstone)."""
    found: defaultdict[OrderId, list[Entry]] = defaultdict(list)
    for line in lines:
        found[OrderId(line.key.partition("/")[0])].append(line)
    return found


def _compare(order_id: OrderId, recorded: tuple[RecordedEvent, ...], lines: list[list[Entry]]) -> _Comparison:
    comparison = _Comparison(order_id, recorded)
    payments, *others = lines
    if not comparison.differences:
        comparison.explain(payments, _PAYMENT)
        for requests in others:
            comparison.explain(requests, _REQUEST)
        comparison.find_missing(payments)
        comparison.compare_accounts(payments)
    return comparison


# Which events explain a line of this kind: those that answer the version in its key, or that are of this version.
_PAYMENT: Mapping[str, tuple[type, ...]] = {
    "authorized": (PaymentAuthorized,),
    "declined": (PaymentDeclined,),
    "captured": (PaymentCaptured,),
    "released": (PaymentCaptured,),
    "voided": (PaymentVoided,),
    "expired": (PaymentVoided, PaymentCaptureRefused),
    "refunded": (PaymentRefunded,),
}
_REQUEST: Mapping[str, tuple[type, ...]] = {
    "arrived": (PreparationRequested, CourierRequested),
    "turned_away": (PreparationRequested, CourierRequested),
    "taken_back": (PreparationCancelled, CourierReleased),
    "too_late": (PreparationWrittenOff, CourierWrittenOff),
}

_OVERTAKEN = dict.fromkeys(("taken_back", "too_late"), (PreparationCancellationRequested, CourierReleaseRequested))
"""A withdrawal that the facts overtook, e.g. by a pickup, is not asked for again: then its intent explains the line."""


class _Comparison:
    """One order: its events, and what the ledgers have of it."""

    def __init__(self, order_id: OrderId, recorded: tuple[RecordedEvent, ...]) -> None:
        self.order_id = order_id
        self.pending = 0
        self.differences = [
            f"version {entry.version} is of a type unknown here, so the order cannot be judged; upgrade first"
            for entry in recorded
            if isinstance(entry.event, Opaque)
        ]
        self._events = [(entry.version, entry.event) for entry in recorded if not isinstance(entry.event, Opaque)]
        self._order = fold(order_id, tuple(event for _, event in self._events))
        self._open = {found.version for found in open_intents(self._order)}

    def explain(self, lines: Iterable[Entry], kinds: Mapping[str, tuple[type, ...]]) -> None:
        """Is each line explained by exactly one event?"""
        for line in lines:
            version = _version(line.key)
            explaining = self._explaining(version, kinds[line.kind])
            if not explaining and not self._under_way(version):
                explaining = self._explaining(version, _OVERTAKEN.get(line.kind, ()))
            if len(explaining) == 1:
                self._compare_amounts(line, explaining[0])
            elif not explaining and self._under_way(version):
                self.pending += 1
            else:
                self.differences.append(
                    f"the ledger's line '{line.kind}' under key {line.key} is explained by {len(explaining)} events"
                )

    def _explaining(self, version: int, kinds: tuple[type, ...]) -> list[Event]:
        return [event for at, event in self._events if _explains(at, event, version, kinds)]

    def find_missing(self, lines: list[Entry]) -> None:
        """Has each payment that the log tells of its line? A hold that lapsed may be let go of without one."""
        by_id = {line.id: line for line in lines}
        closed = {line.parent for line in lines if line.kind in {"voided", "expired"}}
        held = self._order.payment.authorization
        for version, event in self._events:
            made = _made(event)
            if made is not None and made not in by_id:
                self.differences.append(f"version {version} ({type(event).__name__}) has no line {made} in the ledger")
            if isinstance(event, PaymentVoided) and held is not None and held.authorization_id not in closed:
                self.differences.append(f"version {version} (PaymentVoided) let go of nothing in the ledger")

    def compare_accounts(self, lines: list[Entry]) -> None:
        """Do both sides say the same of the money? While a call is under way they may not, and need not."""
        if self._order.placed is None or self.pending:
            return
        theirs, ours = _account_of(lines, self._order.currency), _account(self._order, lines)
        if theirs != ours:
            self.differences.append(f"the provider says {theirs}; the log says {ours}")
        if not books(self._order).balanced:
            self.differences.append(f"the books of the log do not balance: {books(self._order)}")
        if self._order.run_state is RunState.ENDED and not books(self._order).settled:
            self.differences.append(f"the order has ended and is not settled: {books(self._order)}")

    def _compare_amounts(self, line: Entry, event: Event) -> None:
        amount = getattr(event, "amount", None)
        if line.kind != "released" and amount is not None and amount != line.amount:
            self.differences.append(
                f"the ledger's line '{line.kind}' is {line.amount}, {type(event).__name__} says {amount}"
            )

    def _under_way(self, version: int) -> bool:
        """The call was made and its outcome is not in the log yet; or its intent is newer than what was read."""
        return version in self._open or (version > self._order.version and self._order.run_state is not RunState.ENDED)


def _explains(at: int, event: Event, version: int, kinds: tuple[type, ...]) -> bool:
    return isinstance(event, kinds) and getattr(event, "answers", at) == version


def _version(key: str) -> int:
    """The version in a call's key; no order has a version below 1, so another's key is explained by nothing."""
    version = key.partition("/")[2]
    return int(version) if version.isdecimal() else 0


def _made(event: Event) -> str | None:
    """The id of the ledger's line that this event tells of."""
    match event:
        case PaymentAuthorized():
            return event.authorization_id
        case PaymentCaptured():
            return event.capture_id
        case PaymentRefunded():
            return event.refund_id
        case _:
            return None


def _account_of(lines: list[Entry], currency: str) -> Account:
    """The provider's side: the sum of its lines."""

    def moved(*kinds: str) -> Money:
        return total((line.amount for line in lines if line.kind in kinds and line.amount is not None), currency)

    captured = moved("captured")
    return Account(moved("authorized") - captured - moved("released", "voided", "expired"), captured, moved("refunded"))


def _account(order: Order, lines: list[Entry]) -> Account:
    """The log's side. A hold that a person wrote off is whatever the provider says it is."""
    payment, authorization = order.payment, order.payment.authorization
    held = Money.zero(order.currency)
    if authorization is not None and authorization.state is Hold.HELD:
        held = authorization.amount
    if authorization is not None and authorization.state is Hold.WRITTEN_OFF:
        held = _account_of(lines, order.currency).held
    expired = any(line.kind == "expired" for line in lines)
    return Account(
        Money.zero(order.currency) if expired else held,
        payment.taken(Transfer.DONE),
        payment.returned(Transfer.DONE),
    )
