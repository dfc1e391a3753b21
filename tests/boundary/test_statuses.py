"""What is asked for as a status: one table, from which the API and the command line make their hints."""

from __future__ import annotations

from dataclasses import fields

from domain.order.order import Status
from handlers.http.order_filters import OrderFilters
from workflows.boundary.statuses import FILTER_INSTEAD
from workflows.cli.order_filters import OrderFilterOptions


def test_no_entry_is_a_status_and_each_names_a_filter_of_both():
    """A filter that gets another name must not stay in a hint."""
    filters = set(FILTER_INSTEAD.values())
    assert not set(FILTER_INSTEAD) & set(Status)
    assert filters <= set(OrderFilters.model_fields)
    assert filters <= {field.name for field in fields(OrderFilterOptions)}
