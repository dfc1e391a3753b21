"""What the stacks cost a month without an order, counted from the templates, and how each type is billed."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from functools import cache
from typing import Any

import yaml

from benchmarks.prices import (
    ALARM_METRIC_MONTH,
    ASSUMED,
    CUSTOM_METRIC_MONTH,
    DASHBOARD_MONTH,
    KEY_MONTH,
    KMS_REQUEST,
    LAMBDA_GB_S,
    LAMBDA_REQUEST,
    SCHEDULE,
    SECRET_MONTH,
    SECRET_REQUEST,
    SQS_REQUEST,
)
from benchmarks.results import ROOT

TEMPLATES = (ROOT / "template.yaml", *sorted((ROOT / "stacks").glob("*.yaml")))

MONTH_S = 30 * 86_400

METRICS_OF_A_ROUTE = 6
"""4xx, 5xx, Count, IntegrationLatency, Latency and DataProcessed:
https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-metrics.html"""

POLLS_OF_A_QUEUE_S = 20 / 5
"""Lambda keeps five long polls of 20 s open for each queue:
https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html"""

KEY_OF_A_QUEUE_S = 300
"""How long a queue uses a data key again (KmsDataKeyReusePeriodSeconds)."""

SECRET_CACHED_S = 300
"""``workflows/aws/secrets.py`` reads a secret once in five minutes in each environment."""

ENVIRONMENTS = 10
"""Environments of the steps that serve at once, each of which reads the providers' secret."""

TIMER_BUSY_S = 50
"""Of each minute, the timer and what it compares; the most that it may take."""

BY_USE: Mapping[str, str] = {
    "AWS::ApiGatewayV2::Api": "API Gateway",
    "AWS::Cognito::UserPool": "Cognito, for restaurants and couriers",
    "AWS::DynamoDB::Table": "DynamoDB writes",
    "AWS::Events::Archive": "EventBridge",
    "AWS::Events::EventBus": "EventBridge",
    "AWS::Lambda::Function": "Lambda duration",
    "AWS::Logs::LogGroup": "CloudWatch Logs",
    "AWS::S3::Bucket": "kept",
    "AWS::SNS::Topic": "SNS and SQS",
    "AWS::StepFunctions::StateMachine": "Step Functions",
}
"""By type, the line of an order's bill that has most of its price; ``kept`` is what a million orders leave."""

SCHEDULED = "schedules, and what they run"

MONTHLY: Mapping[str, str] = {
    "AWS::ApiGatewayV2::Stage": "detailed metrics of routes",
    "AWS::CloudWatch::Alarm": "alarms, by metric",
    "AWS::CloudWatch::Dashboard": "dashboard",
    "AWS::KMS::Key": "keys",
    "AWS::Lambda::EventSourceMapping": "polling of queues",
    "AWS::Logs::MetricFilter": "metrics of log lines",
    "AWS::SQS::Queue": "data keys of queues",
    "AWS::Scheduler::Schedule": SCHEDULED,
    "AWS::SecretsManager::Secret": "secrets",
}
"""By type, the line of the month that has its price."""

ROLES_IN_TOKENS = "Lambda, for the roles in their tokens"
"""The line of an order's bill for the function of the pool."""

BESIDE_ORDERS: Mapping[str, str] = {
    "TokenRoles": ROLES_IN_TOKENS,
    **dict.fromkeys(("Timer", "Checkpoints", "Archiver"), SCHEDULED),
    **dict.fromkeys(
        ("AuditApi", "BulkApi", "CatalogueApi", "CustomersApi", "ExecutionsApi", "IncidentsApi", "WebhooksApi"),
        "requests of people who look or publish a menu: a few for each order at most, at $2 a million",
    ),
    "ExecutionFaults": "executions that ended with a fault alone",
    **dict.fromkeys(("SearchApi", "Projector", "Exporter"), "with the database of the views, which has its own price"),
}
"""Functions that an order does not invoke, with the line of the bill that has them or the reason for having none."""

FREE: Mapping[str, str] = {
    "AWS::CodeDeploy::Application": "CodeDeploy has no price for functions",
    "AWS::CodeDeploy::DeploymentGroup": "CodeDeploy has no price for functions",
    "AWS::Cognito::UserPoolClient": "part of the pool",
    "AWS::Cognito::UserPoolGroup": "part of the pool",
    "AWS::Events::Rule": "events of a bus are paid for when they are put; those of AWS itself are free",
    "AWS::IAM::ManagedPolicy": "IAM has no price",
    "AWS::IAM::Role": "IAM has no price",
    "AWS::Lambda::Alias": "part of the function",
    "AWS::Lambda::EventInvokeConfig": "part of the function",
    "AWS::Lambda::Permission": "part of the function",
    "AWS::Lambda::Version": "one is kept, and there is no charge for code below 75 GB",
    "AWS::S3::BucketPolicy": "part of the bucket",
    "AWS::SNS::Subscription": "deliveries to SQS and Lambda have no price; mails of alarms are few",
    "AWS::SNS::TopicPolicy": "part of the topic",
    "AWS::SQS::QueuePolicy": "part of the queue",
}
"""Types without a price of their own, with the reason."""

Properties = Mapping[str, Any]


def monthly() -> dict[str, float]:
    """Price a month of the stacks, in dollars by line, without the parts that a condition switches on."""
    by_type = _resources()
    functions = by_type["AWS::Serverless::Function"]
    queues = sum("Queue" in event["Properties"] for event in _events(functions, "SQS"))
    secrets, alarms = by_type["AWS::SecretsManager::Secret"], by_type["AWS::CloudWatch::Alarm"]
    return {
        "keys": len(by_type["AWS::KMS::Key"]) * KEY_MONTH,
        "secrets": len(secrets) * (SECRET_MONTH + ENVIRONMENTS * MONTH_S / SECRET_CACHED_S * SECRET_REQUEST),
        "alarms, by metric": sum(map(_metrics, alarms)) * ALARM_METRIC_MONTH,
        "dashboard": len(by_type["AWS::CloudWatch::Dashboard"]) * DASHBOARD_MONTH,
        "metrics of log lines": len(by_type["AWS::Logs::MetricFilter"]) * CUSTOM_METRIC_MONTH,
        "detailed metrics of routes": _routes(functions) * METRICS_OF_A_ROUTE * CUSTOM_METRIC_MONTH,
        SCHEDULED: _schedules(functions),
        "polling of queues": queues * MONTH_S / POLLS_OF_A_QUEUE_S * SQS_REQUEST,
        "data keys of queues": len(by_type["AWS::SQS::Queue"]) * 3 * MONTH_S / KEY_OF_A_QUEUE_S * KMS_REQUEST,
    }


def all_functions() -> frozenset[str]:
    """Name the functions of all stacks."""
    kinds = {"AWS::Serverless::Function", "AWS::Lambda::Function"}
    resources = [item for path in TEMPLATES for item in _template(path)["Resources"].items()]
    return frozenset(name for name, resource in resources if resource["Type"] in kinds)


@cache
def functions_with(variable: str) -> frozenset[str]:
    """Name the functions that have an environment variable, e.g. ``KEYS_TABLE``, from the template itself.

    The engine's reader of the template leaves out variables that only another stack can fill.
    """
    return frozenset(
        name
        for name, resource in _template(TEMPLATES[0])["Resources"].items()
        if variable in resource.get("Properties", {}).get("Environment", {}).get("Variables", {})
    )


def _metrics(alarm: Properties) -> int:
    """Count the metrics that an alarm is billed for: each one that its expression reads."""
    return sum("MetricStat" in metric for metric in alarm["Metrics"]) if "Metrics" in alarm else 1


def _routes(functions: list[Properties]) -> int:
    """Count the routes that have metrics of their own: the most that can be called in each hour."""
    settings = _template(TEMPLATES[0])["Globals"]["HttpApi"]["DefaultRouteSettings"]
    return len(_events(functions, "HttpApi")) if settings.get("DetailedMetricsEnabled") else 0


def _schedules(functions: list[Properties]) -> float:
    """Price the invocations of the schedules, and the time of the timer."""
    invocations = sum(MONTH_S / _seconds(event["Properties"]) for event in _events(functions, "ScheduleV2"))
    busy_s = MONTH_S / 60 * TIMER_BUSY_S
    return invocations * (SCHEDULE + LAMBDA_REQUEST) + busy_s * ASSUMED.lambda_gb * LAMBDA_GB_S


def _seconds(schedule: Properties) -> int:
    number, unit = re.fullmatch(r"rate\((\d+) (minute|hour|day)s?\)", schedule["ScheduleExpression"]).groups()  # type: ignore[union-attr]  # the engine reads only such schedules
    return int(number) * {"minute": 60, "hour": 3_600, "day": 86_400}[unit]


def _events(functions: list[Properties], kind: str) -> list[Properties]:
    events = [event for function in functions for event in function.get("Events", {}).values()]
    return [event for event in events if event["Type"] == kind]


def _resources() -> dict[str, list[Properties]]:
    """Read the properties of the templates' resources by type, without those that have a condition."""
    by_type = defaultdict[str, list[Properties]](list)
    for path in TEMPLATES:
        for resource in _template(path)["Resources"].values():
            if "Condition" not in resource:
                by_type[resource["Type"]].append(resource.get("Properties", {}))
    return by_type


class _Tagless(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]  # where libyaml is, it is faster
    """Reads CloudFormation's short forms, such as ``!Ref``, as their plain values."""


def _plain(loader: yaml.SafeLoader, _: str, node: yaml.Node) -> Any:
    match node:
        case yaml.ScalarNode():
            return loader.construct_scalar(node)
        case yaml.SequenceNode():
            return loader.construct_sequence(node, deep=True)
        case yaml.MappingNode():
            return loader.construct_mapping(node, deep=True)
    raise AssertionError(node)


_Tagless.add_multi_constructor("!", _plain)


def _template(path: Any) -> dict[str, Any]:
    read: dict[str, Any] = yaml.load(path.read_text(), Loader=_Tagless)
    return read
