"""The bill of docs/costs.md: every resource has a price or a reason for having none, and the tables are current."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks.fixed_costs import (
    BESIDE_ORDERS,
    BY_USE,
    FREE,
    MONTHLY,
    ROLES_IN_TOKENS,
    TEMPLATES,
    all_functions,
    monthly,
)
from benchmarks.prices import USER_MONTH
from benchmarks.report import DOCUMENTS, with_tables
from benchmarks.results import read
from tests.template.conftest import Resources
from tests.template.translated import STATE, TEMPLATE, WATCHING
from tests.test_budgets import BUDGETS
from workflows.aws.quotas import PER_ORDER, STARTS, TOKENS, TRANSITIONS


@pytest.fixture(scope="module")
def results() -> dict[str, dict[str, Any]]:
    """The stored rows of ``python -m benchmarks.cost`` by name."""
    return {row["name"]: row for row in read()["results"] if row["benchmark"] == "cost"}


def test_every_type_of_resource_has_a_price_or_a_reason_for_having_none(resources: Resources) -> None:
    """A resource that is added without a price would be missing in the bill."""
    deployed = {resource["Type"] for resource in resources.values()}
    assert deployed == {*BY_USE, *MONTHLY, *FREE}
    assert len(deployed) == len(BY_USE) + len(MONTHLY) + len(FREE)


def test_every_function_is_in_the_bill_or_has_a_reason(results: dict[str, dict[str, Any]]) -> None:
    """By what an order invokes, or by its name: its type alone would hide one that is called for other things."""
    invoked = {
        count.removeprefix("invocations of ")
        for name in ("a million happy orders", "a million compensated orders")
        for count in results[name]["detail"]["counts"]
        if count.startswith("invocations of ")
    } | {"Publisher"}  # which the engine of the benchmark does not have
    assert invoked | set(BESIDE_ORDERS) == all_functions()
    assert invoked & set(BESIDE_ORDERS) == set()
    assert ROLES_IN_TOKENS in results["a million happy orders"]["detail"]["dollars"]


def test_a_stack_that_is_added_is_in_the_bill_and_in_these_tests() -> None:
    """``resources`` holds those of the stacks that are named here."""
    assert set(TEMPLATES) == {TEMPLATE, STATE, WATCHING}


def test_every_price_is_in_a_line_of_the_bill(results: dict[str, dict[str, Any]]) -> None:
    """A line that is renamed or left out is found."""
    of_an_order = results["a million happy orders"]["detail"]["dollars"]
    assert set(BY_USE.values()) <= {*of_an_order, "kept"}
    assert set(MONTHLY.values()) == set(monthly())


def test_the_bill_is_of_these_templates_and_definitions(results: dict[str, dict[str, Any]]) -> None:
    """Fails after an alarm, a key or a state was added: run ``benchmarks.cost``, then ``benchmarks.report``."""
    lines = {line: round(price, 2) for line, price in monthly().items()}
    assert results["a month's fixed costs"]["detail"]["lines"] == lines
    for story, budget in BUDGETS.items():
        assert results[f"state entries of a {story} order"]["value"] == budget["states of OrderMachine"]


def test_the_quotas_are_those_of_a_happy_order(results: dict[str, dict[str, Any]]) -> None:
    """``expediter doctor`` and the table of quotas ask for what an order does: one run, and five answered waits."""
    acts = {"PreparationApi", "DeliveryApi"}
    counts = results["a million happy orders"]["detail"]["counts"]
    assert {
        STARTS: 1,
        TRANSITIONS: counts["states of OrderMachine"],
        TOKENS: sum(counts[f"invocations of {function}"] for function in acts),
    } == PER_ORDER


def test_the_pool_is_billed_by_a_tier_that_can_be_chosen(state: dict[str, Any]) -> None:
    """Each tier of the parameter has a price."""
    assert set(state["Parameters"]["UserPoolTier"]["AllowedValues"]) == set(USER_MONTH)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.name)
def test_the_tables_of_a_document_are_made_from_the_results(document: Any) -> None:
    """Fails after a benchmark, until ``python -m benchmarks.report`` has written the tables."""
    text = document.read_text()
    assert with_tables(text, read()) == text
