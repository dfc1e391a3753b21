"""The provider's statement as CSV: exact amounts, and an error for each row and field that is wrong."""

from __future__ import annotations

import pytest

from domain.money import Money
from workflows.books.statement import LineKind, StatementUnreadable, read_statement, write_statement

HEADING = "kind,id,parent,order,amount,currency,at\n"
GOOD = "captured,cap_1,auth_1,ord_a,12.50,EUR,2026-05-04T12:00:00Z\n"


def test_a_statement_that_was_written_is_read_back():
    """Amounts of currencies with no, two and three decimals stay exact."""
    text = HEADING + "".join(
        f"captured,cap_{number},auth_1,ord_a,{amount},2026-05-04T12:00:00.000000Z\n"
        for number, amount in enumerate(("1250,JPY", "12.50,EUR", "1.250,KWD"))
    )
    lines = read_statement(text)
    assert [line.amount for line in lines] == [Money(1250, "JPY"), Money(1250, "EUR"), Money(1250, "KWD")]
    assert [line.row for line in lines] == [2, 3, 4]
    assert write_statement(lines) == text


def test_columns_may_be_in_any_order_and_the_file_may_begin_with_a_byte_order_mark():
    """Spreadsheets write both."""
    text = "\ufeffat,currency,amount,order,parent,id,kind\n2026-05-04T14:00:00+02:00,EUR,1,,,ref_1,refunded\n"
    [line] = read_statement(text)
    assert (line.kind, line.amount, line.at.isoformat()) == (
        LineKind.REFUNDED,
        Money(100, "EUR"),
        "2026-05-04T12:00:00+00:00",
    )


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "row 1: the column kind is missing"),
        ("kind,id,parent,order,amount,currency\n", "row 1: the column at is missing"),
        (HEADING.replace("parent", "parent,fee"), "row 1: 'fee' is not a column"),
        (HEADING.replace("parent", "parent,id"), "row 1: the column id stands twice"),
        (HEADING + GOOD.replace("captured", "charged"), "row 2, kind: 'charged' is none of"),
        (HEADING + GOOD.replace("cap_1", ""), "row 2, id: is empty"),
        (HEADING + GOOD.replace("12.50", "12.505"), "row 2, amount: "),
        (HEADING + GOOD.replace("12.50", "-1"), "row 2, amount: is below zero"),
        (HEADING + GOOD.replace("12.50", '"12,50"'), "row 2, amount: "),
        (HEADING + GOOD.replace("EUR", "eur"), "row 2, currency: "),
        (HEADING + GOOD.replace("12.50,EUR", "1.5,JPY"), "row 2, amount: "),
        (HEADING + GOOD.replace("12:00:00Z", "12:00:00"), "row 2, at: "),
        (HEADING + GOOD + GOOD.replace("\n", ",more\n"), "row 3: has more values"),
        (HEADING + "captured,cap_1\n", "row 2: has fewer values"),
        (HEADING + 'captured,"cap', "row 2 or below: unexpected end of data"),
    ],
)
def test_a_wrong_row_or_field_is_named(text: str, problem: str):
    """A bookkeeper corrects the file by it."""
    with pytest.raises(StatementUnreadable) as refused:
        read_statement(text)
    assert refused.value.problems[0].startswith(problem), refused.value.problems


def test_all_problems_of_a_file_are_named_at_once():
    """Each row has its own."""
    with pytest.raises(StatementUnreadable, match=r"row 2, .*row 3, .*and 5 more"):
        read_statement(HEADING + GOOD.replace("12.50", "x") * 25)
