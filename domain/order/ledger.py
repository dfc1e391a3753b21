"""The ledger of an order: double entry, one transaction for each event that moves or promises money.

The balances of an order are a function of its state, and a transaction is their change by one event. So balances and
order cannot disagree, and the postings of every transaction add up to zero. In each amount a debit is positive and a
credit negative.

A sale is booked when the meal is delivered and taken back if the order is cancelled afterwards. What the customer does
not pay of it is an expense of the party at fault. A payable belongs to a party: to the order's restaurant, or to the
courier who delivered the meal.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from domain.identifiers import OrderId
from domain.money import Money
from domain.order.books import books, due, is_sold
from domain.order.events import CreditGranted, Event, Fault, OrderAbandoned, WrittenOff
from domain.order.evolving import evolve
from domain.order.order import Order, initial
from domain.order.payment import Hold
from domain.order.tax import TaxPart, tax_parts


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
    """A debit (positive) or a credit (negative) of one account. ``party``: the restaurant or courier of a payable."""

    account: LedgerAccount
    amount: Money
    party: str | None = None


@dataclass(frozen=True, slots=True)
class Transaction:
    """What the event of this version changed. The postings add up to zero.

    ``taxes`` are the changes of the taxed parts of the sale: negative where a part became smaller.
    """

    version: int
    event: Event
    postings: tuple[Posting, ...]
    taxes: tuple[TaxPart, ...] = ()


Balances = dict[LedgerAccount, int]
"""Balances in minor units of the order's currency. Accounts that are zero are left out."""


def transactions(order_id: OrderId, events: Iterable[Event], *, after: int = 0) -> Iterator[Transaction]:
    """Return the transactions of an order's events, oldest first, as ``book`` does."""
    return iter(book(order_id, events, after=after)[1])


def book(order_id: OrderId, events: Iterable[Event], *, after: int = 0) -> tuple[Order, tuple[Transaction, ...]]:
    """Fold an order's events, and return the order and the transactions on the way, oldest first.

    Events that change no balance have no transaction.

    Args:
        events: All events of the order.
        after: Leave out the transactions of events up to this version.
    """
    booked: list[Transaction] = []
    now = _BookedOrder(initial(order_id), _Blame())
    for event in events:
        before, now = now, now.after(event)
        if not _may_change_balances(before.order, now.order):
            now = replace(now, kept=before.kept)
        elif now.order.version > after:
            old, new = before.balances(), now.balances()
            now = replace(now, kept=new)
            postings = _postings(old, new, now.order.currency)
            if postings:
                changes = _tax_changes(before.order, now.order)
                booked.append(Transaction(now.order.version, event, postings, changes))
    return now.order, tuple(booked)


def balances(booked: Iterable[Transaction]) -> Balances:
    """Return the balances of all accounts after these transactions."""
    summed = Balances()
    for transaction in booked:
        for posting in transaction.postings:
            summed[posting.account] = summed.get(posting.account, 0) + posting.amount.minor
    return {account: minor for account, minor in summed.items() if minor}


def payables(order: Order) -> dict[tuple[LedgerAccount, str | None], Money]:
    """Return what the restaurant and the courier of the order are paid, by account and party; nothing before a sale."""
    return {
        (account, party): Money(-minor, order.currency)
        for account, party, minor in _sale(order, _Blame())
        if account in (LedgerAccount.RESTAURANT_PAYABLE, LedgerAccount.COURIER_PAYABLE)
    }


_BALANCE_FIELDS = ("placed", "payment", "lines", "cancellation", "abandoned", "credited", "unreturned")


def _may_change_balances(before: Order, after: Order) -> bool:
    """Whether an event changed a part of the order that balances depend on. An unchanged part is the same object."""
    if after.delivery is not before.delivery and after.delivery.delivered:
        return True
    return any(getattr(before, name) is not getattr(after, name) for name in _BALANCE_FIELDS)


_PartyBalances = dict[tuple[LedgerAccount, str | None], int]
"""Balances by account and party."""


@dataclass(frozen=True, slots=True)
class _BookedOrder:
    """An order at one version, and the parties at fault for what the customer does not pay.

    ``kept`` are its balances, if they were worked out already.
    """

    order: Order
    blame: _Blame
    kept: _PartyBalances | None = None

    def after(self, event: Event) -> _BookedOrder:
        order = evolve(self.order, event)
        return _BookedOrder(order, self.blame.after(event, order))

    def balances(self) -> _PartyBalances:
        return _balances(self.order, self.blame) if self.kept is None else self.kept


def _postings(old: _PartyBalances, new: _PartyBalances, currency: str) -> tuple[Posting, ...]:
    changed = {key: new.get(key, 0) - old.get(key, 0) for key in {**old, **new}}
    return tuple(
        Posting(account, Money(minor, currency), party)
        for (account, party), minor in sorted(changed.items(), key=lambda item: (_PLACE[item[0][0]], item[0][1] or ""))
        if minor
    )


_PLACE = {account: place for place, account in enumerate(LedgerAccount)}


def _tax_changes(before: Order, after: Order) -> tuple[TaxPart, ...]:
    old, new = (
        {(part.tax_class, part.rate_bp): part for part in (tax_parts(order) if is_sold(order) else ())}
        for order in (before, after)
    )
    zero = Money.zero(after.currency)
    changes = []
    for key in {**old, **new}:
        was, is_ = old.get(key), new.get(key)
        gross = (is_.gross if is_ else zero) - (was.gross if was else zero)
        tax = (is_.tax if is_ else zero) - (was.tax if was else zero)
        if gross or tax:
            changes.append(TaxPart(tax_class=key[0], rate_bp=key[1], gross=gross, tax=tax))
    return tuple(changes)


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


def _balances(order: Order, blame: _Blame) -> _PartyBalances:
    settled, held = books(order), _held(order)
    moved, kept = (settled.captured - settled.refunded).minor, settled.unreturned.minor
    entries = [
        (LedgerAccount.HOLDS, None, held),
        (LedgerAccount.HELD_FOR_CUSTOMERS, None, -held),
        (LedgerAccount.PROVIDER_CLEARING, None, moved),
        (LedgerAccount.KEPT, None, -kept),
        (LedgerAccount.CUSTOMER_RECEIVABLE, None, settled.due.minor + kept - moved),
        *_sale(order, blame),
    ]
    summed = _PartyBalances()
    for account, party, minor in entries:
        summed[account, party] = summed.get((account, party), 0) + minor
    return {key: minor for key, minor in summed.items() if minor}


def _sale(order: Order, blame: _Blame) -> Iterator[tuple[LedgerAccount, str | None, int]]:
    placed = order.placed
    if placed is None or not is_sold(order):
        return
    courier = None if order.delivery.current is None else order.delivery.current.courier
    yield LedgerAccount.RESTAURANT_PAYABLE, placed.restaurant, -sum(line.total.minor for line in order.lines)
    yield LedgerAccount.COURIER_PAYABLE, courier, -(placed.delivery_fee + placed.tip).minor
    yield LedgerAccount.PLATFORM_FEES, None, -placed.service_fee.minor
    left = order.gross_minor  # credits beyond the price of what was available lower nothing
    for fault, minor in blame.granted:
        yield LedgerAccount(f"credits:{fault}"), None, min(minor, left)
        left -= min(minor, left)
    for fault, minor in blame.write_offs:
        yield LedgerAccount(f"write_offs:{fault}"), None, minor


def _uncollected(order: Order) -> int:
    """What the customer of a delivered order does not pay although no credit covers it, in minor units."""
    return order.total.minor - due(order).minor if is_sold(order) else 0


def _held(order: Order) -> int:
    authorization = order.payment.authorization
    return 0 if authorization is None or authorization.state is not Hold.HELD else authorization.amount.minor
