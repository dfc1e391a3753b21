"""Functions for the tests: ``Handler: toy_handlers.echo``. Tests and functions meet in ``Place``s named by a key."""

from __future__ import annotations

import json
import os
import threading
import time
from collections import defaultdict
from concurrent.futures import Future
from typing import Any

from workflows import bootstrap

DEADLINE_S = 20.0


class Place:
    """Where a test and a function meet: the function waits at ``gate``, leaves its token, and says that it came."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.token: Future[str] = Future()
        self.came = threading.Semaphore(0)
        self.visits: list[Any] = []


PLACES: defaultdict[str, Place] = defaultdict(Place)


class ToyFailed(Exception):
    """What a toy raises."""


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
    return dict(bootstrap.environment())


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


def feed(event: Any, context: Any) -> Any:
    return PLACES["feed"].visits.append(event)


def http(event: Any, context: Any) -> Any:
    return {"statusCode": 200, "headers": {"content-type": "application/json"}, "body": json.dumps(event)}
