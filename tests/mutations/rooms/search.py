"""Mutants of ``workflows/search/``."""

from __future__ import annotations

from tests.mutations.mutant import Mutant, tests

MUTANTS = (
    Mutant(
        name="courier's orders walked without their ranges",
        breaks="A filter by amount, part of the id or change holds for a courier too, however many orders satisfy it.",
        file="workflows/search/order_statement.py",
        old="*map(not_looked_up, of_parties(query.filter)), *filters, *rest(query)]",
        new="*map(not_looked_up, of_parties(query.filter)), *rest(query)]",
        caught_by=tests(
            "search/test_order_list.py::test_a_list_is_the_same_whether_its_filter_is_looked_up_or_its_sort_walked"
        ),
    ),
    Mutant(
        name="end of an id read from its first character",
        breaks="An order is found by the end of its id.",
        file="workflows/search/order_conditions.py",
        old="wanted.id_suffix[::-1]",
        new="wanted.id_suffix",
        caught_by=tests("search/test_order_list.py::test_an_order_is_found_by_all_that_support_may_know_of_it"),
    ),
    Mutant(
        name="totals of what is owed by page",
        breaks="Totals are of all that the filter admits.",
        file="workflows/search/owed_list.py",
        old="_totals(connection, conditions, now)",
        new="_totals(connection, [*conditions, *rest], now)",
        caught_by=tests("search/test_owed.py"),
    ),
)
