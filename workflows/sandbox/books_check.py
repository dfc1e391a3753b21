"""Compares the event log with the ledgers of the simulated providers, order by order and line by line.

There are three rules. For each order, the ledger and the folded order agree on what is held, captured and refunded.
Each line of a ledger is explained by exactly one event: by the outcome of its call, or, for a ticket or an offer, by
the intent that sent it, or by an intent to withdraw it that later facts made unnecessary. And each payment event has
its line.

The check may run beside a working engine: a call whose outcome is not recorded yet still has an open intent, and its
lines count as ``pending``. An order that has ended has no open intent, so there everything must agree.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, groupby

from domain.identifiers import OrderId
from domain.money import CurrencyMismatch, Money, total
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
    PaymentFound,
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
from workflows.orders.ledger_view import provider_reference
from workflows.sandbox.counterparty import Counterparty
from workflows.sandbox.ledger import Entry
from workflows.sandbox.opening import Sandbox


@dataclass(frozen=True, slots=True)
class Difference:
    """A disagreement between the log and a ledger. ``what`` names both sides."""

    order_id: str
    what: str


@dataclass(frozen=True, slots=True)
class BooksReport:
    """What was compared, and the differences. ``pending`` lines belong to calls whose outcome is not recorded yet."""

    orders: int
    lines: int
    pending: int
    differences: tuple[Difference, ...]

    @property
    def balanced(self) -> bool:
        return not self.differences


@dataclass(frozen=True, slots=True)
class Account:
    """An order's money on one side: the provider's or the log's."""

    held: Money
    captured: Money
    refunded: Money

    def __str__(self) -> str:
        return f"{self.held} held, {self.captured} captured, {self.refunded} refunded"


def check_books(log: EventLog, sandbox: Sandbox) -> BooksReport:
    """Compare the whole log with the three ledgers.

    The log is read first: an outcome is recorded after its call, so the ledgers have the lines of every recorded event.
    An order that differs is read again, because it may have changed between the two readings.
    """
    orders = dict(_orders(log))
    ledgers = [_by_order(counterparty.entries()) for counterparty in _counterparties(sandbox)]
    comparisons: list[_Comparison] = []
    for order_id in orders | dict.fromkeys(chain(*ledgers)):
        comparison = _compare(order_id, orders.get(order_id, ()), [ledger.get(order_id, []) for ledger in ledgers])
        if comparison.differences:
            recorded = log.load(order_stream(order_id)).recorded
            again = [_by_order(counterparty.entries()) for counterparty in _counterparties(sandbox)]
            comparison = _compare(order_id, recorded, [ledger.get(order_id, []) for ledger in again])
        comparisons.append(comparison)
    return BooksReport(
        orders=len(comparisons),
        lines=sum(len(lines) for ledger in ledgers for lines in ledger.values()),
        pending=sum(comparison.pending for comparison in comparisons),
        differences=tuple(Difference(each.order_id, what) for each in comparisons for what in each.differences),
    )


def _orders(log: EventLog) -> Iterator[tuple[OrderId, tuple[RecordedEvent, ...]]]:
    for stream, commits in groupby(log.scan(), key=lambda commit: commit.pk):
        order_id = order_id_in(stream)
        if order_id is not None:
            yield order_id, tuple(event for commit in commits for event in log.events(commit))


def _counterparties(sandbox: Sandbox) -> tuple[Counterparty, ...]:
    return sandbox.payments, sandbox.kitchen, sandbox.couriers


def _by_order(lines: Iterable[Entry]) -> Mapping[OrderId, list[Entry]]:
    """Group lines by the order id that their keys begin with; a tombstone has no reference."""
    by_order: defaultdict[OrderId, list[Entry]] = defaultdict(list)
    for line in lines:
        by_order[OrderId(line.key.partition("/")[0])].append(line)
    return by_order


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


# The events that explain a line of each kind: one that answers the version in the line's key, or is at that version.
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

_UNNECESSARY = dict.fromkeys(("taken_back", "too_late"), (PreparationCancellationRequested, CourierReleaseRequested))
"""A withdrawal that became unnecessary, e.g. by a pickup, is not repeated: then its intent explains the line."""


class _Comparison:
    """Compares the events of one order with its lines in the ledgers."""

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
        self._looked_up = {extra.capture_id for extra in self._order.payment.extras if extra.state is Transfer.ASKED}

    def explain(self, lines: Iterable[Entry], kinds: Mapping[str, tuple[type, ...]]) -> None:
        """Check that each line is explained by exactly one event."""
        for line in lines:
            version = _version(line.key)
            explaining = self._explaining(version, kinds.get(line.kind, ())) or self._found(line)
            if not explaining and not self._under_way(version):
                explaining = self._explaining(version, _UNNECESSARY.get(line.kind, ()))
            if len(explaining) == 1:
                self._compare_amounts(line, explaining[0])
            elif not explaining and (self._under_way(version) or line.id in self._looked_up):
                self.pending += 1
            else:
                self.differences.append(
                    f"the ledger's line '{line.kind}' under key {line.key} is explained by {len(explaining)} events"
                )

    def _explaining(self, version: int, kinds: tuple[type, ...]) -> list[Event]:
        return [event for at, event in self._events if _explains(at, event, version, kinds)]

    def _found(self, line: Entry) -> list[Event]:
        """Return the event by which support had the provider look up an extra capture, if the line is that capture."""
        return [event for _, event in self._events if isinstance(event, PaymentFound) and event.capture_id == line.id]

    def find_missing(self, lines: list[Entry]) -> None:
        """Check that each payment event has its line. An expired hold may be released without one."""
        by_id = {line.id: line for line in lines}
        closed = {line.parent for line in lines if line.kind in {"voided", "expired"}}
        held = self._order.payment.authorization
        for version, event in self._events:
            made = provider_reference(event)
            if made is not None and made not in by_id:
                self.differences.append(f"version {version} ({type(event).__name__}) has no line {made} in the ledger")
            if isinstance(event, PaymentVoided) and held is not None and held.authorization_id not in closed:
                self.differences.append(f"version {version} (PaymentVoided) released nothing in the ledger")

    def compare_accounts(self, lines: list[Entry]) -> None:
        """Check that both sides agree on the money, unless a call is under way."""
        if self._order.placed is None or self.pending:
            return
        try:
            ledger, recorded = _account_of(lines, self._order.currency), _account(self._order, lines)
        except CurrencyMismatch as mismatch:
            self.differences.append(f"the provider has another currency: {mismatch}")
            return
        if ledger != recorded:
            self.differences.append(f"the provider has {ledger}; the log has {recorded}")
        if not books(self._order).balanced:
            self.differences.append(f"the books of the log do not balance: {books(self._order)}")
        if self._order.run_state is RunState.ENDED and not books(self._order).settled:
            self.differences.append(f"the order has ended and is not settled: {books(self._order)}")

    def _compare_amounts(self, line: Entry, event: Event) -> None:
        amount = getattr(event, "amount", None)
        if line.kind != "released" and amount is not None and amount != line.amount:
            self.differences.append(
                f"the ledger's line '{line.kind}' is {line.amount}, {type(event).__name__} has {amount}"
            )

    def _under_way(self, version: int) -> bool:
        """Whether the outcome of this intent is not recorded yet, or the intent is newer than what was read."""
        return version in self._open or (version > self._order.version and self._order.run_state is not RunState.ENDED)


def _explains(at: int, event: Event, version: int, kinds: tuple[type, ...]) -> bool:
    return isinstance(event, kinds) and getattr(event, "answers", at) == version


def _version(key: str) -> int:
    """Return the version in a call's key; 0 for a key of another form, which no event explains."""
    version = key.partition("/")[2]
    return int(version) if version.isdecimal() else 0


def _account_of(lines: list[Entry], currency: str) -> Account:
    """Return the provider's side: the sums of its lines. The first capture of a hold closes it."""

    def moved(*kinds: str) -> Money:
        return total((line.amount for line in lines if line.kind in kinds and line.amount is not None), currency)

    once = {line.parent: line.amount for line in reversed(lines) if line.kind == "captured" and line.amount is not None}
    closed = total(once.values(), currency) + moved("released", "voided", "expired")
    return Account(moved("authorized") - closed, moved("captured"), moved("refunded"))


def _account(order: Order, lines: list[Entry]) -> Account:
    """Return the log's side. For a hold that a person wrote off, the provider's amount is taken over."""
    payment, authorization = order.payment, order.payment.authorization
    held = Money.zero(order.currency)
    if authorization is not None and authorization.state is Hold.HELD:
        held = authorization.amount
    if authorization is not None and authorization.state is Hold.WRITTEN_OFF:
        held = _account_of(lines, order.currency).held
    expired = any(line.kind == "expired" for line in lines)
    return Account(
        Money.zero(order.currency) if expired else held,
        payment.captured,
        payment.returned(Transfer.DONE),
    )
