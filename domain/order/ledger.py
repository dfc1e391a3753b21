"""The ledger of an order: double entry, one transaction for each event that moves or promises money.

The balances of an order are a function of its state, and a transaction is their change by one event. So balances and
order cannot disagree, and the postings of every transaction add up to zero. In each amount a debit is positive and a
credit negative.

A sale is booked when the meal is delivered and taken back if the order is cancelled afterwards. What the customer does
not pay of it is an expense of the party at fault.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from domain.identifiers import OrderId
from domain.money import Money
from domain.order.books import books, due
from domain.order.events import CreditGranted, Event, Fault, OrderAbandoned, WrittenOff
from domain.order.order import Order, evolve, initial
from domain.order.payment import Hold


class LedgerAccount(StrEnum):
    """An account of the ledger.

    ``HOLDS`` and ``HELD_FOR_CUSTOMERS`` are memo accounts: authorized money is promised and not moved.
    ``KEPT`` is captured money that by decision of a person is not refunded.
    """

    HOLDS = "holds"
    HELD_FOR_CUSTOMERS = "held_for_customers"
    CUSTOMER_RECEIVABLE = "customer_receivable"
    PROVIDER_CLEARING = "provider_clearing"
    RESTAURANT_PAYABLE = "restaurant_payable"
    COURIER_PAYABLE = "courier_payable"
    PLATFORM_FEES = "platform_fees"
    KEPT = "kept"
    CREDITS_CUSTOMER = "credits:customer"
    CREDITS_RESTAURANT = "credits:restaurant"
    CREDITS_COURIER = "credits:courier"
    CREDITS_PLATFORM = "credits:platform"
    WRITE_OFFS_CUSTOMER = "write_offs:customer"
    WRITE_OFFS_RESTAURANT = "write_offs:restaurant"
    WRITE_OFFS_COURIER = "write_offs:courier"
    WRITE_OFFS_PLATFORM = "write_offs:platform"


@dataclass(frozen=True, slots=True)
class Posting:
    """A debit (positive) or a credit (negative) of one account."""

    account: LedgerAccount
    amount: Money


@dataclass(frozen=True, slots=True)
class Transaction:
    """What the event of this version changed. The postings add up to zero."""

    version: int
    event: Event
    postings: tuple[Posting, ...]


Balances = dict[LedgerAccount, int]
"""Balances in minor units of the order's currency. Accounts that are zero are left out."""


def transactions(order_id: OrderId, events: Iterable[Event]) -> Iterator[Transaction]:
    """Return the transactions of an order's events, oldest first. Events that change no balance have none."""
    order, blame, before = initial(order_id), _Blame(), Balances()
    for event in events:
        order = evolve(order, event)
        blame = blame.after(event, order)
        after = _balances(order, blame)
        changed = {account: after.get(account, 0) - before.get(account, 0) for account in {**before, **after}}
        postings = tuple(
            Posting(account, Money(changed[account], order.currency))
            for account in LedgerAccount
            if changed.get(account)
        )
        if postings:
            yield Transaction(order.version, event, postings)
        before = after


def balances(booked: Iterable[Transaction]) -> Balances:
    """Return the balances of all accounts after these transactions."""
    summed = Balances()
    for transaction in booked:
        for posting in transaction.postings:
            summed[posting.account] = summed.get(posting.account, 0) + posting.amount.minor
    return {account: minor for account, minor in summed.items() if minor}


@dataclass(frozen=True, slots=True)
class _Blame:
    """By party at fault, in minor units: credits that were granted, and what else the customer does not pay."""

    granted: tuple[tuple[Fault, int], ...] = ()
    write_offs: tuple[tuple[Fault, int], ...] = ()

    def after(self, event: Event, order: Order) -> _Blame:
        granted = self.granted
        if isinstance(event, CreditGranted):
            granted = (*granted, (event.fault, event.amount.minor))
        fault = event.fault if isinstance(event, WrittenOff | OrderAbandoned) else Fault.PLATFORM
        return _Blame(granted, _moved_to(self.write_offs, _uncollected(order), fault))


def _moved_to(parts: tuple[tuple[Fault, int], ...], whole: int, fault: Fault) -> tuple[tuple[Fault, int], ...]:
    """Make the parts add up to ``whole``: an increase gets this fault, a decrease is taken from the newest parts."""
    excess = sum(minor for _, minor in parts) - whole
    if excess < 0:
        return (*parts, (fault, -excess))
    kept = list(parts)
    while excess > 0:
        newest, minor = kept.pop()
        excess -= minor
        if excess < 0:
            kept.append((newest, -excess))
    return tuple(kept)


def _balances(order: Order, blame: _Blame) -> Balances:
    settled, held = books(order), _held(order)
    moved, kept = (settled.captured - settled.refunded).minor, settled.unreturned.minor
    entries = [
        (LedgerAccount.HOLDS, held),
        (LedgerAccount.HELD_FOR_CUSTOMERS, -held),
        (LedgerAccount.PROVIDER_CLEARING, moved),
        (LedgerAccount.KEPT, -kept),
        (LedgerAccount.CUSTOMER_RECEIVABLE, settled.due.minor + kept - moved),
        *_sale(order, blame),
    ]
    summed = Balances()
    for account, minor in entries:
        summed[account] = summed.get(account, 0) + minor
    return {account: minor for account, minor in summed.items() if minor}


def _sale(order: Order, blame: _Blame) -> Iterator[tuple[LedgerAccount, int]]:
    placed = order.placed
    if placed is None or not _is_sold(order):
        return
    yield LedgerAccount.RESTAURANT_PAYABLE, -sum(line.total.minor for line in order.lines)
    yield LedgerAccount.COURIER_PAYABLE, -(placed.delivery_fee + placed.tip).minor
    yield LedgerAccount.PLATFORM_FEES, -placed.service_fee.minor
    left = _gross(order)  # credits beyond the price of what was available lower nothing
    for fault, minor in blame.granted:
        yield LedgerAccount(f"credits:{fault}"), min(minor, left)
        left -= min(minor, left)
    for fault, minor in blame.write_offs:
        yield LedgerAccount(f"write_offs:{fault}"), minor


def _is_sold(order: Order) -> bool:
    return order.placed is not None and order.delivery.delivered and order.cancellation is None


def _gross(order: Order) -> int:
    """Price of the available quantities with fees and tip, before credits, in minor units."""
    placed = order.placed
    assert placed is not None
    fees = placed.delivery_fee + placed.service_fee + placed.tip
    return sum(line.total.minor for line in order.lines) + fees.minor


def _uncollected(order: Order) -> int:
    """What the customer of a delivered order does not pay although no credit covers it, in minor units."""
    return order.total.minor - due(order).minor if _is_sold(order) else 0


def _held(order: Order) -> int:
    authorization = order.payment.authorization
    return 0 if authorization is None or authorization.state is not Hold.HELD else authorization.amount.minor
