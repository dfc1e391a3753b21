"""States that an execution entered, from its history: attempts, errors, children, and states of parallel branches."""

from __future__ import annotations

import json

from tests.runs.conftest import TEMPLATE, ReadWorld
from tests.statemachines.earlier_definition import earlier
from workflows.asl.run import run
from workflows.runs.visits import visits, without_tokens


def test_the_states_of_an_order_and_what_they_did(completed):
    """Every state with its action, in both branches."""
    [order] = completed.runs[0].executions
    states = [visit.state for visit in order.visits]
    assert states[:3] == ["AuthorizePayment", "RequestPreparation", "Fulfil"]
    assert {*states[3:-1]} == {"AwaitReadiness", "RequestCourier", "AwaitPickup", "AwaitDelivery"}
    assert states[-1] == "SettlePayment"
    assert all(visit.exited_at is not None for visit in order.visits)
    assert {visit.action for visit in order.visits} == {
        *(None, "authorize", "request_preparation", "await_readiness", "request_courier", "await_pickup"),
        *("await_delivery", "settle"),
    }
    assert order.machine == "order"
    sent = {visit.action for visit in order.visits if visit.submitted_at is not None}
    assert {"request_preparation", "request_courier"} <= sent
    assert not sent & {"authorize", "settle"}


def test_a_run_of_the_earlier_definition_is_shown_with_its_children():
    """Executions are kept for 90 days. The payment ran in an Express machine, which has no history."""
    read = ReadWorld(3, {}, orders=1)
    read.world.executions.upgrade(earlier(TEMPLATE))
    [order_id] = read.run().order_ids()
    order, payment, preparation, delivery = read.runs(order_id).runs[0].executions
    machines = [execution.machine for execution in (order, payment, preparation, delivery)]
    assert machines == ["order", "payment", "preparation", "delivery"]
    assert (payment.name, payment.described.status) == (None, "SUCCEEDED")
    assert [visit.action for visit in preparation.visits] == ["request_preparation", "await_readiness"]
    assert delivery.name == f"{order.name}-delivery-0"


RETRIED = """
QueryLanguage: JSONata
StartAt: Both
States:
  Both:
    Type: Parallel
    Branches:
      - StartAt: Flaky
        States:
          Flaky:
            Type: Task
            Resource: arn:aws:states:::lambda:invoke
            Arguments: {FunctionName: F, Payload: {action: settle}}
            Retry: [{ErrorEquals: [PaymentsUnavailable], IntervalSeconds: 1, MaxAttempts: 3}]
            End: true
      - StartAt: Steady
        States:
          Steady: {Type: Wait, Seconds: 60, End: true}
    Next: Done
  Done: {Type: Succeed}
"""


class PaymentsUnavailable(Exception):
    """The provider does not answer."""


def test_attempts_and_the_last_error_belong_to_the_state_that_made_them():
    """Also while another branch goes on between them."""
    calls = []

    def flaky(payload):
        calls.append(payload)
        if len(calls) < 3:
            raise PaymentsUnavailable(f"attempt {len(calls)}: no answer within 10 s")
        return {"outcome": "settled"}

    events = run(RETRIED, {}, {"F": flaky}).events
    by_name = {visit.state: visit for visit in visits(events)}
    flaky_visit = by_name["Flaky"]
    assert (flaky_visit.action, flaky_visit.attempts, flaky_visit.failures) == ("settle", 3, 2)
    assert (flaky_visit.error, flaky_visit.message) == ("PaymentsUnavailable", "attempt 2: no answer within 10 s")
    assert flaky_visit.output["Payload"] == {"outcome": "settled"}
    assert (by_name["Steady"].attempts, by_name["Steady"].error) == (0, "")
    assert by_name["Both"].exited_at == by_name["Steady"].exited_at != flaky_visit.exited_at
    waiting = visits(events[: [event["type"] for event in events].index("TaskFailed") + 1])
    assert [(visit.state, visit.exited_at) for visit in waiting] == [("Both", None), ("Flaky", None), ("Steady", None)]


def test_task_tokens_are_withheld_from_a_history():
    """A program that has a token can end the task in the name of the restaurant."""
    parameters = json.dumps({"Payload": {"order_id": "ord_x", "token": 'AQ"==', "run": 1}})
    event = {"id": 1, "type": "TaskScheduled", "taskScheduledEventDetails": {"parameters": parameters}}
    shown = without_tokens(event)["taskScheduledEventDetails"]["parameters"]
    assert json.loads(shown)["Payload"] == {"order_id": "ord_x", "token": "(withheld)", "run": 1}
    assert "AQ" in event["taskScheduledEventDetails"]["parameters"]
