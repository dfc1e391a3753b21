"""Laws of receipts over every history that can be reached: they add up, and agree with the books."""

from __future__ import annotations

from collections import Counter
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from domain.money import Money
from tests.domain.order.world import Play, played, plays
from tests.projections.histories import OneOrderLog
from workflows.projections.taxes import TAXES_VIEW
from workflows.receipts.content import receipt_content, receipt_versions
from workflows.receipts.sheet import sheet_of
from workflows.receipts.text import receipt_text

seldom = settings(max_examples=60, deadline=None)
histories = given(play=plays(), contradictory=st.booleans())


def minor(money: dict[str, str]) -> int:
    return Money.parse(money["amount"], money["currency"]).minor


@seldom
@histories
@example(play=Play(4, [(3734, 0), (0, 0), (0, 0)]), contradictory=True)
def test_a_receipt_adds_up_and_its_tax_is_that_of_the_books(play, contradictory: bool):
    """Its parts are the total, the taxed parts too, and what was charged less the refunds is what was paid.

    Before delivery nothing is sold, so a refund of an extra capture then shows no tax.
    """
    log = OneOrderLog(played(play, contradictory=contradictory))
    history = log.newest
    for version in receipt_versions(history):
        receipt: Any = receipt_content(history, version, None)
        fees = (receipt["delivery_fee"], receipt["service_fee"], receipt["tip"])
        parts = [*(line["total"] for line in receipt["lines"]), *fees]
        lowered = minor(receipt["credit"]) + minor(receipt["cancelled"])
        assert minor(receipt["total"]) == sum(map(minor, parts)) - lowered
        refunded = sum(minor(refund["amount"]) for refund in receipt["refunds"])
        assert minor(receipt["paid"]) == minor(receipt["captured"]) - refunded
        booked, printed = Counter[Any](), Counter[Any]()
        for row in TAXES_VIEW.rows(history, 0):
            if row["version"] <= version:
                for column in ("gross", "tax"):
                    booked[row["tax_class"], row["rate_bp"], column] += row[f"{column}_minor"]
        for tax in receipt["taxes"]:
            for column in ("gross", "tax"):
                printed[tax["tax_class"], tax["rate_bp"], column] += minor(tax[column])
        assert +printed == +booked
        sold = minor(receipt["total"]) if receipt["delivered_at"] else 0
        assert sum(minor(tax["gross"]) for tax in receipt["taxes"]) == sold
        assert receipt_text(sheet_of(receipt)).count("Paid") == 1


@seldom
@histories
def test_a_receipt_for_a_version_stays_the_same_as_the_history_grows(play, contradictory: bool):
    """So it does not matter when it is made."""
    log = OneOrderLog(played(play, contradictory=contradictory))
    for history in log.histories[1:]:
        for version in receipt_versions(history)[-1:]:
            assert receipt_content(history, version, None) == receipt_content(log.newest, version, None)
