"""The timeline and the runs of an order on the command line, against a running engine."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture
def placed(expediter: Any, running: Any) -> str:
    """The id of an order that waits for the restaurant's answer."""
    order_id: str = expediter("order", "place", "--example", "--data", running.data).out.strip()
    return order_id


def test_a_timeline_shows_sentences_changes_and_the_chain(expediter: Any, running: Any, placed: str) -> None:
    """A person on call reads what happened, what it changed, and that the log was not edited."""
    shown = expediter("order", "timeline", placed, "--data", running.data).out
    for words in ("Order placed, 2 items", "Authorization of 27.40 EUR requested", "payment", "hash chain of"):
        assert words in shown
    whole = expediter("order", "timeline", placed, "--data", running.data, "--json").json
    assert whole["verified"]["ok"]
    assert [event["version"] for event in whole["events"]] == list(range(1, len(whole["events"]) + 1))
    cut = expediter("order", "timeline", placed, "--from", "2", "--at", "2", "--data", running.data, "--json").json
    assert [event["version"] for event in cut["events"]] == [2]
    assert cut["initial"]["version"] == 1


def test_runs_show_what_the_engine_did_for_an_order(expediter: Any, running: Any, placed: str, ends_as: Any) -> None:
    """The states of the order machine and of its children, and that they agree with the log."""
    expediter("order", "cancel", placed, "--reason", "wrong address", "--data", running.data)
    ends_as(lambda: expediter("order", "show", placed, "--data", running.data, "--json").json, "cancelled")
    shown = expediter("order", "runs", placed, "--data", running.data).out
    for words in ("run 1", "AuthorizePayment", "Compensate", "RequestPreparation", "log and engine agree"):
        assert words in shown
    runs = expediter("order", "runs", placed, "--data", running.data, "--json").json
    assert runs["differences"] == []
    for execution in runs["runs"][0]["executions"]:
        if execution["id"] is not None:
            history = expediter("order", "runs", placed, "--execution", execution["id"], "--data", running.data).json
            assert history["events"][0]["type"] == "ExecutionStarted"
