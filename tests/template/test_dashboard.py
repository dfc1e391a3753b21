"""The dashboard: a widget for each question of the person on call, of metrics that exist."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.template.conftest import Resources
from tests.template.test_failures import dead_letter_queues

OfType = Callable[[str], Resources]

OF_AWS = {
    "AWS/SQS": {"QueueName": {"ApproximateNumberOfMessagesVisible", "ApproximateAgeOfOldestMessage"}},
    "AWS/Lambda": {"FunctionName": {"IteratorAge", "Duration"}, "": {"Throttles"}},
    "AWS/ApiGateway": {"ApiId": {"Count", "4xx", "5xx", "Latency"}},
    "AWS/DynamoDB": {"TableName": {"WriteThrottleEvents"}},
    "AWS/States": {
        "StateMachineArn": {"ExecutionsFailed", "ExecutionsStarted", "ExecutionThrottled"},
        "APIName": {"ThrottledEvents"},
    },
}
"""Metrics that AWS documents, by namespace and dimension:
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-metrics.html
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/metrics-dimensions.html
https://docs.aws.amazon.com/step-functions/latest/dg/procedure-cw-metrics.html
"""


@pytest.fixture(scope="module")
def widgets(of_type: OfType) -> list[dict[str, Any]]:
    (dashboard,) = of_type("CloudWatch::Dashboard").values()
    listed: list[dict[str, Any]] = json.loads(dashboard["DashboardBody"]["Fn::Sub"])["widgets"]
    return listed


def metrics(widgets: list[dict[str, Any]]) -> list[tuple[str, str, str, str]]:
    """List namespace, name, dimension and its value; the last two are empty for a metric without one."""
    rows = [
        [part for part in row if isinstance(part, str)] for each in widgets for row in each["properties"]["metrics"]
    ]
    return [(row[0], row[1], *(row[2:] or ("", ""))) for row in rows]  # type: ignore[misc]  # two or four texts


def test_every_metric_of_the_dashboard_exists(widgets: list[dict[str, Any]], of_type: OfType) -> None:
    """A misspelt one is an empty graph, which looks like a quiet night."""
    own = {
        item["MetricTransformations"][0]["MetricName"]: item["MetricTransformations"][0]["MetricNamespace"]["Fn::Sub"]
        for item in of_type("Logs::MetricFilter").values()
    }
    for namespace, name, dimension, _ in metrics(widgets):
        if namespace in OF_AWS:
            assert name in OF_AWS[namespace].get(dimension, ()), (namespace, name, dimension)
        else:
            assert (namespace, dimension) == (own[name], ""), name


def test_the_dashboard_answers_the_questions_of_the_person_on_call(
    widgets: list[dict[str, Any]], resources: Resources
) -> None:
    """Queues, parked orders, circuits, lag of the feed, latency and throttles."""
    shown = {(name, value) for _, name, _, value in metrics(widgets)}
    dead = {queue.removesuffix(".Arn") for _, queue in dead_letter_queues(resources)}
    visible = {
        re.sub(r"\W|QueueName$", "", value.removesuffix(".QueueName}")) for name, value in shown if "Visible" in name
    }
    assert visible == dead
    names = {name for name, _ in shown}
    assert {"OrdersParked", "CircuitsOpenLong", "IteratorAge", "Latency", "Throttles", "ThrottledEvents"} <= names
    assert len({widget["properties"]["title"] for widget in widgets}) == len(widgets)


def test_widgets_do_not_overlap(widgets: list[dict[str, Any]]) -> None:
    """Each is half of the page's 24 columns wide."""
    places = {(each["x"], each["y"]) for each in widgets}
    assert len(places) == len(widgets)
    assert {(each["width"], each["height"]) for each in widgets} == {(12, 6)}
    assert all(x in {0, 12} and y % 6 == 0 for x, y in places)
