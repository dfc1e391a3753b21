"""From the bus to a backend service, on moto, and the bus in memory beside it.

moto knows no SNS topic as a target, so here the rule feeds the queue itself; raw delivery changes nothing on the way.
"""

from __future__ import annotations

import json
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
    """The events that match a rule on all events of this source."""
    url = clients.sqs().create_queue(QueueName="order-events")["QueueUrl"]
    arn = clients.sqs().get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    bridge = clients.event_bridge()
    bridge.put_rule(Name="all", EventBusName="orders", EventPattern=json.dumps({"source": [SOURCE]}))
    bridge.put_targets(Rule="all", EventBusName="orders", Targets=[{"Id": "queue", "Arn": arn}])
    return EventQueue(clients.sqs(), url)


@pytest.fixture
def requests(bus) -> list[list[dict[str, Any]]]:
    """The entries of each request that the bus is sent from now on."""
    seen: list[list[dict[str, Any]]] = []
    bus._client.meta.events.register(
        "provide-client-params.events.PutEvents", lambda params, **_: seen.append(params["Entries"])
    )
    return seen


def drained(queue: EventQueue) -> list[dict[str, Any]]:
    found = []
    while received := queue.receive(wait_s=0):
        found += [dict(each.event) for each in received]
        queue.acknowledge(received)
    return sorted(found, key=lambda each: each["sequence"])


# --- the bus ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("where", ["in memory", "EventBridge"])
def test_any_number_of_events_is_taken_as_it_was_said(request, where: str):
    """None, one, and more than a request holds; each as the CloudEvent that it is."""
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
    """Source and type are the CloudEvent's own, and the time is when it was recorded."""
    bus.publish(events(1))
    ((entry,),) = requests
    assert (entry["Source"], entry["DetailType"]) == ("/expediter/orders", "expediter.order.placed.v1")
    assert entry["Time"].isoformat() == "2026-05-04T12:00:00.000001+00:00"
    assert json.loads(entry["Detail"]) == event(1).as_json()


def test_a_request_has_ten_entries_at_most(bus, requests):
    """EventBridge refuses more."""
    bus.publish(events(23))
    assert [len(entries) for entries in requests] == [10, 10, 3]


def test_a_request_stays_within_what_the_whole_way_carries(bus, requests):
    """Long events go out fewer at a time."""
    bus.publish(events(5, size=BYTES_MAX // 5))
    assert [len(entries) for entries in requests] == [2, 2, 1]


def test_an_event_that_is_too_large_does_not_delay_the_others(bus, queue):
    """The others go out, and it is named."""
    giant = event(2, size=BYTES_MAX)
    with pytest.raises(EventBusUnavailable, match=f"larger than {BYTES_MAX} bytes") as refusal:
        bus.publish([event(1), giant, event(3)])
    assert refusal.value.not_taken == (giant,)
    assert drained(queue) == [event(1).as_json(), event(3).as_json()]


def some_refused(sequences: set[int], code: str = "ThrottlingException"):
    """Entries of these events are not taken, and, as moto would take them, not sent either."""

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


def test_entries_that_were_not_taken_are_sent_again_and_no_others(bus, requests, next_time):
    """Within a request some may fail."""
    next_time(bus._client, "before-call.events.PutEvents", some_refused({2, 5}))
    bus.publish(events(6))
    sent = [[int(json.loads(entry["Detail"])["sequence"]) for entry in entries] for entries in requests]
    assert sent == [[1, 2, 3, 4, 5, 6], [2, 5]]


def test_what_is_not_taken_in_the_end_is_named(bus, requests):
    """The stream comes again with those."""
    bus._client.meta.events.register_first("before-call.events.PutEvents", some_refused({12}))
    with pytest.raises(EventBusUnavailable, match="ThrottlingException: slow down") as failure:
        bus.publish(events(23))
    assert failure.value.not_taken == (event(12),)
    assert len(requests) == 5  # two more tries of the second, and the third goes out all the same


@pytest.mark.parametrize("error", [EndpointConnectionError, ReadTimeoutError])
def test_a_silent_bus_is_not_asked_for_every_batch(bus, requests, error):
    """Each would take as long to fail; all that did not go out is named, and may be sent again."""

    def silent(**_: Any) -> Any:
        if len(requests) > 1:
            raise error(endpoint_url="injected")

    bus._client.meta.events.register_first("before-call.events.PutEvents", silent)
    with pytest.raises(EventBusUnavailable) as failure:
        bus.publish(events(35))
    assert failure.value.not_taken == tuple(events(35)[10:])
    assert len(requests) == 2


def test_a_bus_that_does_not_exist_is_our_mistake(bus):
    """It does not go away by asking again, and must not fill the failed batches unseen."""
    with pytest.raises(ClientError):
        EventBridgeBus(bus._client, "arn:aws:events:eu-central-1:123456789012:event-bus/no/such bus").publish(events(1))


# --- the queue --------------------------------------------------------------------------------------------------------


def test_what_is_not_acknowledged_comes_again(bus, queue):
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


def test_more_are_acknowledged_than_one_request_takes(bus, queue):
    """A service may collect before it writes."""
    bus.publish(events(23))
    received = []
    while part := queue.receive(wait_s=0):
        received += part
    assert len(received) == 23
    queue.acknowledge(received)
    attributes = queue._client.get_queue_attributes(QueueUrl=queue._url, AttributeNames=["All"])["Attributes"]
    assert attributes["ApproximateNumberOfMessagesNotVisible"] == "0"


def test_an_acknowledgement_that_failed_is_told(bus, queue):
    """The event may come again."""
    bus.publish(events(2))
    received = queue.receive(wait_s=0)
    failed = {"Failed": [{"Id": "0", "Code": "InternalError", "SenderFault": False}], "Successful": [{"Id": "1"}]}
    answer = (SimpleNamespace(status_code=200), {**failed, "ResponseMetadata": {"HTTPStatusCode": 200}})
    queue._client.meta.events.register_first("before-call.sqs.DeleteMessageBatch", lambda **_: answer)
    with pytest.raises(EventQueueUnavailable, match="1 were not acknowledged: InternalError"):
        queue.acknowledge(received)


@pytest.mark.parametrize("body", ["not json", "[]", "{}", '{"detail": []}', '{"detail": {"specversion": "9"}}'])
def test_a_message_that_is_no_event_is_received_as_none(queue, body: str):
    """Its receiver decides; unacknowledged it goes to the dead letters."""
    queue._client.send_message(QueueUrl=queue._url, MessageBody=body)
    (received,) = queue.receive(wait_s=0)
    assert (received.event, received.body) == ({}, body)


def test_a_queue_without_an_answer_is_unavailable(queue, next_time):
    """And the next try goes on."""

    def silent(**_: Any) -> Any:
        raise ReadTimeoutError(endpoint_url="injected")

    next_time(queue._client, "before-call.sqs.ReceiveMessage", silent)
    with pytest.raises(EventQueueUnavailable):
        queue.receive(wait_s=0)
    assert queue.receive(wait_s=0) == []


def test_waiting_for_a_message_outlives_no_timeout(queue):
    """SQS waits twenty seconds at most, and the client a little longer."""
    asked: list[dict[str, Any]] = []
    queue._client.meta.events.register(
        "provide-client-params.sqs.ReceiveMessage", lambda params, **_: asked.append(dict(params))
    )
    queue._client.send_message(QueueUrl=queue._url, MessageBody="{}")
    queue.receive(wait_s=3600, max=100)
    assert (asked[0]["WaitTimeSeconds"], asked[0]["MaxNumberOfMessages"]) == (20, 10)
    assert clients.CONFIGS["sqs"].read_timeout > 20
