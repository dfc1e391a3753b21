"""Live updates on the command line, against a running engine."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any


def cancelled(expediter: Any, running: Any) -> str:
    """Return the id of an order that was cancelled."""
    order_id: str = expediter("order", "place", "--example", "--data", running.data).out.strip()
    assert expediter("order", "cancel", order_id, "--reason", "changed my mind", "--data", running.data).code == 0
    return order_id


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
    command = [sys.executable, "-m", "workflows.cli", "events", "--follow", "--json", "--data", running.data]
    with subprocess.Popen([*command, "--since", "0"], stdout=subprocess.PIPE, text=True) as following:
        assert following.stdout is not None
        updates = [json.loads(following.stdout.readline()) for _ in range(3)]
        following.terminate()
    first = updates[0]["position"]  # after the commits of restaurants
    assert [update["position"] for update in updates] == [first, first + 1, first + 2]
    assert updates[0]["events"][0]["type"] == "OrderPlaced"


def test_following_needs_a_topic_that_exists(expediter: Any, running: Any) -> None:
    """The error names the topics."""
    result = expediter("events", "--follow", "--topic", "planets", "--data", running.data)
    assert result.code == 1
    assert "order/ID, customer/ID" in result.err
