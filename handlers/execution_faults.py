"""The function behind the queue of executions that ended in a fault: each makes its order an incident.

A message is EventBridge's event of an execution of the order machine,
https://docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html, sent through SQS. One that is not, or
that could not be recorded, comes again alone, until the queue puts it aside.
"""

from __future__ import annotations

import json
import logging
import traceback
from typing import Any

from domain.identifiers import InvalidIdentifier, parse_order_id
from workflows.engine import Engine, engine
from workflows.sagas.execution_faults import ExecutionFault, record_fault

_log = logging.getLogger(__name__)

RECORDED = "an execution ended in a fault"
FAILED = "the fault of an execution could not be recorded"

ERRORS = {"FAILED": "ExecutionFailed", "TIMED_OUT": "States.Timeout", "ABORTED": "ExecutionAborted"}
"""What a fault is called where the event gives it no name: a time limit and a stop by hand have none."""


class NotAFault(Exception):
    """The message tells of no run's execution that failed, timed out or was aborted."""


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """``event`` is a batch of SQS messages."""
    ports = engine()
    failed = [_message_id(message) for message in event["Records"] if not _recorded(ports, message)]
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}


def _message_id(message: Any) -> str:
    """An empty one brings the whole batch again, which a message without one needs; nothing is recorded twice."""
    found = message.get("messageId") if isinstance(message, dict) else None
    return str(found or "")


def _recorded(ports: Engine, message: Any) -> bool:
    try:
        fault = _fault(message)
        parked = record_fault(ports, fault)
    except Exception as error:  # the other messages do not wait for it
        trace = traceback.format_tb(error.__traceback__)
        _log.error(FAILED, extra={"message_id": _message_id(message), "error": type(error).__name__, "trace": trace})
        return False
    _log.warning(RECORDED, extra={"order": fault.order_id, "run": fault.run, "error": fault.error, "parked": parked})
    return True


def _fault(message: Any) -> ExecutionFault:
    """Order and run are the execution's name, ``<order id>-<run>``; input and output are not always sent along."""
    try:
        told = json.loads(message["body"])
        detail = told["detail"]
        unnamed = ERRORS[detail["status"]]
        order_id, _, run = str(detail["name"]).rpartition("-")
        return ExecutionFault(
            id=str(told["id"]),
            order_id=parse_order_id(order_id),
            run=int(run),
            error=str(detail.get("error") or unnamed),
            cause=str(detail.get("cause") or f"{detail['executionArn']} is {detail['status']}"),
        )
    except (KeyError, TypeError, ValueError, InvalidIdentifier, AttributeError) as error:
        raise NotAFault("not the event of an execution that ended in a fault") from error
