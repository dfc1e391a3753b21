"""Lists, searches and statistics on the command line, against a running engine."""

from __future__ import annotations

from typing import Any

import pytest

from workflows.cli.connection import minted
from workflows.client import ExpediterClient


@pytest.fixture
def cancelled(expediter: Any, running: Any) -> str:
    """An order that was cancelled, which the views include."""
    order_id: str = expediter("order", "place", "--example", "--data", running.data).out.strip()
    done = expediter("order", "cancel", order_id, "--reason", "my knee hurts", "--json", "--data", running.data)
    with ExpediterClient(running.url, minted(running.data, "support", "sue", 600)) as client:
        page = client.orders(wait_for=f"{order_id}:{done.json['version']}")
        assert page["as_of"]["includes"], page["as_of"]
    return order_id


def test_an_order_is_found_by_all_that_support_is_told(expediter: Any, running: Any, cancelled: str) -> None:
    """By a part of its id, its amount, its customer and the customer's phone; as a table and as JSON."""
    for found in (
        ("list", "--id-prefix", cancelled[:14]),
        ("list", "--customer", "cus_1", "--limit", "1"),
        ("list", "--amount-min", "1", "--currency", "EUR", "--limit", "1"),
        ("search", "--phone", "030 1234567", "--limit", "1"),
    ):
        result = expediter("order", *found, "--data", running.data)
        assert (result.code, cancelled in result.out) == (0, True), (found, result)
        page = expediter("order", *found, "--json", "--data", running.data).json
        assert [order["id"] for order in page["orders"]] == [cancelled]
        assert page["as_of"]["complete"] is True


def test_events_are_listed_across_orders(expediter: Any, running: Any, cancelled: str) -> None:
    """The newest first, without what people wrote."""
    result = expediter("events", "--type", "CancellationRequested", "--data", running.data)
    assert result.code == 0, result.err
    assert result.out.splitlines()[1].split()[2] == cancelled
    assert "knee" not in result.out
    listed = expediter("events", "--order", cancelled, "--json", "--data", running.data).json["events"]
    assert listed[-1]["type"] == "OrderPlaced"


def test_statistics_count_the_orders_of_the_last_day(expediter: Any, running: Any, cancelled: str) -> None:
    """As a table, and for a restaurant its own."""
    counted = expediter("stats", "--json", "--data", running.data).json
    assert counted["groups"][0]["orders"] >= 1
    table = expediter("stats", "--bucket", "hour", "--by-restaurant", "--data", running.data)
    assert "trattoria-nonna" in table.out
    assert expediter("stats", "--data", running.data, "--as", "customer:cus_1").code == 1


def test_a_search_without_anything_to_search_for_is_wrong_usage(expediter: Any, running: Any) -> None:
    assert expediter("order", "search", "--data", running.data).code == 2
    assert expediter("stats", "--from", "7", "--data", running.data).code == 2


def test_an_auditor_lists_who_searched_for_a_customer(expediter: Any, running: Any, cancelled: str) -> None:
    """With the reason that the searcher gave; others may not read it."""
    searched = ("order", "search", "--phone", "030 1234567", "--reason", "case 4711", "--data", running.data)
    assert expediter(*searched).code == 0
    placed = expediter("order", "place", "--example", "--json", "--data", running.data).json
    with ExpediterClient(running.url, minted(running.data, "auditor", "ann", 600)) as client:
        client.orders(wait_for=f"{placed['id']}:{placed['version']}")  # the views then include the search too
    listed = expediter("accesses", "--order", cancelled, "--data", running.data, "--as", "auditor:ann")
    assert listed.code == 0, listed.err
    assert "case 4711" in listed.out
    assert expediter("accesses", "--data", running.data, "--as", "support:sue").code == 1
