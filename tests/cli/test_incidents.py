"""Incidents and circuits from the command line, against a running engine whose couriers have no time."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from workflows.cli.demo.engine_process import EngineProcess
from workflows.client import ExpediterClient

CAUSE = "DeliveryOverdue@couriers"
PATIENCE_S = 60


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineProcess]:
    """An engine whose couriers are given a second to deliver, so that an order is parked soon."""
    data = tmp_path_factory.mktemp("engine")
    command = [sys.executable, "-m", "workflows.cli", "up", "--data", str(data), "--port", "0"]
    command += ["--parameter", "CourierDeliverySeconds=1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        try:
            yield EngineProcess(process.stdout.readline().strip(), data)
        finally:
            process.terminate()


@pytest.fixture
def eventually() -> Callable[[Callable[[], Any]], Any]:
    """Ask until there is an answer that is not empty."""

    def ask(question: Callable[[], Any]) -> Any:
        deadline = time.monotonic() + PATIENCE_S
        while not (answer := question()):
            assert time.monotonic() < deadline, "nothing came"
        return answer

    return ask


@pytest.fixture
def parked(expediter: Any, running: Any, eventually: Any) -> str:
    """An order whose courier picked the meal up and said nothing more."""
    order: str = expediter("order", "place", "--example", "--data", running.data).out.strip()
    token = expediter("token", "--role", "support", "--id", "sue", "--data", running.data).out.strip()
    with ExpediterClient(running.url, token) as client:
        eventually(lambda: client.get(order)["preparation"])
        _deliver_halfway(client, order)
        eventually(lambda: client.get(order)["parked"])
    eventually(lambda: order in expediter("incidents", "list", "--data", running.data).out)
    return order


def _deliver_halfway(client: ExpediterClient, order: str) -> None:
    client.accept(order, datetime.now(UTC) + timedelta(minutes=5))
    client.assign(order, "cou_1")
    client.ready(order)
    client.pick_up(order)


def test_incidents_are_listed_by_cause_and_shown_one_by_one(expediter: Any, running: Any, parked: str) -> None:
    """All that support needs to decide, on two screens."""
    listed = expediter("incidents", "list", "--data", running.data)
    assert listed.code == 0
    assert CAUSE in listed.out
    shown = expediter("incidents", "show", parked, "--data", running.data)
    for words in (CAUSE, "owes: authorization 27.40 EUR", "Parked for a person to look", "retry:", "abandon:"):
        assert words in shown.out
    assert expediter("incidents", "list", "--group", CAUSE, "--json", "--data", running.data).json["groups"]


def test_a_dry_run_does_nothing_and_a_retry_starts_a_run(expediter: Any, running: Any, parked: str) -> None:
    """And says why it was started."""
    planned = expediter("incidents", "retry", parked, "--reason", "found him", "--dry-run", "--data", running.data)
    assert (planned.code, "no money moves" in planned.out) == (0, True)
    assert expediter("order", "show", parked, "--json", "--data", running.data).json["run"] == 1
    done = expediter("incidents", "retry", parked, "--reason", "found him", "--data", running.data)
    assert done.code == 0, done.err
    history = expediter("order", "history", parked, "--data", running.data).out
    assert "found him" in history


def test_a_note_and_an_abandonment_stand_in_the_history(expediter: Any, running: Any, parked: str) -> None:
    """What people do to an order is an event of it."""
    tried = expediter("incidents", "note", parked, "called the courier", "--dry-run", "--data", running.data)
    assert (tried.code, "nothing runs" in tried.err) == (0, True)
    assert "NoteAdded" not in expediter("order", "history", parked, "--data", running.data).out
    assert expediter("incidents", "note", parked, "called the courier", "--data", running.data).code == 0
    done = expediter(
        "incidents", "resolve", parked, "--how", "abandon", "--reason", "a lost meal", "--data", running.data
    )
    assert done.code == 0, done.err
    history = expediter("order", "history", parked, "--data", running.data).out
    assert "called the courier" in history
    assert "a lost meal" in history
    assert expediter("order", "show", parked, "--json", "--data", running.data).json["status"] == "abandoned"


def test_a_group_is_retried_at_a_pace_and_each_result_comes_from_the_log(
    expediter: Any, running: Any, parked: str
) -> None:
    """The courier still says nothing, so the order is parked again, and the command says so."""
    planned = expediter(
        "incidents", "retry", "--group", CAUSE, "--reason", "again", "--dry-run", "--json", "--data", running.data
    )
    assert parked in [order["order_id"] for order in planned.json["orders"]]
    done = expediter(
        "incidents", "retry", "--group", CAUSE, "--reason", "again", "--per-second", "10", "--data", running.data
    )
    assert (done.code, "parked again" in done.out) == (1, True), done
    assert "retry_" in done.err


def test_a_circuit_is_opened_and_closed_by_hand_with_a_reason(expediter: Any, running: Any) -> None:
    """Who and why stand in its history."""
    opened = expediter("circuits", "open", "couriers", "--reason", "a strike", "--data", running.data)
    assert opened.code == 0, opened.err
    assert "held open" in expediter("circuits", "list", "--data", running.data).out
    closed = expediter("circuits", "close", "couriers", "--reason", "it is over", "--data", running.data)
    for words in ("held open by hand", "a strike", "closed by hand", "it is over"):
        assert words in closed.out
    assert expediter("circuits", "show", "couriers", "--json", "--data", running.data).json["transitions"]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("incidents", "retry", "--reason", "x"), 2, "give one of ORDER"),
        (("incidents", "retry", "ord_x", "--group", "y", "--reason", "x"), 2, "give one of ORDER"),
        (("incidents", "retry", "--group", "y"), 2, "say why"),
        (("incidents", "resolve", "ord_x", "--how", "abandon"), 2, "'--reason'"),
        (("incidents", "resolve", "ord_x", "--how", "delete", "--reason", "x"), 1, ""),
        (("incidents", "retry", "--resume", "retry_none"), 1, "there is no bulk retry"),
        (("circuits", "open", "payments"), 2, "'--reason'"),
        (("circuits", "show", "weather"), 1, ""),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(
    expediter: Any, running: Any, arguments: tuple[str, ...], code: int, words: str
) -> None:
    result = expediter(*arguments, "--data", running.data)
    assert (result.code, result.err.count("\n")) == (code, 1), result
    assert words in result.err
