"""The function behind the queue of failed executions: each makes its order an incident.

A message is EventBridge's event about an execution of the order machine, sent through SQS:
https://docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html. Any other message, or one that
could not be recorded, is delivered again alone, until SQS moves it to the dead-letter queue.
"""

from __future__ import annotations

import json
import logging
import traceback
from typing import Any

from domain.identifiers import InvalidIdentifier, parse_order_id
from handlers.queue_batches import failures, message_id
from workflows.engine import Engine, engine
from workflows.sagas.execution_faults import ExecutionFault, record_fault

_log = logging.getLogger(__name__)

RECORDED = "an execution failed"
FAILED = "a failed execution could not be recorded"

ERRORS = {"FAILED": "ExecutionFailed", "TIMED_OUT": "States.Timeout", "ABORTED": "ExecutionAborted"}
"""The error names of events without one: a timeout and a stop by a person have none."""


class NotAFault(Exception):
    """The message is not about an execution of a run that failed, timed out or was aborted."""


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Lambda entry point. ``event`` is a batch of SQS messages; those that failed are delivered again."""
    ports = engine()
    return failures([message for message in event["Records"] if not _recorded(ports, message)])


def _recorded(ports: Engine, message: Any) -> bool:
    try:
        fault = _fault(message)
        parked = record_fault(ports, fault)
    except Exception as error:  # the other messages must not wait for it
        trace = traceback.format_tb(error.__traceback__)
        _log.error(FAILED, extra={"message_id": message_id(message), "error": type(error).__name__, "trace": trace})
        return False
    _log.warning(RECORDED, extra={"order": fault.order_id, "run": fault.run, "error": fault.error, "parked": parked})
    return True


def _fault(message: Any) -> ExecutionFault:
    """Return the fault. Order and run are taken from the execution's name, because its input is not always included."""
    try:
        event = json.loads(message["body"])
        detail = event["detail"]
        unnamed = ERRORS[detail["status"]]
        order_id, _, run = str(detail["name"]).rpartition("-")
        return ExecutionFault(
            id=str(event["id"]),
            order_id=parse_order_id(order_id),
            run=int(run),
            error=str(detail.get("error") or unnamed),
            cause=str(detail.get("cause") or f"{detail['executionArn']} is {detail['status']}"),
        )
    except (KeyError, TypeError, ValueError, InvalidIdentifier, AttributeError) as error:
        raise NotAFault("not the event of an execution that failed") from error
