"""Live updates on the command line, against a running engine."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest


def cancelled(expediter: Any, running: Any) -> str:
    """Return the id of an order that was cancelled."""
    order_id: str = expediter("order", "place", "--example", "--data", running.data).out.strip()
    assert expediter("order", "cancel", order_id, "--reason", "changed my mind", "--data", running.data).code == 0
    return order_id


def followed(data: str, lines: int, *options: str) -> list[str]:
    """Return the first lines of the events of all orders from the first one on."""
    command = [sys.executable, "-m", "workflows.cli", "events", "--follow", "--since", "0", "--data", data, *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as following:
        assert following.stdout is not None
        printed = [following.stdout.readline() for _ in range(lines)]
        following.terminate()
    return printed


def test_an_order_is_watched_until_it_has_ended(expediter: Any, running: Any) -> None:
    """Each event is a line, and the command ends with the order."""
    order_id = cancelled(expediter, running)
    result = expediter("order", "watch", order_id, "--data", running.data)
    assert result.code == 0, result.err
    lines = result.out.splitlines()
    assert all(f"Z {order_id} #" in line for line in lines)
    assert "Order cancelled" in lines[-1]
    updates = [
        json.loads(line)
        for line in expediter("order", "watch", order_id, "--json", "--data", running.data).out.splitlines()
    ]
    history = expediter("order", "history", order_id, "--json", "--data", running.data).json["events"]
    assert [event for update in updates for event in update["events"]] == history


def test_the_events_of_all_orders_are_followed_from_a_position(expediter: Any, running: Any) -> None:
    """A program reads one update a line, and begins again where it ended."""
    cancelled(expediter, running)
    updates = [json.loads(line) for line in followed(running.data, 3, "--json")]
    first = updates[0]["position"]  # after the commits of restaurants
    assert [update["position"] for update in updates] == [first, first + 1, first + 2]
    assert updates[0]["events"][0]["type"] == "OrderPlaced"


def test_filters_of_events_choose_among_those_that_are_followed(expediter: Any, running: Any) -> None:
    """A filter without effect would mislead. Sentences still know the events that are not printed."""
    first, second = cancelled(expediter, running), cancelled(expediter, running)
    line, *_ = followed(running.data, 1, "--order", second, "--type", "OrderCancelled")
    assert second in line
    assert "Order cancelled" in line
    options = ("--json", "--people-only", "--role", "customer", "--customer", "cus_1", "--order", first)
    [update] = map(json.loads, followed(running.data, 1, *options))
    assert update["order_id"] == first
    assert {event["actor"]["role"] for event in update["events"]} == {"customer"}
    for option, value in (("--actor", "cus_1"), ("--restaurant", "trattoria-nonna")):
        assert first in followed(running.data, 1, option, value, "--order", first)[0]
    trace = update["events"][0]["correlation"]
    [same] = map(json.loads, followed(running.data, 1, "--json", "--correlation", trace))
    assert same["events"][0] == update["events"][0]


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (["--follow", "--type", "OrderCanceled"], "use OrderCancelled"),
        (["--follow", "--role", "boss"], "customer, restaurant, courier"),
        (["--follow", "--from", "2026-03-01"], "--from cannot be used with --follow"),
        (["--follow", "--limit", "3"], "--limit cannot be used with --follow"),
        (["--topic", "incidents"], "--topic needs --follow"),
        (["--since", "0"], "--since needs --follow"),
    ],
)
def test_options_of_events_without_effect_are_refused(
    expediter: Any, tmp_path: Any, options: Any, problem: Any
) -> None:
    """Nothing is asked of an engine."""
    result = expediter("events", *options, "--data", tmp_path)
    assert result.code == 2
    assert problem in result.err


def test_following_needs_a_topic_that_exists(expediter: Any, running: Any) -> None:
    """The error names the topics."""
    result = expediter("events", "--follow", "--topic", "planets", "--data", running.data)
    assert result.code == 1
    assert "order/ID, customer/ID" in result.err
