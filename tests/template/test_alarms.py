"""Alarms: each has a description, a recipient, and a section of the runbook with what to do."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import handlers.stream_batches
import handlers.timer
import workflows.audit.head_tree
import workflows.erasure.performing
import workflows.projections.comparison
import workflows.projections.projector
import workflows.publishing.webhooks.delivering
import workflows.upkeep.on_commit
from tests.template.conftest import Resources
from tests.template.policies import named
from tests.template.test_failures import dead_letter_queues
from tests.template.translated import REPOSITORY
from workflows.upkeep import on_tick as timekeeping

OfType = Callable[[str], Resources]

RUNBOOK = REPOSITORY / "docs" / "runbook.md"


def metrics_of(alarm: dict[str, object]) -> set[tuple[str, str]]:
    """Collect the metrics of an alarm: (metric, value of its dimension)."""
    stats = [item["MetricStat"]["Metric"] for item in alarm.get("Metrics", ()) if "MetricStat" in item]  # type: ignore[attr-defined]  # JSON
    return {
        (str(stat["MetricName"]), named(dimension["Value"]))
        for stat in stats or [alarm]
        for dimension in stat.get("Dimensions", [{"Value": ""}])
    }


def sections() -> set[str]:
    """Collect the anchors of the runbook's headings, as GitHub makes them."""
    titles = re.findall(r"^#+ (.+)$", RUNBOOK.read_text(), re.M)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def test_every_alarm_has_a_recipient_and_a_section_of_the_runbook(of_type: OfType) -> None:
    """The name of an alarm alone does not help at night."""
    anchors = []
    for name, alarm in of_type("CloudWatch::Alarm").items():
        assert alarm["AlarmActions"] == [{"Ref": "Alarms"}], name
        description = re.fullmatch(r"[A-Z].{30,}\. Runbook: docs/runbook\.md#([a-z-]+)", alarm["AlarmDescription"])
        assert description, name
        assert alarm["TreatMissingData"] == ("breaching" if "Silent" in name else "notBreaching"), name
        anchors.append(description[1])
    assert len(anchors) == len(set(anchors))
    assert set(anchors) <= sections()


def test_every_queue_of_dead_letters_has_an_alarm(resources: Resources, of_type: OfType) -> None:
    """At the first message: each is an order, an event or a round that is no longer processed."""
    watched = {
        on.removesuffix(".QueueName")
        for alarm in of_type("CloudWatch::Alarm").values()
        for metric, on in metrics_of(alarm)
        if metric == "ApproximateNumberOfMessagesVisible" and alarm["Threshold"] == 1
    }
    assert watched == {queue.removesuffix(".Arn") for _, queue in dead_letter_queues(resources)}


def test_dropped_and_late_records_of_the_stream_have_alarms(resources: Resources, of_type: OfType) -> None:
    """For both mappings, also for records that were dropped without a destination. The mappings must count them."""
    watched = {metric for alarm in of_type("CloudWatch::Alarm").values() for metric in metrics_of(alarm)}
    for function in ("Feed", "Publisher"):
        mapping = f"{function}Commits"
        assert resources[mapping]["Properties"]["MetricsConfig"] == {"Metrics": ["EventCount"]}
        assert {(name, mapping) for name in ("OnFailureDestinationDeliveredEventCount", "DroppedEventCount")} <= watched
        assert ("IteratorAge", function) in watched


def test_a_feed_that_does_not_run_while_the_log_is_written_to_has_an_alarm(of_type: OfType) -> None:
    """A disabled mapping has no late records: its iterator has no age, and no batch fails."""
    alarm = of_type("CloudWatch::Alarm")["FeedStoppedAlarm"]
    assert {("ConsumedWriteCapacityUnits", "Events"), ("Invocations", "Feed")} == metrics_of(alarm)
    (math,) = [item for item in alarm["Metrics"] if "Expression" in item]
    assert math["Expression"] == "IF(FILL(written, 0) > 0 AND FILL(invoked, 0) == 0, 1, 0)"


def test_throttles_and_faults_of_everything_have_alarms(of_type: OfType) -> None:
    """For every function, table and machine, and for the three ends of an execution that are faults."""
    watched = {metric for alarm in of_type("CloudWatch::Alarm").values() for metric in metrics_of(alarm)}
    assert {("Throttles", name) for name in of_type("Lambda::Function")} <= watched
    assert {("ExecutionThrottled", name) for name in of_type("StepFunctions::StateMachine")} <= watched
    for table in of_type("DynamoDB::Table"):
        assert {("ReadThrottleEvents", table), ("WriteThrottleEvents", table)} <= watched
    assert (
        "ThrottledEvents",
        "StateTransition",
    ) in watched  # the rate of transitions is the account's, not a machine's
    assert ("ThrottledEvents", "StartExecution") in watched
    ends = ("ExecutionsFailed", "ExecutionsTimedOut", "ExecutionsAborted")
    assert {(end, "OrderMachine") for end in ends} <= watched
    assert ("5xx", "ServerlessHttpApi") in watched


def test_failed_notifications_of_every_topic_have_an_alarm(of_type: OfType) -> None:
    """A key or queue policy that was changed shows here first."""
    watched = {metric for alarm in of_type("CloudWatch::Alarm").values() for metric in metrics_of(alarm)}
    topics = {on.partition(".")[0] for metric, on in watched if metric == "NumberOfNotificationsFailed"}
    assert topics == set(of_type("SNS::Topic"))


def test_changes_of_keys_tables_roles_and_factors_by_hand_are_reported(of_type: OfType) -> None:
    """Of every key and table that must not be lost, by CloudTrail's names of the calls. It has a user's sub, and hides
    the name: https://docs.aws.amazon.com/cognito/latest/developerguide/logging-using-cloudtrail.html.
    """
    rules = {name: rule for name, rule in of_type("Events::Rule").items() if name.endswith("ChangedRule")}
    details = {name: rule["EventPattern"]["detail"] for name, rule in rules.items()}
    assert {"DisableKey", "ScheduleKeyDeletion"} <= set(details["KeysChangedRule"]["eventName"])
    keys = {named(key).removesuffix(".Arn") for key in details["KeysChangedRule"]["resources"]["ARN"]}
    assert keys == set(of_type("KMS::Key"))
    assert {"UpdateTable", "DeleteTable"} <= set(details["TablesChangedRule"]["eventName"])
    tables = {named(table) for table in details["TablesChangedRule"]["requestParameters"]["tableName"]}
    assert tables == {"Events", "Events.Arn", "DataKeys", "DataKeys.Arn"}
    assert details["GroupsChangedRule"]["eventName"] == ["AdminAddUserToGroup"]
    weakening = {"AdminSetUserMFAPreference", "SetUserPoolMfaConfig", "UpdateUserPool", "AdminLinkProviderForUser"}
    assert weakening <= set(details["FactorsChangedRule"]["eventName"])
    for rule in ("GroupsChangedRule", "FactorsChangedRule"):
        assert details[rule]["requestParameters"] == {"userPoolId": [{"Ref": "Callers"}]}
        assert (
            rules[rule]["Targets"][0]["InputTransformer"]["InputPathsMap"]["sub"] == "$.detail.additionalEventData.sub"
        )
    assert details["TokenRolesChangedRule"]["requestParameters"] == {
        "functionName": [{"suffix": {"Ref": "TokenRoles"}}]
    }
    versioned = {"UpdateFunctionCode20150331v2", "UpdateFunctionConfiguration20150331v2", "DeleteFunction20150331"}
    assert set(details["TokenRolesChangedRule"]["eventName"]) == versioned
    for name, rule in rules.items():
        [target] = rule["Targets"]
        assert target["Arn"] == {"Ref": "Alarms"}, name
        text, values = target["InputTransformer"]["InputTemplate"], target["InputTransformer"]["InputPathsMap"]
        assert "docs/runbook.md#changes-by-hand" in text
        assert set(re.findall("<(.+?)>", text)) == set(values), "on and yes are no texts in YAML"
    assert "changes-by-hand" in sections()


def test_every_metric_filter_matches_a_log_line_of_the_code(of_type: OfType) -> None:
    """A filter would never match after its message was reworded or its field renamed."""
    filters = {name: item["FilterPattern"] for name, item in of_type("Logs::MetricFilter").items()}
    logged = {
        handlers.stream_batches.TAMPERED,
        handlers.timer.DONE,
        timekeeping.OPEN_LONG,
        workflows.upkeep.on_commit.PARKED,
        workflows.audit.head_tree.FAILED,
        workflows.erasure.performing.NOT_COMPLETED,
        workflows.projections.comparison.MENDED,
        workflows.projections.projector.PARKED,
        workflows.publishing.webhooks.delivering.PAUSED,
    }
    counted = {
        item["MetricTransformations"][0]["MetricName"]: name for name, item in of_type("Logs::MetricFilter").items()
    }
    fields = {field for text in filters.values() for field in re.findall(r"\$\.(\w+)", text)}
    assert {re.findall(r'\$\.message = "([^"]*)"', text)[0] for text in filters.values()} == logged
    assert fields <= {"message", *_fields_of_a_round()}
    watched = {
        (json.dumps(alarm["Namespace"]), alarm["MetricName"], alarm["Statistic"], alarm["Threshold"])
        for alarm in of_type("CloudWatch::Alarm").values()
        if "Namespace" in alarm
    }
    namespace = json.dumps({"Fn::Sub": "Expediter/${AWS::StackName}"})
    several = {"CheckpointsFailed": 6, "ErasuresFailed": 10}  # in a day, and in a quarter of an hour
    assert {(namespace, name, "Sum", several.get(name, 1)) for name in counted} <= watched
    for item in of_type("Logs::MetricFilter").values():
        [transformation] = item["MetricTransformations"]
        assert (json.dumps(transformation["MetricNamespace"]), transformation["MetricValue"]) == (namespace, "1")


def _fields_of_a_round() -> set[str]:
    """Collect the keys of the timer's answer, which are the fields of its log line."""
    source = Path(timekeeping.__file__).read_text()
    return set(re.findall(r'^        "(\w+)": ', source, re.M))
