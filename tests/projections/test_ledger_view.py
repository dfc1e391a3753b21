"""The views ``ledger`` and ``taxes``: sums over their rows are the books of the orders."""

from __future__ import annotations

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.order.evolving import evolve_all
from domain.order.ledger import balances, transactions
from tests.domain.order.stories import ORDER_ID
from tests.domain.order.world import played, plays
from tests.projections.histories import OneOrderLog
from workflows.orders.booked import booked
from workflows.orders.command_handling import fold, folded_order
from workflows.projections.ledger import LEDGER_VIEW
from workflows.projections.taxes import TAXES_VIEW

several_orders = given(several=st.lists(plays(), min_size=1, max_size=3), contradictory=st.booleans())
seldom = settings(max_examples=25, deadline=None)


@seldom
@several_orders
def test_the_books_of_several_orders_are_the_sum_of_their_ledgers(several, contradictory: bool):
    """Each side of the view adds up to the same, and each account to the balances that the orders have."""
    of_rows, of_orders = Counter[str](), Counter[str]()
    for play in several:
        history = OneOrderLog(played(play, contradictory=contradictory)).newest
        rows = LEDGER_VIEW.rows(history, 0)
        assert sum(row["debit_minor"] for row in rows) == sum(row["credit_minor"] for row in rows)
        assert all((row["debit_minor"] > 0) != (row["credit_minor"] > 0) for row in rows)
        for row in rows:
            of_rows[row["account"]] += row["debit_minor"] - row["credit_minor"]
        for account, minor in balances(transactions(ORDER_ID, history.events)).items():
            of_orders[account.value] += minor
    assert _not_zero(of_rows) == _not_zero(of_orders)


def _not_zero(sums: Counter[str]) -> dict[str, int]:
    return {account: minor for account, minor in sums.items() if minor}


@seldom
@several_orders
def test_a_payable_has_a_party_and_no_other_account_has_one(several, contradictory: bool):
    """A payout needs its receiver; a meal can be delivered without a known courier only by contradicting reports."""
    for play in several:
        history = OneOrderLog(played(play, contradictory=contradictory)).newest
        for row in LEDGER_VIEW.rows(history, 0):
            if row["account"] == "restaurant_payable":
                assert row["party"] == row["restaurant"]
            elif row["account"] != "courier_payable":
                assert row["party"] is None


def test_rows_are_booked_on_the_day_of_recording():
    """A report that comes a day late changes no day that has passed."""
    history = OneOrderLog(played((12, []))).newest
    rows = [*LEDGER_VIEW.rows(history, 0), *TAXES_VIEW.rows(history, 0)]
    assert rows
    assert all(row["day"] == history.recorded[row["version"] - 1].ts[:10] for row in rows)


def test_the_ledger_and_the_other_views_fold_a_history_once():
    """The ledger needs the order at every version; the order at the end is kept for the others."""
    history = OneOrderLog(played((12, []))).newest
    booked(history)
    kept = folded_order(history)
    assert kept is history.folds[evolve_all]
    assert kept == fold(ORDER_ID, history.events)
