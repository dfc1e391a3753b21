"""Functions for the tests: ``Handler: toy_handlers.echo``. Tests and functions meet in ``Place``s named by a key."""

from __future__ import annotations

import json
import os
import threading
import time
from collections import defaultdict
from concurrent.futures import Future
from typing import Any

from workflows import engine as bootstrap
from workflows.settings import Reader, read_order_machine

DEADLINE_S = 20.0


class Place:
    """Where a test and a function meet: the function waits at ``gate``, leaves its token, and counts its visit."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.token: Future[str] = Future()
        self.came = threading.Semaphore(0)
        self.visits: list[Any] = []
        self.records: list[Any] = []
        self.refused: set[str] = set()
        self.refusals = 0


PLACES: defaultdict[str, Place] = defaultdict(Place)


class ToyFailed(Exception):
    """Raised by a toy handler."""


def echo(event: Any, context: Any) -> Any:
    return event


def visit(event: Any, context: Any) -> Any:
    place = PLACES[event["place"]]
    place.visits.append(event)
    place.came.release()
    return event


def wait_at_gate(event: Any, context: Any) -> Any:
    place = PLACES[event["place"]]
    place.visits.append(event)
    place.came.release()
    assert place.gate.wait(DEADLINE_S)
    return event


def leave_token(event: Any, context: Any) -> Any:
    token = PLACES[event["place"]].token
    if not token.done():  # a call in flight at a crash is made again
        token.set_result(event["token"])
    return {}


def fail(event: Any, context: Any) -> Any:
    raise ToyFailed("as asked")


def settle_own_token(event: Any, context: Any) -> Any:
    """Waits for durability in a thread of the pool."""
    bootstrap.engine().executions.succeed(event["token"], {"settled": True})
    return {}


def environment(event: Any, context: Any) -> Any:
    return {"ORDER_MACHINE": bootstrap.settings(read_order_machine)}


def describe_context(event: Any, context: Any) -> Any:
    return {
        "name": context.function_name,
        "arn": context.invoked_function_arn,
        "memory": context.memory_limit_in_mb,
        "request": context.aws_request_id,
        "version": context.function_version,
        "has_time": 0 < context.get_remaining_time_in_millis() <= 30_000,
    }


def not_json(event: Any, context: Any) -> Any:
    return {"set": {1}}


def half_a_character(event: Any, context: Any) -> Any:
    return "\ud800"


def not_a_number(event: Any, context: Any) -> Any:
    return float("nan")


def too_large(event: Any, context: Any) -> Any:
    return "x" * 6_291_556


def leave(event: Any, context: Any) -> Any:
    raise SystemExit(3)


def change_event(event: Any, context: Any) -> Any:
    event["changed"] = True
    return event


def record(event: Any, context: Any) -> Any:
    """Appends a line to a file, durably enough for a test that kills the process."""
    descriptor = os.open(event["file"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(descriptor, f"{event['line']}\n".encode())
    os.close(descriptor)
    return event


def record_slowly(event: Any, context: Any) -> Any:
    time.sleep(0.002)  # work, so that a kill finds calls under way
    return record(event, context)


def _read_place(reader: Reader) -> str:
    return reader.text("PLACE")


def follow(event: Any, context: Any) -> Any:
    """Records each feed record, and fails the first that the test refuses."""
    place = PLACES[bootstrap.settings(_read_place)]
    for record in event["Records"]:
        image = record["dynamodb"]["NewImage"]
        key = f"{image['pk']['S']} {image['sk']['N']}"
        place.refusals += key in place.refused
        if key in place.refused:
            place.came.release()
            return {"batchItemFailures": [{"itemIdentifier": record["dynamodb"]["SequenceNumber"]}]}
        place.visits.append(key)
        place.records.append(record)
        place.came.release()
    return {"batchItemFailures": []}


def follow_at_gate(event: Any, context: Any) -> Any:
    """Follows a feed, but stops at the gate with the stream ``slow``."""
    if event["Records"][0]["dynamodb"]["Keys"]["pk"]["S"] == "slow":
        assert PLACES[bootstrap.settings(_read_place)].gate.wait(DEADLINE_S)
    return follow(event, context)


def answer_http(event: Any, context: Any) -> Any:
    """Returns the event, or the body as the result."""
    if event["rawPath"] == "/answer":
        return json.loads(event["body"])
    if event["rawPath"] == "/broken":
        raise ToyFailed("secret of the house")
    if event["rawPath"].startswith("/gate/"):
        return wait_at_gate({"place": event["pathParameters"]["place"]}, context)
    return {"statusCode": 200, "headers": {"Content-Type": "application/json"}, "body": json.dumps(event)}


def start_machine(event: Any, context: Any) -> Any:
    """Starts an execution of the machine in the environment, with the name in the path."""
    name = event["pathParameters"]["name"]
    bootstrap.engine().executions.start(bootstrap.settings(lambda reader: reader.text("MACHINE")), name, {"name": name})
    return {"statusCode": 202}
