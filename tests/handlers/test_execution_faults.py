"""An execution of the order machine that ended in a fault makes its order an incident."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from domain.identifiers import order_id_for
from domain.order.events import OrderParked
from domain.order.order import RunState
from handlers import execution_faults
from tests.domain.order import stories as s
from tests.recorded import Shop
from workflows.engine import serving
from workflows.event_store.event_log import StreamUnavailable

MACHINE = "arn:aws:states:eu-central-1:000000000000:stateMachine:OrderMachine"
STRANGER = order_id_for("app", "never placed")


def fault(run: int = 1, status: str = "FAILED", name: str = "", **detail: Any) -> dict[str, Any]:
    """Build EventBridge's event as in the developer guide of Step Functions; error and cause are optional."""
    execution = name or f"{s.ORDER_ID}-{run}"
    arn = f"{MACHINE.replace('stateMachine', 'execution')}:{execution}"
    return {
        "version": "0",
        "id": "315c1398-40ff-a850-213b-158f73e60175",
        "detail-type": "Step Functions Execution Status Change",
        "source": "aws.states",
        "account": "000000000000",
        "time": "2026-05-04T12:00:00Z",
        "region": "eu-central-1",
        "resources": [arn],
        "detail": {
            "executionArn": arn,
            "stateMachineArn": MACHINE,
            "name": execution,
            "status": status,
            "startDate": 1777896000000,
            "stopDate": 1777896005000,
            "input": None,
            "output": None,
            "inputDetails": {"included": False},
            "outputDetails": None,
            **detail,
        },
    }


def message(event: Any, message_id: str = "m") -> dict[str, Any]:
    body = event if isinstance(event, str) else json.dumps(event)
    return {"messageId": message_id, "receiptHandle": "r", "body": body, "eventSource": "aws:sqs", "attributes": {}}


def handle(shop: Shop, *messages: Any) -> list[str]:
    """Handle messages and return the ids of those to deliver again."""
    with serving(shop.engine, {}):
        told = execution_faults.handler({"Records": list(messages)}, None)
    return [failure["itemIdentifier"] for failure in told["batchItemFailures"]]


def parked(shop: Shop) -> OrderParked:
    event: Any = shop.log.load(f"order#{s.ORDER_ID}").recorded[-1].event
    assert isinstance(event, OrderParked)
    return event


@pytest.fixture
def shop() -> Shop:
    shop = Shop()
    shop.play(*s.AUTHORIZED)
    return shop


@pytest.mark.parametrize(
    ("status", "error"),
    [("FAILED", "ExecutionFailed"), ("TIMED_OUT", "States.Timeout"), ("ABORTED", "ExecutionAborted")],
)
def test_a_fault_without_an_error_name_is_an_incident_too(shop: Shop, status: str, error: str) -> None:
    """Error and cause are optional in the event; the incident names the execution, so that support can look at it."""
    assert handle(shop, message(fault(status=status))) == []
    event = parked(shop)
    assert (event.run, event.error) == (1, error)
    assert event.detail.endswith(f"{s.ORDER_ID}-1 is {status}")


def test_the_incident_is_named_after_the_first_error(shop: Shop) -> None:
    """A child's failure is JSON in the cause, with the function's exception inside, as when the machine parks it."""
    function = json.dumps({"errorType": "StreamUnavailable", "errorMessage": "no answer"})
    child = json.dumps({"Error": "StreamUnavailable", "Cause": function, "Status": "FAILED"})
    assert handle(shop, message(fault(error="States.TaskFailed", cause=child))) == []
    event = parked(shop)
    assert (event.error, event.detail) == ("StreamUnavailable", "no answer")


def test_a_message_that_comes_twice_parks_once(shop: Shop) -> None:
    """SQS and EventBridge deliver at least once."""
    assert handle(shop, message(fault()), message(fault())) == []
    assert handle(shop, message(fault())) == []
    kinds = [type(recorded.event) for recorded in shop.log.load(f"order#{s.ORDER_ID}").recorded]
    assert kinds.count(OrderParked) == 1


def test_an_order_that_its_machine_has_parked_keeps_its_reason(shop: Shop) -> None:
    """The execution may fail after it parked the order."""
    shop.play(s.park())
    assert handle(shop, message(fault(error="Other"))) == []
    assert parked(shop).error == "Bug"


def test_a_superseded_run_changes_nothing(shop: Shop) -> None:
    """A newer run works on the order."""
    before = shop.play(s.restart()).version
    assert handle(shop, message(fault(run=1))) == []
    assert shop.order().version == before


def test_an_order_that_has_ended_is_left_alone() -> None:
    """A fault of its execution does not matter any more."""
    shop = Shop()
    ended = shop.play(*s.COMPLETED)
    assert ended.run_state is RunState.ENDED
    assert handle(shop, message(fault(status="ABORTED"))) == []
    assert shop.order().version == ended.version


def test_an_order_that_was_compensating_is_parked_as_compensating(shop: Shop) -> None:
    """A new run that starts automatically could fail in the same way again and again."""
    shop.play(s.cancel())
    assert handle(shop, message(fault())) == []
    assert shop.order().run_state is RunState.PARKED
    assert shop.order().run == 1


NO_FAULTS = [
    "no JSON",
    "[]",
    "{}",
    fault(name="order-preparation-0"),
    fault(name=str(s.ORDER_ID)),
    fault(status="SUCCEEDED"),
    fault(name=f"{STRANGER}-1"),
    fault(run=7),
]


@pytest.mark.parametrize("wrong", NO_FAULTS, ids=range(len(NO_FAULTS)))
def test_a_message_that_is_no_fault_fails_alone(shop: Shop, wrong: Any, caplog: pytest.LogCaptureFixture) -> None:
    """It is delivered again until it goes to the dead-letter queue; the other messages of the batch are processed."""
    assert handle(shop, message(wrong, "wrong"), message(fault(), "right")) == ["wrong"]
    assert parked(shop).run == 1
    first = caplog.records[0]
    assert (first.levelno, first.getMessage()) == (logging.ERROR, execution_faults.FAILED)
    assert vars(first)["message_id"] == "wrong"


@pytest.mark.parametrize("unnamed", [None, {}, {"messageId": None, "body": "{}"}], ids=["null", "empty", "no id"])
def test_a_message_without_an_id_does_not_stop_the_others(
    shop: Shop, unnamed: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """It cannot be reported by id, so the whole batch is delivered again; recorded faults are not recorded twice."""
    for _ in range(2):
        assert handle(shop, unnamed, message(fault())) == [""]
        assert parked(shop).run == 1
    kinds = [type(recorded.event) for recorded in shop.log.load(f"order#{s.ORDER_ID}").recorded]
    assert kinds.count(OrderParked) == 1
    assert vars(caplog.records[0])["error"] == "NotAFault"


def test_a_fault_that_could_not_be_recorded_is_delivered_again(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """For example because the log does not answer."""
    real = shop.log.append

    def unavailable(*_: Any) -> Any:
        raise StreamUnavailable("order", "no answer")

    monkeypatch.setattr(shop.log, "append", unavailable)
    assert handle(shop, message(fault())) == ["m"]
    monkeypatch.setattr(shop.log, "append", real)
    assert handle(shop, message(fault())) == []
    assert parked(shop).run == 1
