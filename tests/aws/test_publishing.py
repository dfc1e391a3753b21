"""Events from the bus to a backend service, on moto and on the bus in memory.

moto supports no SNS topic as a target of a rule, so here the rule feeds the queue directly; with raw delivery the
messages are the same.
"""

from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError

from tests.queued_events import take_events
from workflows.aws import clients
from workflows.aws.event_bridge import BYTES_MAX, EventBridgeBus
from workflows.in_memory.event_bus import InMemoryEventBus
from workflows.publishing.cloud_events import SOURCE, CloudEvent
from workflows.publishing.event_bus import EventBusUnavailable


def event(n: int, size: int = 1) -> CloudEvent:
    return CloudEvent(
        id=f"ord_1/{n}",
        type="expediter.order.placed.v1",
        subject="ord_1",
        time="2026-05-04T12:00:00.000001Z",
        sequence=n,
        data={"n": n, "text": "é" * size},
    )


def events(count: int, size: int = 1) -> list[CloudEvent]:
    return [event(n, size) for n in range(1, count + 1)]


@pytest.fixture
def bus(moto) -> EventBridgeBus:
    clients.event_bridge().create_event_bus(Name="orders")
    return EventBridgeBus(clients.event_bridge(), "orders")


@pytest.fixture
def queue(bus) -> str:
    """Make a queue that receives all events of this source. Returns its URL."""
    url = boto3.client("sqs").create_queue(QueueName="order-events")["QueueUrl"]
    arn = boto3.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    bridge = clients.event_bridge()
    bridge.put_rule(Name="all", EventBusName="orders", EventPattern=json.dumps({"source": [SOURCE]}))
    bridge.put_targets(Rule="all", EventBusName="orders", Targets=[{"Id": "queue", "Arn": arn}])
    return url


@pytest.fixture
def requests(bus) -> list[list[dict[str, Any]]]:
    """Return a list that collects the entries of each later request to the bus."""
    seen: list[list[dict[str, Any]]] = []
    bus._client.meta.events.register(
        "provide-client-params.events.PutEvents", lambda params, **_: seen.append(params["Entries"])
    )
    return seen


def drained(queue: str) -> list[dict[str, Any]]:
    bodies: list[dict[str, Any]] = []
    while received := take_events(boto3.client("sqs"), queue):
        bodies += received
    return sorted(bodies, key=lambda each: each["sequence"])


# --- the bus ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("where", ["in memory", "EventBridge"])
def test_any_number_of_events_is_published_unchanged(request, where: str):
    """None, one, and more than a request holds; each arrives as the CloudEvent that was published."""
    if where == "in memory":
        bus = InMemoryEventBus()
        taken = lambda: bus.published  # noqa: E731 - the two ways of reading stand side by side
    else:
        bus, queue = request.getfixturevalue("bus"), request.getfixturevalue("queue")
        taken = lambda: drained(queue)  # noqa: E731 - as above
    bus.publish([])
    assert taken() == []
    sent = events(23)
    bus.publish(sent)
    assert taken() == [event.as_json() for event in sent]


def test_an_entry_repeats_what_rules_match_on(bus, requests):
    """Source and type are the CloudEvent's, and the time is when the event was recorded."""
    bus.publish(events(1))
    ((entry,),) = requests
    assert (entry["Source"], entry["DetailType"]) == ("/expediter/orders", "expediter.order.placed.v1")
    assert entry["Time"].isoformat() == "2026-05-04T12:00:00.000001+00:00"
    assert json.loads(entry["Detail"]) == event(1).as_json()


def test_an_entry_carries_the_trace_of_its_event(bus, requests):
    """EventBridge passes it on to the targets; an event without a trace has no header."""
    bus.publish([replace(event(1), trace="4bf92f3577b34da6a3ce929d0e0e4736"), event(2)])
    [[traced, untraced]] = requests
    assert traced["TraceHeader"] == "Root=1-4bf92f35-77b34da6a3ce929d0e0e4736"
    assert "TraceHeader" not in untraced


def test_a_request_has_ten_entries_at_most(bus, requests):
    """EventBridge refuses more."""
    bus.publish(events(23))
    assert [len(entries) for entries in requests] == [10, 10, 3]


def test_a_request_stays_within_the_smallest_limit_on_its_way(bus, requests):
    """A request holds fewer events if they are long."""
    bus.publish(events(5, size=BYTES_MAX // 5))
    assert [len(entries) for entries in requests] == [2, 2, 1]


def test_an_event_that_is_too_large_does_not_delay_the_others(bus, queue):
    """The others are sent, and the error names the one that is too large."""
    giant = event(2, size=BYTES_MAX)
    with pytest.raises(EventBusUnavailable, match=f"larger than {BYTES_MAX} bytes") as refusal:
        bus.publish([event(1), giant, event(3)])
    assert refusal.value.not_accepted == (giant,)
    assert drained(queue) == [event(1).as_json(), event(3).as_json()]


def some_refused(sequences: set[int], code: str = "ThrottlingException"):
    """Refuse the entries of these events. They are not sent to moto, which would accept them."""

    def strike(params: dict[str, Any], context: Any, **_: Any) -> Any:
        entries = json.loads(params["body"])["Entries"]
        refused = [int(json.loads(entry["Detail"])["sequence"]) in sequences for entry in entries]
        results = [{"ErrorCode": code, "ErrorMessage": "slow down"} if no else {"EventId": "1"} for no in refused]
        return SimpleNamespace(status_code=200), {
            "Entries": results,
            "FailedEntryCount": sum(refused),
            "ResponseMetadata": {"HTTPStatusCode": 200},
        }

    return strike


def test_only_refused_entries_are_sent_again(bus, requests, next_time):
    """EventBridge may refuse some entries of a request."""
    next_time(bus._client, "before-call.events.PutEvents", some_refused({2, 5}))
    bus.publish(events(6))
    sent = [[int(json.loads(entry["Detail"])["sequence"]) for entry in entries] for entries in requests]
    assert sent == [[1, 2, 3, 4, 5, 6], [2, 5]]


def test_entries_that_are_refused_to_the_end_are_named(bus, requests):
    """The stream delivers these again."""
    bus._client.meta.events.register_first("before-call.events.PutEvents", some_refused({12}))
    with pytest.raises(EventBusUnavailable, match="ThrottlingException: slow down") as failure:
        bus.publish(events(23))
    assert failure.value.not_accepted == (event(12),)
    assert len(requests) == 5  # the second is sent twice more, and the third is sent anyway


@pytest.mark.parametrize("error", [EndpointConnectionError, ReadTimeoutError])
def test_after_a_timeout_of_the_bus_no_further_request_is_sent(bus, requests, error):
    """Each would wait for its own timeout. The error names all unsent events, which can be sent again."""

    def silent(**_: Any) -> Any:
        if len(requests) > 1:
            raise error(endpoint_url="injected")

    bus._client.meta.events.register_first("before-call.events.PutEvents", silent)
    with pytest.raises(EventBusUnavailable) as failure:
        bus.publish(events(35))
    assert failure.value.not_accepted == tuple(events(35)[10:])
    assert len(requests) == 2


def test_a_missing_bus_is_a_permanent_error(bus):
    """A retry does not help, and the batches must not become failed batches unnoticed."""
    with pytest.raises(ClientError):
        EventBridgeBus(bus._client, "arn:aws:events:eu-central-1:123456789012:event-bus/no/such bus").publish(events(1))
