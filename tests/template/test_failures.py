"""Nothing that fails is lost: every asynchronous edge has somewhere to put what failed, and an alarm that tells."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from tests.template.conftest import Resources
from tests.template.policies import may, named, role_of

OfType = Callable[[str], Resources]


def dead_letter_queues(resources: Resources) -> Iterator[tuple[str, str]]:
    """Each edge that is delivered later, or again, and the queue behind it: (edge, queue)."""
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


def test_every_queue_that_is_received_from_has_dead_letters(resources: Resources, of_type: OfType) -> None:
    """And every queue is either received from or holds the dead letters of another."""
    dead = {queue for _, queue in dead_letter_queues(resources)}
    queues = {f"{name}.Arn": item for name, item in of_type("SQS::Queue").items()}
    assert dead <= set(queues)
    assert {name for name, item in queues.items() if "RedrivePolicy" not in item} == dead


def test_dead_letters_are_kept_as_long_as_can_be(resources: Resources, of_type: OfType) -> None:
    """Fourteen days, over any holiday."""
    for _, queue in dead_letter_queues(resources):
        assert of_type("SQS::Queue")[queue.removesuffix(".Arn")]["MessageRetentionPeriod"] == 14 * 86400


def test_what_writes_dead_letters_may(resources: Resources, of_type: OfType) -> None:
    """A destination that refuses the message loses it without a word."""
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
                function = resources[named(properties["FunctionName"])]["Properties"]
                assert ("sqs:SendMessage", queue) in may(resources, role_of(function))


def test_every_function_is_waited_for_or_has_a_destination(resources: Resources, of_type: OfType) -> None:
    """Behind a request and behind a Task somebody hears of the failure; anybody else needs to be told."""
    sources: dict[str, set[str]] = {name: set() for name in of_type("Lambda::Function")}
    for permission in of_type("Lambda::Permission").values():
        sources[named(permission["FunctionName"])].add(permission["Principal"])
    for mapping in of_type("Lambda::EventSourceMapping").values():
        sources[named(mapping["FunctionName"])].add(named(mapping["EventSourceArn"]))
    for schedule in of_type("Scheduler::Schedule").values():
        sources[named(schedule["Target"]["Arn"]).removesuffix(".Arn")].add("scheduler")
    for machine in of_type("StepFunctions::StateMachine").values():
        sources[named(machine["DefinitionSubstitutions"]["SagaStep"]).removesuffix(".Arn")].add("states")
    assert sources == {
        **{
            name: {"apigateway.amazonaws.com"}
            for name in ("OrdersApi", "PreparationApi", "DeliveryApi", "IncidentsApi")
        },
        "SagaStep": {"states"},
        "Feed": {"Events.StreamArn"},
        "Publisher": {"Events.StreamArn"},
        "Timer": {"scheduler"},
        "ExecutionFaults": {"ExecutionFaultsQueue.Arn"},
    }
    (asynchronous,) = of_type("Lambda::EventInvokeConfig").values()
    assert named(asynchronous["FunctionName"]) == "Timer"


def test_a_stream_mapping_gives_up_on_a_record_and_keeps_it(resources: Resources, of_type: OfType) -> None:
    """The defaults block a shard for a day on one poison record, and then lose it."""
    mappings = [item for item in of_type("Lambda::EventSourceMapping").values() if "StartingPosition" in item]
    assert {named(item["FunctionName"]) for item in mappings} == {"Feed", "Publisher"}
    for item in mappings:
        assert item["StartingPosition"] == "TRIM_HORIZON"
        assert 0 < item["MaximumRetryAttempts"] <= 10
        assert item["BisectBatchOnFunctionError"] is True
        assert item["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
        bucket = named(item["DestinationConfig"]["OnFailure"]["Destination"])
        assert resources[bucket.removesuffix(".Arn")]["Type"] == "AWS::S3::Bucket"
        role = role_of(resources[named(item["FunctionName"])]["Properties"])
        assert {("s3:PutObject", f"{bucket}/*"), ("s3:ListBucket", bucket)} <= may(resources, role)


def test_a_queue_hides_a_message_for_as_long_as_its_function_may_need(resources: Resources, of_type: OfType) -> None:
    """Six times the function's limit: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html."""
    for item in of_type("Lambda::EventSourceMapping").values():
        queue = resources[named(item["EventSourceArn"]).partition(".")[0]]
        if queue["Type"] == "AWS::SQS::Queue":
            function: dict[str, Any] = resources[named(item["FunctionName"])]["Properties"]
            assert queue["Properties"]["VisibilityTimeout"] >= 6 * function["Timeout"]
            assert item["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


def test_the_fault_rule_hears_of_every_end_that_is_a_fault(of_type: OfType) -> None:
    """Those are the three states an execution ends in besides SUCCEEDED."""
    pattern = of_type("Events::Rule")["FaultRule"]["EventPattern"]
    assert set(pattern["detail"]["status"]) == {"FAILED", "TIMED_OUT", "ABORTED"}
    assert pattern["detail"]["stateMachineArn"] == [{"Ref": "OrderMachine"}]
