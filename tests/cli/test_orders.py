"""Orders from the command line, against a running engine."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from workflows.cli import order_commands


@pytest.fixture
def placed(expediter: Any, running: Any) -> str:
    """The id of an order that waits for the restaurant's answer."""
    order_id: str = expediter("order", "place", "--example", "--data", running.data).out.strip()
    return order_id


def test_placing_prints_only_the_id_on_stdout(expediter: Any, running: Any) -> None:
    """The id can be piped; the sentence for the person is on stderr."""
    result = expediter("order", "place", "--example", "--data", running.data)
    assert result.code == 0
    assert result.out.startswith("ord_")
    assert result.out.count("\n") == 1
    assert "placed: 27.40 EUR" in result.err


def test_the_example_without_its_restaurant_says_how_to_get_it(
    expediter: Any, running: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first command that a newcomer tries must not end with a restaurant that nobody mentioned."""
    monkeypatch.setitem(order_commands.EXAMPLE, "restaurant", "not-registered")
    result = expediter("order", "place", "--example", "--data", running.data)
    assert result.code == 1
    assert "not-registered is not registered" in result.err
    assert "expediter up --demo-data" in result.err


def test_the_same_key_gives_the_same_order(expediter: Any, running: Any, written: Callable[[str, str], str]) -> None:
    """A repeated script places no second order."""
    file = written("order.json", expediter("order", "place", "--show-example").out)
    first = expediter("order", "place", file, "--key", "k-1", "--data", running.data)
    again = expediter("order", "place", file, "--key", "k-1", "--data", running.data)
    assert (first.code, first.out) == (again.code, again.out)


def test_an_order_is_shown_with_its_lines_and_money(expediter: Any, running: Any, placed: str) -> None:
    """Support needs these first."""
    shown = expediter("order", "show", placed, "--data", running.data).out
    for words in (placed, "customer cus_1", "Pizza Margherita + Burrata 2.00 EUR", "23.00 EUR", "27.40 EUR"):
        assert words in shown
    assert "\x1b[" not in shown


def test_read_commands_print_everything_as_json(expediter: Any, running: Any, placed: str) -> None:
    """Stdout is a single JSON value."""
    assert expediter("order", "show", placed, "--data", running.data, "--json").json["id"] == placed
    history = expediter("order", "history", placed, "--data", running.data, "--json").json
    assert [event["version"] for event in history["events"]] == list(range(1, history["version"] + 1))
    replayed = expediter("order", "replay", placed, "--at", "1", "--data", running.data, "--json").json
    assert replayed["order"]["version"] == 1


def test_the_ledger_of_a_cancelled_order_has_debits_and_credits_and_leaves_no_balance(
    expediter: Any, running: Any, placed: str, ends_as: Any
) -> None:
    """The hold of 27.40 is booked on one side and taken back on the other."""
    expediter("order", "cancel", placed, "--reason", "wrong address", "--data", running.data)
    ends_as(lambda: expediter("order", "show", placed, "--data", running.data, "--json").json, "cancelled")
    booked = expediter("order", "ledger", placed, "--data", running.data, "--as", "auditor:olga", "--json").json
    assert [each["event"] for each in booked["transactions"]] == ["PaymentAuthorized", "PaymentVoided"]
    assert booked["balances"] == []
    shown = expediter("order", "ledger", placed, "--data", running.data).out
    assert "held_for_customers" in shown
    assert shown.count("27.40 EUR") == 4
    assert "-27.40" not in shown


def test_a_cancelled_order_shows_the_actor_and_the_released_amount(
    expediter: Any, running: Any, placed: str, ends_as: Any
) -> None:
    """The log records the actor, and the timeline shows each event as a sentence."""
    cancelled = expediter(
        "order", "cancel", placed, "--reason", "changed my mind", "--data", running.data, "--as", "support:ida"
    )
    assert cancelled.code == 0
    ends_as(lambda: expediter("order", "show", placed, "--data", running.data, "--json").json, "cancelled")
    timeline = expediter("order", "history", placed, "--data", running.data).out
    assert 'Cancellation begun by support ida: "changed my mind" (at fault: platform)' in timeline
    assert "Order cancelled, payment released" in timeline
    shown = expediter("order", "show", placed, "--data", running.data).out
    assert 'Cancelled by support ida: "changed my mind". At fault: platform.' in shown
    assert "27.40 EUR authorized, released without a capture" in shown


def test_an_order_is_completed_from_the_command_line(
    expediter: Any, running: Any, placed: str, ends_as: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Restaurant and courier report with the same command, as the README shows."""
    monkeypatch.setenv("EXPEDITER_DATA", str(running.data))

    def shown() -> Any:
        return expediter("order", "show", placed, "--json").json

    ends_as(shown, "authorized")
    waiting = expediter("order", "show", placed).out
    assert "waiting for the restaurant to accept ticket 4" in waiting
    assert "pm_ok: 27.40 EUR authorized" in waiting
    for report in (
        ("accept", placed, "--ready-in", "15"),
        ("assign", placed, "--courier", "cou_1"),
        ("ready", placed),
        ("pick-up", placed),
        ("deliver", placed),
    ):
        reported = expediter("order", *report)
        assert (reported.code, reported.out) == (0, ""), reported
    ends_as(shown, "completed")
    assert "pm_ok: captured 27.40 EUR" in expediter("order", "show", placed).out


def test_a_restaurant_rejects_an_order_from_the_command_line(
    expediter: Any, running: Any, placed: str, ends_as: Any
) -> None:
    """The order is cancelled for that cause."""
    here = ("--data", str(running.data))

    def shown() -> Any:
        return expediter("order", "show", placed, "--json", *here).json

    ends_as(shown, "authorized")
    assert expediter("order", "reject", placed, "--reason", "closed", *here).code == 0
    assert ends_as(shown, "cancelled")["cancellation"]["cause"] == "preparation_rejected"


def test_a_delivery_fails_from_the_command_line(expediter: Any, running: Any, placed: str, ends_as: Any) -> None:
    """The order is cancelled for that cause."""
    here = ("--data", str(running.data))

    def shown() -> Any:
        return expediter("order", "show", placed, "--json", *here).json

    ends_as(shown, "authorized")
    for report in ("accept", "assign --courier cou_1", "ready", "pick-up", "fail --reason rain --fault platform"):
        name, *options = report.split()
        assert expediter("order", name, placed, *options, *here).code == 0
    assert ends_as(shown, "cancelled")["cancellation"]["cause"] == "delivery_failed"


def test_ready_at_may_have_nanoseconds(expediter: Any, running: Any, placed: str, ends_as: Any) -> None:
    """Other languages print nine digits."""
    here = ("--data", str(running.data))
    ends_as(lambda: expediter("order", "show", placed, "--json", *here).json, "authorized")
    hour = (datetime.now(UTC) + timedelta(hours=1)).strftime("%Y-%m-%dT%H")
    at = f"{hour}:30:00.123456789Z"
    accepted = expediter("order", "accept", placed, "--ready-at", at, "--json", *here)
    assert accepted.json["preparation"]["ready_at"] == f"{hour}:30:00.123456Z"
    assert expediter("order", "replay", placed, "--at", at, *here).code == 0
    both = expediter("order", "accept", placed, "--ready-at", at, "--ready-in", "5", *here)
    assert (both.code, "give one of --ready-in and --ready-at" in both.err) == (2, True)


def test_a_printed_hint_can_be_pasted_unchanged(expediter: Any, running: Any) -> None:
    """It contains the folder, so it reaches the same engine."""
    hint = expediter("order", "place", "--example", "--data", running.data).err
    program, *arguments = shlex.split(hint.partition("; see ")[2])
    assert program == "expediter"
    assert "Order placed" in expediter(*arguments).out


def test_a_timeline_shows_date_and_time(expediter: Any, running: Any, placed: str) -> None:
    """Seconds since placing alone cannot be compared with a provider's log."""
    first = expediter("order", "history", placed, "--data", running.data).out.splitlines()[1]
    assert re.search(r"1 +\d{4}-\d\d-\d\d \d\d:\d\d:\d\d +\+0\.0s  Order placed", first)


def test_a_folder_from_the_environment_signs_no_token_for_another_engine(
    expediter: Any, running: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A token of the local engine is not sent to an address given by ``--url``."""
    monkeypatch.setenv("EXPEDITER_DATA", str(running.data))
    elsewhere = expediter("order", "show", "ord_" + "a" * 26, "--url", "https://elsewhere.example")
    assert (elsewhere.code, "no token" in elsewhere.err) == (4, True)


@pytest.mark.parametrize(
    ("arguments", "code", "problem"),
    [
        (("order", "show", "ord_" + "a" * 26, "--json"), 1, "OrderNotFound"),
        (("order", "show", "--json"), 2, None),
        (("order", "accept", "ord_x", "--ready-at", "soon", "--json"), 2, None),
    ],
)
def test_with_json_an_error_is_json_too(
    expediter: Any, running: Any, arguments: tuple[str, ...], code: int, problem: str | None
) -> None:
    """A script finds the name of the refusal in the last line of stderr."""
    failed = expediter(*arguments, "--data", running.data)
    error = json.loads(failed.err.splitlines()[-1])
    assert (failed.code, failed.out, error["exit_code"], error.get("problem")) == (code, "", code, problem)
    assert error["error"]


def test_a_replay_shows_what_each_event_changed(expediter: Any, running: Any, placed: str, ends_as: Any) -> None:
    """It prints each event's changes and the order at that version."""
    ends_as(lambda: expediter("order", "show", placed, "--data", running.data, "--json").json, "authorized")
    shown = expediter("order", "replay", placed, "--at", "3", "--data", running.data).out
    assert "payment.authorization.state  asked -> held" in shown
    assert "as it was at version 3 of" in shown
    now = expediter("order", "replay", placed, "--at", "2999-01-01T00:00:00Z", "--data", running.data, "--json").json
    assert now["order"]["version"] == now["latest"]


def test_a_token_and_an_address_from_the_environment_are_enough(
    expediter: Any, running: Any, placed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another machine has no folder of the engine."""
    token = expediter("token", "--role", "auditor", "--id", "ada", "--data", running.data)
    assert token.out.count("\n") == 1
    monkeypatch.setenv("EXPEDITER_TOKEN", token.out.strip())
    monkeypatch.setenv("EXPEDITER_URL", running.url)
    assert expediter("order", "show", placed).code == 0


def test_an_order_can_be_read_from_stdin(expediter: Any, running: Any, process: Any) -> None:
    """``-`` stands for stdin."""
    body = json.dumps(expediter("order", "place", "--show-example").json)
    ended = process("order", "place", "-", "--data", running.data, "--json", input=body)
    assert json.loads(ended.stdout)["status"] == "placed"


def test_a_closed_stdout_is_not_an_error(running: Any, placed: str) -> None:
    """``| head`` closes the pipe, which must not print a traceback."""
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
