"""Events from the bus to a backend service, on moto and on the bus in memory.

moto supports no SNS topic as a target of a rule, so here the rule feeds the queue directly; with raw delivery the
messages are the same.
"""

from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError

from workflows.aws import clients
from workflows.aws.event_bridge import BYTES_MAX, EventBridgeBus
from workflows.aws.event_queue import EventQueue, EventQueueUnavailable
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
def queue(bus) -> EventQueue:
    """Open a queue that receives all events of this source."""
    url = clients.sqs().create_queue(QueueName="order-events")["QueueUrl"]
    arn = clients.sqs().get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    bridge = clients.event_bridge()
    bridge.put_rule(Name="all", EventBusName="orders", EventPattern=json.dumps({"source": [SOURCE]}))
    bridge.put_targets(Rule="all", EventBusName="orders", Targets=[{"Id": "queue", "Arn": arn}])
    return EventQueue(clients.sqs(), url)


@pytest.fixture
def requests(bus) -> list[list[dict[str, Any]]]:
    """Return a list that collects the entries of each later request to the bus."""
    seen: list[list[dict[str, Any]]] = []
    bus._client.meta.events.register(
        "provide-client-params.events.PutEvents", lambda params, **_: seen.append(params["Entries"])
    )
    return seen


def drained(queue: EventQueue) -> list[dict[str, Any]]:
    bodies = []
    while received := queue.receive(wait_s=0):
        bodies += [dict(each.event) for each in received]
        queue.acknowledge(received)
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


# --- the queue --------------------------------------------------------------------------------------------------------


def test_an_unacknowledged_event_is_delivered_again(bus, queue):
    """After the queue's visibility timeout, with a higher number of attempts."""
    bus.publish(events(1))
    (first,) = queue.receive(wait_s=0)
    assert first.attempts == 1
    assert queue.receive(wait_s=0) == []
    queue._client.change_message_visibility(QueueUrl=queue._url, ReceiptHandle=first.receipt, VisibilityTimeout=0)
    (second,) = queue.receive(wait_s=0)
    assert (second.event, second.attempts) == (first.event, 2)
    queue.acknowledge([second])
    assert queue.receive(wait_s=0) == []


def test_more_events_are_acknowledged_than_one_request_holds(bus, queue):
    """A service may collect many events before it writes them."""
    bus.publish(events(23))
    received = []
    while part := queue.receive(wait_s=0):
        received += part
    assert len(received) == 23
    queue.acknowledge(received)
    attributes = queue._client.get_queue_attributes(QueueUrl=queue._url, AttributeNames=["All"])["Attributes"]
    assert attributes["ApproximateNumberOfMessagesNotVisible"] == "0"


def test_a_failed_acknowledgement_is_raised(bus, queue):
    """The event may be delivered again."""
    bus.publish(events(2))
    received = queue.receive(wait_s=0)
    failed = {"Failed": [{"Id": "0", "Code": "InternalError", "SenderFault": False}], "Successful": [{"Id": "1"}]}
    answer = (SimpleNamespace(status_code=200), {**failed, "ResponseMetadata": {"HTTPStatusCode": 200}})
    queue._client.meta.events.register_first("before-call.sqs.DeleteMessageBatch", lambda **_: answer)
    with pytest.raises(EventQueueUnavailable, match="1 were not acknowledged: InternalError"):
        queue.acknowledge(received)


@pytest.mark.parametrize("body", ["not json", "[]", "{}", '{"detail": []}', '{"detail": {"specversion": "9"}}'])
def test_a_message_that_is_no_event_is_received_as_none(queue, body: str):
    """The receiver decides about it; unacknowledged it goes to the dead-letter queue."""
    queue._client.send_message(QueueUrl=queue._url, MessageBody=body)
    (received,) = queue.receive(wait_s=0)
    assert (received.event, received.body) == ({}, body)


def test_a_timeout_of_the_queue_is_unavailable(queue, next_time):
    """The next attempt works again."""

    def silent(**_: Any) -> Any:
        raise ReadTimeoutError(endpoint_url="injected")

    next_time(queue._client, "before-call.sqs.ReceiveMessage", silent)
    with pytest.raises(EventQueueUnavailable):
        queue.receive(wait_s=0)
    assert queue.receive(wait_s=0) == []


def test_waiting_for_a_message_stays_within_the_timeouts(queue):
    """SQS waits twenty seconds at most, and the client a little longer."""
    requested: list[dict[str, Any]] = []
    queue._client.meta.events.register(
        "provide-client-params.sqs.ReceiveMessage", lambda params, **_: requested.append(dict(params))
    )
    queue._client.send_message(QueueUrl=queue._url, MessageBody="{}")
    queue.receive(wait_s=3600, max=100)
    assert (requested[0]["WaitTimeSeconds"], requested[0]["MaxNumberOfMessages"]) == (20, 10)
    assert clients.CONFIGS["sqs"].read_timeout > 20
