"""Incidents and circuits from the command line, against an engine with a delivery timeout of one second."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.cli.conftest import eventually
from workflows.cli.demo.engine_process import EngineProcess
from workflows.client import ExpediterClient

CAUSE = "DeliveryOverdue@couriers"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineProcess]:
    """An engine whose couriers have one second to deliver, so that an order is parked soon."""
    data = tmp_path_factory.mktemp("engine")
    command = [sys.executable, "-m", "workflows.cli", "up", "--data", str(data), "--port", "0", "--demo-data"]
    command += ["--parameter", "CourierDeliverySeconds=1", "--parameter", "SecondPersonAbove=20.00 EUR"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        try:
            yield EngineProcess(process.stdout.readline().strip(), data)
        finally:
            process.terminate()


@pytest.fixture
def parked(expediter: Any, running: Any) -> str:
    """An order whose courier picked the meal up and reported nothing more."""
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
    """Support can decide from these two screens."""
    listed = expediter("incidents", "list", "--data", running.data)
    assert listed.code == 0
    assert CAUSE in listed.out
    shown = expediter("incidents", "show", parked, "--data", running.data)
    for words in (
        CAUSE,
        "Still held: 27.40 EUR (authorization, event 2)",
        "Parked, support has to decide",
        "retry:",
        "abandon:",
    ):
        assert words in shown.out
    assert expediter("incidents", "list", "--group", CAUSE, "--json", "--data", running.data).json["groups"]


def test_a_parked_order_shows_since_when_why_and_the_command_for_its_incident(
    expediter: Any, running: Any, parked: str
) -> None:
    """Support finds the incident from the order without knowing the incident commands."""
    headline = expediter("order", "show", parked, "--data", running.data).out.splitlines()[0]
    assert re.search(r"picked up, PARKED since \d\d:\d\d UTC: delivery overdue\. See: ", headline)
    _, *arguments = shlex.split(headline.partition("See: ")[2])
    assert CAUSE in expediter(*arguments).out


def test_a_cut_timeline_is_marked_and_counts_from_placing(expediter: Any, running: Any, parked: str) -> None:
    """An incident shows its latest events only; without a mark they would look complete."""
    for number in range(12):
        assert expediter("incidents", "note", parked, f"note {number}", "--data", running.data).code == 0
    shown = expediter("incidents", "show", parked, "--data", running.data).out
    history = expediter("order", "history", parked, "--data", running.data).out
    cut = re.search(r"(\d+) earlier events: (expediter order history .*?) *$", shown, re.M)
    assert cut is not None
    assert int(cut[1]) + 12 == len(history.splitlines()) - 1
    _, *arguments = shlex.split(cut[2])
    assert expediter(*arguments).out == history
    first = re.search(r"^ *\d+ .*note 0.*$", shown, re.M)
    assert first is not None
    assert "+0.0s" not in first[0]


def test_a_dry_run_does_nothing_and_prints_what_a_retry_would_do(expediter: Any, running: Any, parked: str) -> None:
    """A retry would not call the courier, because only a report settles this wait."""
    planned = expediter("incidents", "retry", parked, "--reason", "found him", "--dry-run", "--data", running.data)
    assert planned.code == 0
    assert "Dry run: would wait again for the courier's report" in planned.out
    assert expediter("order", "show", parked, "--json", "--data", running.data).json["run"] == 1


def test_a_retry_waits_for_its_outcome(expediter: Any, running: Any, parked: str) -> None:
    """The courier still reports nothing, so the order is parked again, and the exit code is 1."""
    done = expediter("incidents", "retry", parked, "--reason", "found him", "--wait", "60", "--data", running.data)
    assert (done.code, f"order {parked} was parked again in run 2" in done.err) == (1, True), done
    history = expediter("order", "history", parked, "--data", running.data).out
    assert "Run 2 started by" in history
    assert '"found him"' in history


def test_a_retry_whose_wait_times_out_reports_that_the_outcome_is_unknown(
    expediter: Any, running: Any, parked: str
) -> None:
    """The message must not read as a success."""
    done = expediter("incidents", "retry", parked, "--reason", "again", "--wait", "0", "--data", running.data)
    assert (done.code, "the outcome is not known yet" in done.err) == (0, True), done


def test_an_amount_for_two_people_is_exit_code_1_until_the_second_one_approves(
    expediter: Any, running: Any, parked: str
) -> None:
    """The action is not done yet, so a script must not see a success."""
    abandon = ("incidents", "resolve", parked, "--how", "abandon", "--reason", "a lost meal", "--data", running.data)
    requested = expediter(*abandon, "--as", "support:sue")
    assert (requested.code, "a second person must approve this first" in requested.err) == (1, True), requested
    assert "PARKED" in expediter("order", "show", parked, "--data", running.data).out
    _, *arguments = shlex.split(requested.err.partition("first: ")[2])
    approved = expediter(*(argument.replace("NAME", "tom") for argument in arguments))
    assert (approved.code, "is abandoned" in approved.err) == (0, True), approved


def test_a_note_is_recorded_in_the_history(expediter: Any, running: Any, parked: str) -> None:
    """Every action of a person on an order is an event."""
    tried = expediter("incidents", "note", parked, "called the courier", "--dry-run", "--data", running.data)
    assert (tried.code, "Dry run: a note is recorded" in tried.out) == (0, True)
    assert "NoteAdded" not in expediter("order", "history", parked, "--data", running.data).out
    assert expediter("incidents", "note", parked, "called the courier", "--data", running.data).code == 0
    assert "called the courier" in expediter("order", "history", parked, "--data", running.data).out


def test_a_group_is_retried_at_a_pace_and_each_result_comes_from_the_log(
    expediter: Any, running: Any, parked: str
) -> None:
    """The courier still reports nothing, so the order is parked again, and the command prints it."""
    command = ("bulk", "retry", "--group", CAUSE, "--reason", "again", "--per-second", "10", "--data", running.data)
    planned = expediter(*command, "--json").json
    assert parked in [order["order_id"] for order in planned["orders"]]
    shown = expediter(*command)
    assert re.search(r"\d+ orders?, \d+\.\d\d EUR at stake", shown.out)
    assert re.search(rf"{parked} +27\.40 EUR", shown.out)
    token = re.search(r"--token (\S+)", shown.err)
    assert token is not None
    done = expediter(*command, "--token", token[1])
    assert (done.code, "parked again" in done.out) == (1, True), done
    assert "bulk_" in done.err


def test_a_circuit_is_opened_and_closed_by_hand_with_a_reason(expediter: Any, running: Any) -> None:
    """The circuit's history has actor and reason."""
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
        (("incidents", "retry", "--reason", "x"), 2, "'ORDER'"),
        (("bulk", "retry", "--group", "y"), 2, "give the reason"),
        (("incidents", "resolve", "ord_x", "--how", "abandon"), 2, "'--reason'"),
        (("incidents", "resolve", "ord_x", "--how", "delete", "--reason", "x"), 1, ""),
        (("bulk", "resume", "--job", "bulk_none"), 2, "--reason"),
        (("bulk", "resume", "--job", "bulk_none", "--reason", "x"), 1, "no bulk job"),
        (("circuits", "open", "payments"), 2, "'--reason'"),
        (("circuits", "show", "weather"), 1, ""),
    ],
)
def test_wrong_options_are_reported_in_one_line(
    expediter: Any, running: Any, arguments: tuple[str, ...], code: int, words: str
) -> None:
    result = expediter(*arguments, "--data", running.data)
    assert (result.code, result.err.count("\n")) == (code, 1), result
    assert words in result.err


def test_why_says_what_happened_and_what_can_be_done(expediter, running, parked):
    """One command answers what support is asked about an order."""
    shown = expediter("order", "why", parked, "--data", running.data, "--as", "support:sue").out
    assert "no report of the delivery came in time" in shown
    assert "(DeliveryOverdue)" in shown
    assert "Next: Nothing happens by itself" in shown
    assert "retry: would wait again" in shown
    answer = expediter("order", "why", parked, "--data", running.data, "--as", "support:sue", "--json").json
    assert (answer["order_id"], answer["parked"]["cause"]) == (parked, CAUSE)
