"""The ledger of an order: each event's transaction, and laws over every history that can be reached."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings

from domain.order import events as e
from domain.order.intents import owed
from domain.order.ledger import LedgerAccount, balances, transactions
from domain.order.order import RunState
from domain.order.tax import included_tax
from tests.domain.order import stories as s
from tests.domain.order.oracle import books_of, extra, moved
from tests.domain.order.world import World, played, plays

worlds = pytest.mark.parametrize("contradictory", [False, True], ids=["sound", "contradictory"])
often = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def booked(*lines: s.StoryLine) -> dict[str, dict[str, str]]:
    """Return the postings of a story by the name of their event and account, without empty transactions."""
    return {
        type(transaction.event).__name__: {
            posting.account.value: str(posting.amount) for posting in transaction.postings
        }
        for transaction in transactions(s.ORDER_ID, s.given(*lines).events)
    }


def balances_of(*lines: s.StoryLine) -> dict[str, str]:
    """Return the balances after a story, as texts."""
    summed = balances(transactions(s.ORDER_ID, s.given(*lines).events))
    return {account.value: str(s.Money(minor, "EUR")) for account, minor in summed.items()}


def test_an_order_that_is_delivered_and_paid_books_a_hold_a_sale_and_a_capture():
    """The customer paid 40.00: the items for the restaurant, fee and tip for the courier."""
    entries = booked(*s.COMPLETED)
    assert entries["PaymentAuthorized"] == {"holds": "40.00 EUR", "held_for_customers": "-40.00 EUR"}
    sale = entries["OrderDelivered"]
    assert sale.pop("customer_receivable") == "40.00 EUR"
    assert set(sale) <= {"restaurant_payable", "courier_payable", "platform_fees"}
    assert entries["PaymentCaptured"] == {
        "holds": "-40.00 EUR",
        "held_for_customers": "40.00 EUR",
        "customer_receivable": "-40.00 EUR",
        "provider_clearing": "40.00 EUR",
    }


def test_a_cancelled_order_leaves_no_balance():
    """The hold is released, and nothing was sold."""
    assert booked(*s.AUTHORIZED, s.cancel(), s.voided())["PaymentVoided"] == {
        "holds": "-40.00 EUR",
        "held_for_customers": "40.00 EUR",
    }
    assert balances_of(*s.AUTHORIZED, s.cancel(), s.voided()) == {}


def test_a_credit_after_the_capture_is_owed_and_then_refunded():
    """An expense of the party at fault; until the refund the customer is owed it."""
    credited = balances_of(*s.COMPLETED, s.credit("10.00"))
    expense = {name: amount for name, amount in credited.items() if name.startswith("credits:")}
    assert list(expense.values()) == ["10.00 EUR"]
    assert credited["customer_receivable"] == "-10.00 EUR"
    assert credited["provider_clearing"] == "40.00 EUR"
    refunded = balances_of(*s.COMPLETED, s.credit("10.00"), s.refunded())
    assert "customer_receivable" not in refunded
    assert refunded["provider_clearing"] == "30.00 EUR"


def test_a_capture_that_is_written_off_is_an_expense_and_the_restaurant_is_still_paid():
    """The meal was delivered, so the restaurant and the courier are owed their parts."""
    story = (*s.DELIVERED, s.capture_refused(), s.write_off(e.PaymentCaptureRequested))
    left = balances_of(*story)
    lost = sum(s.Money.parse(left[name].split()[0], "EUR").minor for name in left if name.startswith("write_offs:"))
    assert lost == 4000
    assert "customer_receivable" not in left
    assert left["restaurant_payable"].startswith("-")


@worlds
@often
@given(play=plays())
def test_every_transaction_adds_up_to_zero_in_one_currency(contradictory, play):
    """Double entry."""
    world = played(play, contradictory=contradictory)
    for transaction in transactions(world.order.order_id, world.events):
        assert sum(posting.amount.minor for posting in transaction.postings) == 0
        assert len({posting.amount.currency for posting in transaction.postings}) == 1
        assert all(posting.amount.minor for posting in transaction.postings)


def test_a_payable_belongs_to_the_restaurant_and_to_the_courier_who_delivered():
    """Payouts are made from it."""
    booked_ = transactions(s.ORDER_ID, s.given(*s.COMPLETED).events)
    parties = {posting.account.value: posting.party for each in booked_ for posting in each.postings}
    assert parties["restaurant_payable"] == "luigi"
    assert parties["courier_payable"] == "ann"
    assert parties["customer_receivable"] is None


def test_a_sale_contains_tax_by_class_and_rate_and_a_credit_lowers_it():
    """7 percent in 21.40 are 1.40, 19 percent in 11.90 are 1.90; a credit of a half halves both. A tip has no tax."""
    eur = lambda minor: s.Money(minor, "EUR")  # noqa: E731 -- as short as the amounts
    pizza = e.Line(sku="p", name="Pizza", quantity=2, unit_price=eur(1070), tax_class="food", tax_rate_bp=700)
    placed = replace(
        s.given(*s.COMPLETED).events[0],
        lines=(pizza,),
        delivery_fee=eur(1000),
        service_fee=eur(190),
        tip=eur(100),
        fee_tax_class="standard",
        fee_tax_rate_bp=1900,
    )
    credit = e.CreditGranted(credit_id="c", amount=eur(1715), fault=e.Fault.PLATFORM, by=s.SUPPORT, reason="cold")
    story = (placed, *s.given(*s.COMPLETED).events[1:], credit)
    sale, lowered = (each.taxes for each in transactions(s.ORDER_ID, story) if each.taxes)
    shown = [[(part.tax_class, str(part.gross), str(part.tax)) for part in taxes] for taxes in (sale, lowered)]
    assert shown[0] == [
        (None, "1.00 EUR", "0.00 EUR"),
        ("food", "21.40 EUR", "1.40 EUR"),
        ("standard", "11.90 EUR", "1.90 EUR"),
    ]
    assert shown[1] == [
        (None, "-0.50 EUR", "0.00 EUR"),
        ("food", "-10.70 EUR", "-0.70 EUR"),
        ("standard", "-5.95 EUR", "-0.95 EUR"),
    ]


@pytest.mark.parametrize(("gross", "rate_bp", "tax"), [(1, 10_000, 1), (1070, 700, 70), (1000, 1900, 160), (99, 0, 0)])
def test_the_tax_in_an_amount_is_rounded_half_up(gross: int, rate_bp: int, tax: int):
    """Half a cent is one; 19 percent in 10.00 are 1.597."""
    assert included_tax(s.Money(gross, "JPY"), rate_bp) == s.Money(tax, "JPY")


@worlds
@often
@given(play=plays())
def test_transactions_after_a_version_are_the_last_of_all(contradictory, play):
    """A view that has the first ones stores the others."""
    world = played(play, contradictory=contradictory)
    every = list(transactions(world.order.order_id, world.events))
    for after in range(0, world.order.version + 1, 3):
        newer = list(transactions(world.order.order_id, world.events, after=after))
        assert newer == [transaction for transaction in every if transaction.version > after]


@worlds
@often
@given(play=plays())
def test_the_taxed_parts_add_up_to_what_was_sold(contradictory, play):
    """Every cent of the price, after credits, is in one tax class; without a sale nothing is."""
    world = played(play, contradictory=contradictory)
    every = list(transactions(world.order.order_id, world.events))
    sold = sum(part.gross.minor for transaction in every for part in transaction.taxes)
    accounts = balances(every)
    by_sale = -sum(
        minor for account, minor in accounts.items() if account.startswith(("restaurant", "courier", "plat"))
    )
    credited = sum(minor for account, minor in accounts.items() if account.startswith("credits:"))
    assert sold == by_sale - credited


@worlds
@often
@given(play=plays())
def test_the_balances_equal_what_the_reports_say(contradictory, play):
    """Compared with the books that an oracle works out from the reports alone."""
    world = played(play, contradictory=contradictory)
    summed, books = balances(transactions(world.order.order_id, world.events)), books_of(world.events)
    taken = moved(world.events, e.PaymentCaptured) + extra(world.events)
    clearing = taken - moved(world.events, e.PaymentRefunded)
    assert summed.get(LedgerAccount.PROVIDER_CLEARING, 0) == clearing
    assert summed.get(LedgerAccount.KEPT, 0) == -books["unreturned"]
    still = books["still_to_capture"] + books["over_refunded"] - books["still_to_refund"]
    assert summed.get(LedgerAccount.CUSTOMER_RECEIVABLE, 0) == still
    sold = [minor for account, minor in summed.items() if account.startswith(("restaurant", "courier", "platform_f"))]
    lost = [minor for account, minor in summed.items() if account.startswith(("credits:", "write_offs:"))]
    assert -sum(sold) - sum(lost) == books["due"]
    assert all(minor > 0 for minor in lost)


@worlds
@often
@given(play=plays())
def test_an_ended_order_leaves_nothing_on_hold(contradictory, play):
    """Whichever way it ended: captured, released or written off."""
    world = played(play, contradictory=contradictory)
    if world.order.run_state is RunState.ENDED:
        summed = balances(transactions(world.order.order_id, world.events))
        assert LedgerAccount.HOLDS not in summed
        assert LedgerAccount.HELD_FOR_CUSTOMERS not in summed


@often
@given(play=plays())
def test_an_ended_order_that_owes_nothing_leaves_no_hold_and_no_receivable(play):
    """Only sales, expenses and the money at the provider are left."""
    world: World = played(play)
    if world.order.run_state is RunState.ENDED and not owed(world.order):
        summed = balances(transactions(world.order.order_id, world.events))
        assert summed.get(LedgerAccount.HOLDS, 0) == 0
        assert summed.get(LedgerAccount.CUSTOMER_RECEIVABLE, 0) == 0
