"""Failures are not lost: every asynchronous delivery has a dead-letter queue or destination, and an alarm."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from tests.template.conftest import Resources
from tests.template.policies import function_of, may, named, role_of

OfType = Callable[[str], Resources]


def dead_letter_queues(resources: Resources) -> Iterator[tuple[str, str]]:
    """List the asynchronous deliveries with their dead-letter queues: (delivery, queue)."""
    for name, item in resources.items():
        properties = item.get("Properties", {})
        match item["Type"]:
            case "AWS::Events::Rule":
                for target in properties["Targets"]:
                    yield name, named(target["DeadLetterConfig"]["Arn"])
            case "AWS::SNS::Subscription" if properties["Protocol"] == "sqs":
                yield name, named(properties["RedrivePolicy"]["deadLetterTargetArn"])
            case "AWS::SQS::Queue" if "RedrivePolicy" in properties:
                yield name, named(properties["RedrivePolicy"]["deadLetterTargetArn"])
            case "AWS::Scheduler::Schedule":
                yield name, named(properties["Target"]["DeadLetterConfig"]["Arn"])
            case "AWS::Lambda::EventInvokeConfig":
                yield name, named(properties["DestinationConfig"]["OnFailure"]["Destination"])


def test_every_consumed_queue_has_a_dead_letter_queue(resources: Resources, of_type: OfType) -> None:
    """Every queue is either consumed or a dead-letter queue."""
    dead = {queue for _, queue in dead_letter_queues(resources)}
    queues = {f"{name}.Arn": item for name, item in of_type("SQS::Queue").items()}
    assert dead <= set(queues)
    assert {name for name, item in queues.items() if "RedrivePolicy" not in item} == dead


def test_dead_letters_are_kept_for_the_longest_time(resources: Resources, of_type: OfType) -> None:
    """Fourteen days, SQS's maximum."""
    for _, queue in dead_letter_queues(resources):
        assert of_type("SQS::Queue")[queue.removesuffix(".Arn")]["MessageRetentionPeriod"] == 14 * 86400


def test_services_may_write_to_their_dead_letter_queues(resources: Resources, of_type: OfType) -> None:
    """A destination that refuses a message loses it silently."""
    allowed: dict[str, set[str]] = {}
    for item in of_type("SQS::QueuePolicy").values():
        for statement in item["PolicyDocument"]["Statement"]:
            source = statement["Condition"]["ArnEquals"]["aws:SourceArn"]
            allowed.setdefault(named(statement["Resource"]), set()).add(named(source).partition(".")[0])
    for edge, queue in dead_letter_queues(resources):
        properties = resources[edge]["Properties"]
        match resources[edge]["Type"]:
            case "AWS::Events::Rule":
                assert edge in allowed[queue]
            case "AWS::SNS::Subscription":
                assert named(properties["TopicArn"]) in allowed[queue]
            case "AWS::Scheduler::Schedule":
                assert ("sqs:SendMessage", queue) in may(resources, role_of(properties["Target"]))
            case "AWS::Lambda::EventInvokeConfig":
                function = resources[function_of(properties["FunctionName"])]["Properties"]
                assert ("sqs:SendMessage", queue) in may(resources, role_of(function))


def test_every_asynchronous_function_has_a_destination_for_failures(resources: Resources, of_type: OfType) -> None:
    """A request or a Task gets the failure as its answer; all other invocations need a destination."""
    sources: dict[str, set[str]] = {name: set() for name in of_type("Lambda::Function")}
    for permission in of_type("Lambda::Permission").values():
        sources[function_of(permission["FunctionName"])].add(permission["Principal"])
    for mapping in of_type("Lambda::EventSourceMapping").values():
        sources[function_of(mapping["FunctionName"])].add(named(mapping["EventSourceArn"]))
    for schedule in of_type("Scheduler::Schedule").values():
        sources[function_of(schedule["Target"]["Arn"])].add("scheduler")
    for machine in of_type("StepFunctions::StateMachine").values():
        sources[function_of(machine["DefinitionSubstitutions"]["SagaStep"])].add("states")
    assert sources == {
        **{
            name: {"apigateway.amazonaws.com"}
            for name in (
                *("OrdersApi", "CatalogueApi", "PreparationApi", "DeliveryApi"),
                *("IncidentsApi", "BulkApi", "ExecutionsApi", "WebhooksApi", "SearchApi", "AuditApi"),
            )
        },
        "SagaStep": {"states"},
        "Feed": {"Events.StreamArn"},
        "Publisher": {"Events.StreamArn"},
        "CustomersApi": {"apigateway.amazonaws.com", "scheduler"},
        "Timer": {"scheduler"},
        "Checkpoints": {"scheduler"},
        "Archiver": {"scheduler"},
        "ExecutionFaults": {"ExecutionFaultsQueue.Arn"},
        "Webhooks": {"WebhooksQueue.Arn", "scheduler"},
        "Projector": {"ProjectorQueue.Arn", "scheduler"},
        "Exporter": set(),  # invoked by SearchApi
    }
    asynchronous = {function_of(item["FunctionName"]) for item in of_type("Lambda::EventInvokeConfig").values()}
    assert asynchronous == {"CustomersApi", "Timer", "Checkpoints", "Webhooks", "Projector", "Exporter", "Archiver"}


def test_a_stream_mapping_sets_a_failing_record_aside(resources: Resources, of_type: OfType) -> None:
    """By default one failing record blocks a shard for a day and is then lost."""
    mappings = [item for item in of_type("Lambda::EventSourceMapping").values() if "StartingPosition" in item]
    assert {function_of(item["FunctionName"]) for item in mappings} == {"Feed", "Publisher"}
    for item in mappings:
        assert item["StartingPosition"] == "TRIM_HORIZON"
        assert 0 < item["MaximumRetryAttempts"] <= 25  # more than ten minutes of throttling, and less than an hour
        assert item["BisectBatchOnFunctionError"] is True
        assert item["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
        bucket = named(item["DestinationConfig"]["OnFailure"]["Destination"])
        assert resources[bucket.removesuffix(".Arn")]["Type"] == "AWS::S3::Bucket"
        role = role_of(resources[function_of(item["FunctionName"])]["Properties"])
        assert {("s3:PutObject", f"{bucket}/*"), ("s3:ListBucket", bucket)} <= may(resources, role)


def test_the_visibility_timeout_is_six_times_the_function_s_timeout(resources: Resources, of_type: OfType) -> None:
    """As AWS recommends: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html."""
    for item in of_type("Lambda::EventSourceMapping").values():
        queue = resources[named(item["EventSourceArn"]).partition(".")[0]]
        if queue["Type"] == "AWS::SQS::Queue":
            function: dict[str, Any] = resources[function_of(item["FunctionName"])]["Properties"]
            assert queue["Properties"]["VisibilityTimeout"] >= 6 * function["Timeout"]
            assert item["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


def test_the_fault_rule_matches_every_end_that_is_a_fault(of_type: OfType) -> None:
    """These are FAILED, TIMED_OUT and ABORTED."""
    pattern = of_type("Events::Rule")["FaultRule"]["EventPattern"]
    assert set(pattern["detail"]["status"]) == {"FAILED", "TIMED_OUT", "ABORTED"}
    assert pattern["detail"]["stateMachineArn"] == [{"Ref": "OrderMachine"}]
