"""Money: whole minor units, one currency at a time, parts that add up exactly."""

from __future__ import annotations

import operator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.money import CurrencyMismatch, Money, parse_amounts, total

CURRENCIES = st.sampled_from(["EUR", "JPY", "KWD", "CLF"])
MINOR = st.integers(-(10**15), 10**15)
AMOUNTS = st.builds(Money, MINOR, CURRENCIES)


@given(AMOUNTS)
def test_printed_money_can_be_parsed_again(money):
    amount, currency = str(money).split()
    assert Money.parse(amount, currency) == money


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [("12.50", "EUR", 1250), ("12.5", "EUR", 1250), ("0", "EUR", 0), ("-0.01", "EUR", -1), ("-0.00", "EUR", 0),
     ("1250", "JPY", 1250), ("1.234", "KWD", 1234), ("1.2345", "CLF", 12345), ("007", "EUR", 700)],
)  # fmt: skip
def test_an_amount_is_parsed_with_the_decimals_of_its_currency(text, currency, minor):
    assert Money.parse(text, currency) == Money(minor, currency)


@pytest.mark.parametrize(
    ("text", "currency"),
    [("12.505", "EUR"), ("1.0", "JPY"), ("", "EUR"), (".5", "EUR"), ("5.", "EUR"), ("1e3", "EUR"), ("1,00", "EUR"),
     (" 1", "EUR"), ("1\n", "EUR"), ("+1", "EUR"), ("NaN", "EUR"), ("0x1", "EUR"), ("--1", "EUR"), ("1_000", "EUR"),
     ("\u0661\u0662", "EUR"), ("1", "eur"), ("1", "EURO"), ("1", ""), ("1", "E R"), ("1", "EUR\n")],
)  # fmt: skip
def test_a_text_that_is_not_an_amount_is_refused(text, currency):
    with pytest.raises(ValueError, match="is not an"):
        Money.parse(text, currency)


@given(MINOR, st.lists(st.integers(0, 10**6), min_size=1, max_size=12).filter(any), CURRENCIES)
def test_allocated_parts_add_up_and_are_fair_to_one_unit(minor, weights, currency):
    """The parts add up, and each is within one minor unit of its exact share."""
    parts = Money(minor, currency).allocate(weights)
    assert total(parts, currency) == Money(minor, currency)
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part.minor * sum(weights) - minor * weight) < sum(weights)
        assert weight or not part


@given(MINOR, st.lists(st.integers(0, 1000), min_size=2, max_size=8).filter(any))
def test_allocating_is_deterministic_and_a_smaller_weight_never_gets_more(minor, weights):
    parts = Money(minor, "EUR").allocate(weights)
    assert parts == Money(minor, "EUR").allocate(weights)
    if minor >= 0:
        by_weight = sorted(zip(weights, (part.minor for part in parts), strict=True))
        assert [part for _, part in by_weight] == sorted(part for _, part in by_weight)


def test_the_units_left_over_go_to_the_largest_remainders_then_to_the_first():
    euros = Money(100, "EUR")
    assert [part.minor for part in euros.split(3)] == [34, 33, 33]
    assert [part.minor for part in euros.allocate([1, 1, 4])] == [17, 17, 66]
    assert [part.minor for part in Money(-100, "EUR").split(3)] == [-33, -33, -34]
    assert [part.minor for part in Money(1, "EUR").allocate([0, 5])] == [0, 1]


@pytest.mark.parametrize("weights", [[], [0], [0, 0], [-1, 2], [3, -3]])
def test_impossible_weights_are_refused(weights):
    with pytest.raises(ValueError, match="weights"):
        Money(100, "EUR").allocate(weights)


@pytest.mark.parametrize("parts", [0, -1])
def test_money_cannot_be_split_into_zero_parts(parts):
    with pytest.raises(ValueError, match="weights"):
        Money(100, "EUR").split(parts)


@given(MINOR, MINOR, MINOR, CURRENCIES)
def test_arithmetic_follows_whole_numbers(a, b, times, currency):
    x, y = Money(a, currency), Money(b, currency)
    assert x + y == y + x == Money(a + b, currency)
    assert x + y - y == x
    assert x - x == Money.zero(currency)
    assert x * times == Money(a * times, currency)
    assert (x < y, x <= y, x > y, x >= y, bool(x)) == (a < b, a <= b, a > b, a >= b, a != 0)


@pytest.mark.parametrize("meet", [operator.add, operator.sub, operator.lt, operator.le, operator.gt, operator.ge])
def test_two_currencies_cannot_be_added_or_compared(meet):
    with pytest.raises(CurrencyMismatch, match="EUR and USD"):
        meet(Money(1, "EUR"), Money(1, "USD"))
    with pytest.raises(CurrencyMismatch):
        total([Money(1, "USD")], "EUR")
    assert Money(0, "EUR") != Money(0, "USD")


def test_amounts_are_parsed_by_currency():
    assert parse_amounts(" 100.00 EUR,15000 JPY, ") == {"EUR": Money(10_000, "EUR"), "JPY": Money(15_000, "JPY")}
    assert parse_amounts("") == {}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("100.00", "not like"),
        ("EUR 100", "not like"),
        ("100.001 EUR", "not like"),
        ("-1.00 EUR", "below zero"),
        ("1.00 EUR, 2.00 EUR", "second amount"),
    ],
)
def test_a_list_with_a_wrong_amount_is_refused_with_that_amount(text, problem):
    with pytest.raises(ValueError, match=problem):
        parse_amounts(text)


def test_the_sum_of_nothing_is_zero():
    assert total([], "EUR") == Money.zero("EUR")
