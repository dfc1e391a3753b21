"""Repairs of support from the command line, on an engine in memory: previewed, and the outcome awaited or named."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from domain.order.order import RunState
from tests.cli.conftest import Expediter
from tests.simulated_engine import SimulatedEngine
from workflows.cli import bulk_command, connection, outcomes
from workflows.client import ExpediterClient
from workflows.simulation.baskets import eur


@pytest.fixture
def engine() -> SimulatedEngine:
    return SimulatedEngine(SecondPersonAbove="20.00 EUR")


@pytest.fixture
def tool(engine: SimulatedEngine, expediter: Expediter, monkeypatch: pytest.MonkeyPatch) -> Expediter:
    """The command line, connected to the engine in memory and waiting in its time."""

    @contextmanager
    def connected(_url: Any, _data: Any, as_: str | None) -> Iterator[ExpediterClient]:
        role, _, name = (as_ or "support:sue").partition(":")
        with connection.explained():
            yield engine.client(role, name)

    monkeypatch.setattr(connection, "connected", connected)
    for waiting in (outcomes, bulk_command):
        monkeypatch.setattr(waiting, "time", engine.time)
    return expediter


def credit(order: str, amount: str = "5.00 EUR", *more: str) -> list[str]:
    return ["order", "credit", order, "--amount", amount, "--fault", "restaurant", "--reason", "cold", *more]


def test_a_credit_is_previewed_with_its_money_and_its_calls(engine, tool):
    order = engine.completed()
    planned = tool(*credit(order, "5.00 EUR", "--dry-run"))
    assert planned.code == 0
    assert " ".join(planned.out.split()) == (
        "Dry run: the customer pays 5.00 EUR less; asks the provider to refund 5.00 EUR. "
        "If it does, the order completes."
    )
    assert "CreditGranted" not in engine.kinds(order)


def test_a_credit_waits_until_the_provider_has_refunded(engine, tool):
    order = engine.completed()
    done = tool(*credit(order))
    assert (done.code, "is completed, run 2" in done.err) == (0, True), done
    assert engine.kinds(order)[-1] == "OrderCompleted"


def test_a_refund_that_is_still_open_is_named(engine, tool):
    order = engine.completed()
    engine.fail_provider("payments", 100)
    done = tool(*credit(order, "5.00 EUR", "--wait", "5"))
    assert done.code == 0
    assert "the outcome is not known yet" in done.err
    assert "refund" in done.err
    assert f"order why {order}" in done.err


def test_a_refund_that_was_refused_is_an_error_with_the_next_step(engine, tool):
    order = engine.completed("pm_refund_refused")
    done = tool(*credit(order))
    assert (done.code, f"incidents show {order}" in done.err) == (1, True), done


def test_a_credit_above_the_limit_names_the_command_for_the_second_person(engine, tool):
    order = engine.completed()
    done = tool(*credit(order, "25.00 EUR"))
    assert done.code == 1
    number = engine.client("support", "sue").get(order)["approvals"][0]
    assert f"incidents approve {order} {number}" in done.err


def test_a_payment_taken_twice_is_previewed_and_refunded(engine, tool):
    order = engine.completed("pm_taken_twice")
    [extra] = [line.id for line in engine.world.sandbox.payments.entries(order) if line.key.endswith("/again")]
    refund = ["order", "refund-extra", order, extra, "--amount", "28.00 EUR", "--reason", "charged twice"]
    assert "a second person must approve first" in tool(*refund, "--dry-run").out
    assert tool(*refund).code == 1
    number = engine.client("support", "sue").get(order)["approvals"][0]
    approve = ["incidents", "approve", order, str(number), "--reason", "seen in the books", "--as", "support:sam"]
    planned = tool(*approve, "--dry-run")
    assert "asks the provider whether it took 28.00 EUR, and refunds it if it did" in " ".join(planned.out.split())
    done = tool(*approve)
    assert (done.code, "is completed, run 2" in done.err) == (0, True), done
    assert engine.differences == []


def test_a_payment_that_the_provider_did_not_take_is_an_error_with_the_reason(engine, tool):
    """The order is completed as before, which alone would read like a success."""
    order = engine.completed()
    refund = ["order", "refund-extra", order, "cap_x", "--amount", "5.00 EUR", "--reason", "charged twice"]
    done = tool(*refund)
    assert (done.code, "nothing was refunded" in done.err, "unknown capture" in done.err) == (1, True, True), done


def test_an_amount_without_a_currency_is_refused_with_an_example(engine, tool):
    done = tool(*credit("ord_x", "5.00"))
    assert (done.code, "5.00 EUR" in done.err) == (2, True), done


def test_a_bulk_credit_is_planned_and_begun_with_the_token_of_the_plan(engine, tool):
    orders = [engine.completed(), engine.completed()]
    named = [part for order in orders for part in ("--order", order)]
    command = ["bulk", "credit", *named, "--amount", "5.00 EUR", "--reason", "the app was down"]
    planned = tool(*command)
    assert (planned.code, "2 orders, 2 calls to providers" in planned.out) == (0, True), planned
    assert "CreditGranted" not in engine.kinds(orders[0])
    token = planned.err.split("--token ")[1].strip()
    begun = tool(*command, "--token", token, "--wait", "0")
    assert (begun.code, "the outcome is not known yet" in begun.err) == (0, True), begun
    job = begun.err.split("--job ")[1].strip()
    ended = tool(*command, "--token", token, "--key", "another")
    assert (ended.code, f"begun before, as {job}" in ended.err) == (1, True), ended
    engine.sleep(300)
    shown = tool("bulk", "show", "--job", job)
    assert "2 ended" in shown.out
    assert [engine.kinds(order).count("PaymentRefunded") for order in orders] == [1, 1]


def test_a_bulk_job_is_watched_until_each_order_has_its_outcome(engine, tool):
    """An order that needs something else is exit code 1, with the place to see it."""
    good, bad = engine.completed(), engine.completed("pm_refund_refused")
    command = ["bulk", "credit", "--order", good, "--order", bad, "--amount", "5.00 EUR", "--reason", "late"]
    token = tool(*command).err.split("--token ")[1].strip()
    done = tool(*command, "--token", token, "--json")
    assert (done.code, "incidents list" in done.err) == (1, True), done
    outcomes_of = {each["order_id"]: each["outcome"] for each in done.json["orders"]}
    assert outcomes_of == {good: "ended", bad: "parked_again"}


def test_a_plan_without_a_possible_order_is_an_error(engine, tool):
    order = engine.completed()
    refused = tool("bulk", "retry", "--order", order, "--reason", "try again")
    assert (refused.code, "is not parked" in " ".join(refused.out.split())) == (1, True), refused


def parked(engine: SimulatedEngine) -> str:
    """Bring an order to an incident: the provider refuses the refund of a credit."""
    order = engine.completed("pm_refund_refused")
    engine.client("support", "sam").credit(order, eur("5.00"), "platform", "late")
    engine.until(order, lambda each: each.run_state is RunState.PARKED)
    return order


def flat(text: str) -> str:
    return " ".join(text.split())


def test_a_cancellation_is_previewed_with_its_calls_and_its_outcome_is_awaited(engine, tool):
    order = engine.accepted()
    command = ["order", "cancel", order, "--reason", "the customer called"]
    planned = tool(*command, "--dry-run")
    assert flat(planned.out) == (
        "Dry run: asks the provider to release 28.00 EUR, asks the restaurant to cancel the ticket, asks for the "
        "courier to be released. Then the order ends as cancelled."
    )
    assert engine.order(order).cancellation is None
    done = tool(*command)
    assert (done.code, f"order {order} is cancelled" in done.err) == (0, True), done


def test_a_cancellation_that_is_still_open_is_named(engine, tool):
    order = engine.ticketed()
    engine.fail_provider("payments", 1000)
    done = tool("order", "cancel", order, "--reason", "closed", "--wait", "5")
    assert (done.code, "the outcome is not known yet" in done.err) == (0, True), done
    assert f"order why {order}" in done.err


def test_the_capture_that_follows_a_delivery_is_awaited(engine, tool):
    """A person who reports a delivery sees whether the customer has paid."""
    order = engine.picked_up()
    done = tool("order", "deliver", order)
    assert (done.code, f"order {order} is completed" in done.err) == (0, True), done


def test_a_retry_that_keeps_the_earlier_report_says_that_the_order_ends(engine, tool):
    """It waits for nothing: the contested report stays without effect."""
    order = engine.completed()
    engine.client("courier", "cou_1").fail(order, "a wrong door", "courier")
    engine.until(order, lambda now: now.run_state is RunState.PARKED)
    expected = "no calls. The order ends as completed."
    assert f"retry: {expected}" in flat(tool("order", "why", order).out)
    assert expected in flat(tool("incidents", "retry", order, "--reason", "it was delivered", "--dry-run").out)
    done = tool("incidents", "retry", order, "--reason", "it was delivered")
    assert (done.code, "is completed, run 2" in done.err) == (0, True), done


def test_the_commands_that_a_wait_names_are_complete(engine, tool):
    """Each can be run once its words in capitals are replaced; it is not refused for a missing option."""
    words = {"WHO": "the party", "WHY": "a broken phone", "MINUTES": "10", "THEIRS": "flat tyre"}
    words |= {"ID": "cou_1", "PARTY": "courier"}
    for order in (engine.ticketed(), engine.picked_up()):
        shown = [line for line in tool("order", "why", order).out.splitlines() if line.startswith("if it is known: ")]
        assert len(shown) == 2
        for line in shown:
            _, *command = shlex.split(line.removeprefix("if it is known: "))
            if "accepted" in command:  # its time would be of another clock than the engine's
                assert "--ready-in" in command
                continue
            planned = tool(*(words.get(word, word) for word in command), "--dry-run")
            assert (planned.code, planned.out.startswith("Dry run: ")) == (0, True), planned
    missing = tool("order", "pass-on", order, "accepted", "--said-by", "Rosa", "--reason", "no tablet")
    assert (missing.code, "--ready-in" in missing.err) == (2, True), missing


def test_claims_and_notes_are_previewed(engine, tool):
    order = parked(engine)
    version = engine.order(order).version
    for command, words in (
        (["claim", order, "--reason", "I know them"], "it is recorded who takes care of the order"),
        (["release", order, "--reason", "my shift is over"], "no effect, no person takes care of the order"),
        (["note", order, "called them"], "a note is recorded"),
    ):
        planned = tool("incidents", *command, "--dry-run")
        assert (planned.code, words in flat(planned.out)) == (0, True), planned
    assert engine.order(order).version == version
    assert tool("incidents", "claim", order, "--reason", "I know them").code == 0
    assert '"I know them"' in tool("order", "history", order).out


def test_a_circuit_is_previewed(engine, tool):
    planned = tool("circuits", "open", "couriers", "--reason", "a strike", "--dry-run")
    assert (planned.code, "goes from closed to held open" in flat(planned.out)) == (0, True), planned
    again = tool("circuits", "close", "couriers", "--reason", "it is over", "--dry-run")
    assert "no effect, the circuit of couriers is closed already" in flat(again.out)
