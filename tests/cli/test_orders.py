"""Orders from the command line, against a running engine."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest


@pytest.fixture
def placed(expediter: Any, running: Any) -> str:
    """The id of an order that stands at the restaurant, unanswered."""
    order_id: str = expediter("order", "place", "--example", "--data", running.data).out.strip()
    return order_id


def test_placing_prints_the_id_alone(expediter: Any, running: Any) -> None:
    """The id is data, so it can be piped; the sentence is for the person."""
    result = expediter("order", "place", "--example", "--data", running.data)
    assert result.code == 0
    assert result.out.startswith("ord_")
    assert result.out.count("\n") == 1
    assert "placed: 27.40 EUR" in result.err


def test_the_same_key_is_the_same_order(expediter: Any, running: Any, written: Callable[[str, str], str]) -> None:
    """A script that is run again places nothing twice."""
    file = written("order.json", expediter("order", "place", "--show-example").out)
    first = expediter("order", "place", file, "--key", "k-1", "--data", running.data)
    again = expediter("order", "place", file, "--key", "k-1", "--data", running.data)
    assert (first.code, first.out) == (again.code, again.out)


def test_an_order_is_shown_with_its_lines_and_money(expediter: Any, running: Any, placed: str) -> None:
    """What a support person looks for first."""
    shown = expediter("order", "show", placed, "--data", running.data).out
    for words in (placed, "customer cus_1", "Pizza Margherita + Burrata 2.00 EUR", "23.00 EUR", "27.40 EUR"):
        assert words in shown
    assert "\x1b[" not in shown


def test_reads_have_the_whole_as_json(expediter: Any, running: Any, placed: str) -> None:
    """One JSON value on stdout, and nothing else there."""
    assert expediter("order", "show", placed, "--data", running.data, "--json").json["id"] == placed
    history = expediter("order", "history", placed, "--data", running.data, "--json").json
    assert [event["version"] for event in history["events"]] == list(range(1, history["version"] + 1))
    replayed = expediter("order", "replay", placed, "--at", "1", "--data", running.data, "--json").json
    assert replayed["order"]["version"] == 1


def test_a_cancelled_order_tells_who_asked_and_what_was_given_back(
    expediter: Any, running: Any, placed: str, ends_as: Any
) -> None:
    """People are in the log; and the timeline says in words what happened."""
    cancelled = expediter(
        "order", "cancel", placed, "--reason", "changed my mind", "--data", running.data, "--as", "support:ida"
    )
    assert cancelled.code == 0
    ends_as(lambda: expediter("order", "show", placed, "--data", running.data, "--json").json, "cancelled")
    timeline = expediter("order", "history", placed, "--data", running.data).out
    assert "Cancelling by support ida: changed my mind (at fault: platform)" in timeline
    assert "Order cancelled, everything given back" in timeline


def test_a_replay_shows_what_each_event_changed(expediter: Any, running: Any, placed: str, ends_as: Any) -> None:
    """Event by event, and the order as it was."""
    ends_as(lambda: expediter("order", "show", placed, "--data", running.data, "--json").json, "authorized")
    shown = expediter("order", "replay", placed, "--at", "3", "--data", running.data).out
    assert "payment.authorization.state  asked -> held" in shown
    assert "as it was at version 3 of" in shown
    now = expediter("order", "replay", placed, "--at", "2999-01-01T00:00:00Z", "--data", running.data, "--json").json
    assert now["order"]["version"] == now["latest"]


def test_a_token_and_an_address_from_the_environment_are_enough(
    expediter: Any, running: Any, placed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On another machine there is no folder."""
    token = expediter("token", "--role", "auditor", "--id", "ada", "--data", running.data)
    assert token.out.count("\n") == 1
    monkeypatch.setenv("EXPEDITER_TOKEN", token.out.strip())
    monkeypatch.setenv("EXPEDITER_URL", running.url)
    assert expediter("order", "show", placed).code == 0


def test_an_order_from_stdin(expediter: Any, running: Any, process: Any) -> None:
    """``-`` reads it."""
    body = json.dumps(expediter("order", "place", "--show-example").json)
    ended = process("order", "place", "-", "--data", running.data, "--json", input=body)
    assert json.loads(ended.stdout)["status"] == "placed"


def test_a_reader_who_has_seen_enough_is_no_error(running: Any, placed: str) -> None:
    """``| head`` closes the pipe; no traceback comes of it."""
    import subprocess
    import sys

    reading = subprocess.Popen(
        [sys.executable, "-m", "workflows.cli", "order", "history", placed, "--data", str(running.data)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert reading.stdout is not None
    reading.stdout.close()
    assert reading.stderr is not None
    assert reading.stderr.read() == ""
    assert reading.wait(60) == 0
