"""The command path as a story: every kind of invocation that reads or changes orders, in a plausible sequence.

A failed invocation is delivered again as on AWS: a client repeats an unanswered request with the same key, the stream
repeats a failed batch, Step Functions retries a task if its definition has a retry for the error.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any, Protocol, cast

from domain.identifiers import Actor, Role
from tests.aws.deployed import Deployed
from tests.aws.striking import Killed
from tests.handlers.conftest import priced_body
from workflows.asl.reading.source import read
from workflows.embedded.lambda_.feed import stream_record
from workflows.event_store.change_feed import FeedEntry
from workflows.orders import requests as access
from workflows.upkeep.on_tick import TICK_EVERY_S

STATEMACHINES = Path(__file__).parents[2] / "statemachines"
DELIVERIES_MAX = 4


class NotDone(Exception):
    """The invocation failed and is to be delivered again."""


class Invocation(Protocol):
    @property
    def name(self) -> str: ...

    def deliver(self, on: Deployed) -> Any:
        """Make one attempt. Returns what its caller gets, or raises NotDone."""


def run(invocation: Invocation, on: Deployed) -> Any:
    """Deliver it until it is done."""
    for _ in range(DELIVERIES_MAX):
        try:
            return invocation.deliver(on)
        except NotDone:
            continue
    raise AssertionError(f"{invocation.name} is not done after {DELIVERIES_MAX} deliveries")


@dataclass(frozen=True)
class Request:
    """A client's request: repeated with the same key if it is not answered, or answered with 5xx."""

    name: str
    method: str
    path: str
    body: Any = None
    role: str = "customer"
    sub: str = "ada"

    def deliver(self, on: Deployed) -> Any:
        try:
            answer = on.request(self.method, self.path, self.body, role=self.role, sub=self.sub, key=key_of(self.name))
        except (Exception, Killed) as error:  # API Gateway answers 500, or 503 for a function that was killed
            raise NotDone from error
        if answer.status >= 500:
            raise NotDone
        assert answer.status < 400, answer
        return answer.status, answer.json


@dataclass(frozen=True)
class Task:
    """A task state. If it waits with a token, it ends once the token is settled, even if the function failed."""

    order: str
    action: str
    waits: bool = False
    run: int = 1
    more: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"{self.action} of {self.order}, run {self.run}"

    def deliver(self, on: Deployed) -> Any:
        event = {"order_id": ORDERS[self.order], "run": self.run, "action": self.action, **self.more}
        token = on.ledger.token_for(self.name) if self.waits else None
        try:
            result = on.invoke("handlers.saga_step.handler", event | ({"token": token} if token else {}))
        except (Exception, Killed) as error:
            if token and not on.ledger.is_open(token):
                return None
            self._check_that_it_is_retried(error)
            raise NotDone from error
        return None if token else result

    def _check_that_it_is_retried(self, error: BaseException) -> None:
        error_name = "Runtime.ExitError" if isinstance(error, Killed) else type(error).__name__
        assert error_name in retried(self.action), f"no machine retries {self.action} after {error_name}: {error}"


@dataclass(frozen=True)
class Feed:
    """The stream's event source mapping: delivers new commits, and again from the first record that failed."""

    after: str

    @property
    def name(self) -> str:
        return f"feed after {self.after}"

    def deliver(self, on: Deployed) -> Any:
        batch = [
            commit
            for stream, commits in sorted(on.commits().items())
            for commit in commits
            if commit.sk > on.fed.get(stream, 0)
        ]
        records: list[Any] = [stream_record(FeedEntry(n, commit)) for n, commit in enumerate(batch, start=1)]
        assert records, "there is no new commit to deliver"
        try:
            failed = on.invoke("handlers.feed.handler", {"Records": records})["batchItemFailures"]
        except (Exception, Killed) as error:
            raise NotDone from error
        numbers = [record["dynamodb"]["SequenceNumber"] for record in records]
        first = min((numbers.index(record["itemIdentifier"]) for record in failed), default=len(batch))
        for commit in batch[:first]:
            on.fed[commit.pk] = commit.sk
        if failed:
            raise NotDone
        return None


@dataclass(frozen=True)
class Round:
    """A round of the schedule: after a failure the next round comes later, when reserved releases are due again."""

    name: str

    def deliver(self, on: Deployed) -> Any:
        try:
            on.invoke("handlers.timer.handler", {})
        except (Exception, Killed) as error:
            on.clock.time += timedelta(seconds=TICK_EVERY_S)
            raise NotDone from error


@dataclass(frozen=True)
class FaultMessage:
    """A message of the faults queue: delivered again until it is processed."""

    order: str

    @property
    def name(self) -> str:
        return f"the execution of {self.order} fails"

    def deliver(self, on: Deployed) -> Any:
        name = f"{ORDERS[self.order]}-1"
        detail = {"status": "FAILED", "name": name, "executionArn": name, "error": "States.Runtime", "cause": "broken"}
        message = {"messageId": "1", "body": json.dumps({"id": "fault-1", "detail": detail})}
        try:
            failed = on.invoke("handlers.execution_faults.handler", {"Records": [message]})["batchItemFailures"]
        except (Exception, Killed) as error:
            raise NotDone from error
        if failed:
            raise NotDone


@dataclass(frozen=True)
class Erasure:
    """A request to erase a customer, repeated until it is done."""

    customer: str

    @property
    def name(self) -> str:
        return f"erase {self.customer}"

    def deliver(self, on: Deployed) -> Any:
        try:
            keyring = on.keyring()
            if (key_id := keyring.key_id_of(self.customer)) is not None:
                keyring.destroy(self.customer, key_id)
        except (Exception, Killed) as error:
            raise NotDone from error


@cache
def retried(action: str) -> frozenset[str]:
    """Return the errors that every state with this action retries."""
    retries: list[frozenset[str]] = []
    for file in STATEMACHINES.glob("*.asl.yaml"):
        for state in _tasks(cast("dict[str, Any]", read(file.read_text()))):
            arguments = json.dumps(state.get("Arguments", {}))
            if f"'{action}'" in arguments or (file.stem == "payment.asl" and action in {"authorize", "settle"}):
                retries.append(frozenset(e for retry in state.get("Retry", []) for e in retry["ErrorEquals"]))
    functions = [errors for errors in retries if "Runtime.ExitError" in errors]
    assert functions, f"no state invokes a function for {action}"
    return frozenset.intersection(*functions)


def _tasks(machine: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for state in machine["States"].values():
        if state["Type"] == "Task":
            yield state
        for branch in state.get("Branches", []):
            yield from _tasks(branch)


def key_of(request: str) -> str:
    """Return the key that a client sends with every repetition of a request."""
    return request.replace(" ", "-")


def _place(order: str, **changes: Any) -> Request:
    return Request(f"place {order}", "POST", "/orders", priced_body(**changes), "service", "shopfront")


def _act(order: str, action: str, body: Any = None) -> Request:
    role, sub = ("restaurant", "rosa") if action.startswith("preparation") else ("courier", "carl")
    return Request(f"{action} of {order}", "POST", f"/orders/{ORDERS[order]}/{action}", body, role, sub)


def _support(name: str, path: str, body: Any) -> Request:
    return Request(name, "POST", path, body, "support", "sue")


def _with_feeds(*invocations: Invocation) -> tuple[Invocation, ...]:
    """Add a feed after each invocation that commits."""
    quiet = ("await", "find_reason", "request_", "erase", "get", "history", "replay", "the clock", "hold", "close")
    story: list[Invocation] = []
    for invocation in invocations:
        story.append(invocation)
        if not invocation.name.startswith(quiet):
            story.append(Feed(invocation.name))
    return tuple(story)


ORDERS = {
    order: access.placed_id(Actor(Role.SERVICE, "shopfront"), key_of(f"place {order}"))
    for order in ("delivered", "cancelled", "parked", "unanswered", "broken")
}
WHY = {"reason": "the provider is ill"}

STORY = _with_feeds(
    _place("delivered"),
    Task("delivered", "authorize"),
    Task("delivered", "request_preparation", waits=True),
    Task("delivered", "await_acceptance", waits=True),
    _act("delivered", "preparation/accept", {"ready_at": "2026-05-04T12:30:00Z"}),
    Task("delivered", "await_readiness", waits=True),
    Task("delivered", "request_courier", waits=True),
    _act("delivered", "preparation/ready"),
    _act("delivered", "delivery/assign", {}),
    Task("delivered", "await_pickup", waits=True),
    _act("delivered", "delivery/pick-up"),
    Task("delivered", "await_delivery", waits=True),
    _act("delivered", "delivery/deliver"),
    Task("delivered", "settle"),
    Request("get delivered", "GET", f"/orders/{ORDERS['delivered']}"),
    Request("history of delivered", "GET", f"/orders/{ORDERS['delivered']}/history"),
    _place("cancelled"),
    Task("cancelled", "authorize"),
    Task("cancelled", "request_preparation", waits=True),
    Task("cancelled", "await_acceptance", waits=True),
    Request("cancel", "POST", f"/orders/{ORDERS['cancelled']}/cancel", {"reason": "not hungry"}),
    Task("cancelled", "find_reason"),
    Task("cancelled", "compensate"),
    _place("parked"),
    Task("parked", "park", more={"error": "Boom", "cause": "it broke"}),
    _support("note", f"/incidents/{ORDERS['parked']}/note", {"text": "called Ada"}),
    _support("retry", f"/incidents/{ORDERS['parked']}/retry", {"reason": "should work now"}),
    _support("hold payments", "/circuits/payments/open", WHY),
    Task("parked", "await_circuit", waits=True, run=2),
    _support("close payments", "/circuits/payments/close", WHY),
    Round("a timer round that wakes the waiting orders"),
    _place("unanswered"),
    Task("unanswered", "authorize"),
    Task("unanswered", "request_preparation", waits=True),
    Task("unanswered", "record_timeout", more={"waited": "request_preparation"}),
    _place("broken"),
    FaultMessage("broken"),
    Erasure("ada"),
)
