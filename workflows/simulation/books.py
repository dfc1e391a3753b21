"""The books of a world: even in every transaction, and equal to the simulated payment provider's statement."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date

from domain.order.ledger import LedgerAccount, balances
from domain.order.order import RunState
from workflows.books.reconciliation import Period, reconcile
from workflows.books.recorded import RecordedPayment, payments_in
from workflows.books.statement import LineKind, StatementLine
from workflows.event_store.commits import History
from workflows.event_store.event_log import EventLog
from workflows.event_store.replay import BrokenStream, histories
from workflows.event_store.streams import order_id_in
from workflows.orders.booked import booked
from workflows.orders.command_handling import folded_order
from workflows.sandbox.opening import Sandbox
from workflows.sandbox.statement import statement_lines

ALWAYS = Period(date.min, date.max)
_SIGN = {LineKind.CAPTURED: 1, LineKind.REFUNDED: -1}


def books_violations(log: EventLog, sandbox: Sandbox) -> Iterator[str]:
    """Describe every way in which the books are wrong.

    The orders that ended are compared with the provider. Of the others a call may be under way.
    """
    payments: list[RecordedPayment] = []
    clearing, ended = Counter[str](), set[str]()
    for history in histories(log):
        if isinstance(history, BrokenStream) or order_id_in(history.stream) is None:
            continue
        yield from _uneven(history)
        order = folded_order(history)
        if order.run_state is RunState.ENDED:
            balances_left = balances(booked(history))
            if held := balances_left.get(LedgerAccount.HOLDS):
                yield f"{order.order_id} ended with {held} {order.currency} on holds"
            clearing[order.currency] += balances_left.get(LedgerAccount.PROVIDER_CLEARING, 0)
            payments += payments_in(order.order_id, history.events)
            ended.add(order.order_id)
    lines = [line for line in statement_lines(sandbox.payments.entries()) if line.order in ended]
    for each in reconcile(lines, payments, ALWAYS).differences:
        yield f"{each.order} differs from the provider's statement: {each.kind} of {each.id or 'a payment'}"
    yield from _other_sums(clearing, lines)


def _uneven(history: History) -> Iterator[str]:
    for transaction in booked(history):
        if sum(posting.amount.minor for posting in transaction.postings):
            yield f"{history.stream}: the transaction of version {transaction.version} does not add up to zero"


def _other_sums(clearing: Counter[str], lines: Sequence[StatementLine]) -> Iterator[str]:
    stated = Counter[str]()
    for line in lines:
        stated[line.amount.currency] += _SIGN.get(line.kind, 0) * line.amount.minor
    for currency in clearing.keys() | stated.keys():
        if clearing[currency] != stated[currency]:
            yield f"the clearing account has {clearing[currency]} {currency}, the provider {stated[currency]}"
