"""``expediter doctor``: an account is checked before the first deployment, with stubs of two of AWS's services."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

import boto3
import pytest

from tests.cli.conftest import Expediter
from tests.template.translated import TEMPLATE, WATCHING
from workflows.aws.quotas import CONCURRENCY, STARTS, TOKENS, TRANSITIONS
from workflows.aws.trails import REPORTED
from workflows.cli.doctor_command import STACK_NAME_MAX

FOR = ("--stack", "expediter", "--region", "eu-west-1")
DEFAULTS = {STARTS: 150.0, TRANSITIONS: 500.0, TOKENS: 300.0}

EVERYTHING = {"all": {"EventSelectors": [{"ReadWriteType": "All", "IncludeManagementEvents": True}]}}
"""The event selectors of a new trail, by its name."""

Account = Callable[..., None]


class _Http:
    status_code = 200


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Account:
    """``account(concurrency=..., applied=...)``: an account with these values and AWS's defaults for the others.

    ``trails`` are the event selectors of its trails by name; that of a name that ends with "off" does not log.
    """
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")

    def make(
        *,
        concurrency: int = 1000,
        applied: Mapping[str, float] | None = None,
        defaults: Mapping[str, float] = DEFAULTS,
        trails: Mapping[str, Any] = EVERYTHING,
    ) -> None:
        def quotas(values: Mapping[str, float]) -> Any:
            listed = [
                {"QuotaName": name, "QuotaCode": f"L-{len(name)}", "Value": value} for name, value in values.items()
            ]
            return lambda **_: (_Http(), {"Quotas": listed})

        session = boto3.Session()
        limit = {"AccountLimit": {"ConcurrentExecutions": concurrency}}
        session.events.register("before-call.lambda.GetAccountSettings", lambda **_: (_Http(), limit))
        session.events.register("before-call.service-quotas.ListAWSDefaultServiceQuotas", quotas(defaults))
        session.events.register("before-call.service-quotas.ListServiceQuotas", quotas(applied or {}))
        listed = {"trailList": [{"TrailARN": name} for name in trails]}
        session.events.register("before-call.cloudtrail.DescribeTrails", lambda **_: (_Http(), listed))
        session.events.register(
            "before-call.cloudtrail.GetTrailStatus",
            lambda params, **_: (_Http(), {"IsLogging": not _named(params, "Name").endswith("off")}),
        )
        session.events.register(
            "before-call.cloudtrail.GetEventSelectors",
            lambda params, **_: (_Http(), trails[_named(params, "TrailName")]),
        )
        monkeypatch.setattr(boto3, "DEFAULT_SESSION", session)

    return make


def _named(request: Mapping[str, Any], parameter: str) -> str:
    name: str = json.loads(request["body"])[parameter]
    return name


def test_an_account_with_the_default_quotas_is_enough_for_five_orders_a_second(
    account: Account, expediter: Expediter
) -> None:
    """Nothing is to be requested, and the exit code says so."""
    account()
    answer = expediter("doctor", *FOR)
    assert (answer.code, "too small" in answer.out, "trail" in answer.out + answer.err) == (0, False, False)


def test_a_new_account_gets_the_requests_to_make(account: Account, expediter: Expediter) -> None:
    """Lambda gives new accounts ten functions at once, and Step Functions fewer transitions than the default."""
    account(concurrency=10, applied={TRANSITIONS: 50.0})
    answer = expediter("doctor", *FOR, "--json")
    assert answer.code == 1
    quotas = {quota["name"]: quota for quota in answer.json["quotas"]}
    assert [name for name, quota in quotas.items() if not quota["enough"]] == [CONCURRENCY, TRANSITIONS]
    assert quotas[CONCURRENCY]["request"].endswith("--service-code lambda --quota-code L-B99A9384 --desired-value 40")
    assert quotas[TRANSITIONS]["request"].endswith(f"--quota-code L-{len(TRANSITIONS)} --desired-value 80")
    assert quotas[STARTS]["request"] == ""


def test_a_quota_that_aws_does_not_list_is_unknown_and_not_enough(account: Account, expediter: Expediter) -> None:
    """A renamed quota must not look like an account that is ready."""
    account(defaults={})
    answer = expediter("doctor", *FOR)
    assert (answer.code, answer.out.count("unknown")) == (1, len(DEFAULTS))


def test_a_stack_name_that_is_too_long_for_its_schedules_is_refused(account: Account, expediter: Expediter) -> None:
    """CloudFormation would refuse it after twenty minutes, and roll back."""
    suffixes = re.findall(r'Name: !Sub "\$\{AWS::StackName\}(-\w+)"', TEMPLATE.read_text())
    assert max(map(len, suffixes)) + STACK_NAME_MAX == 64
    account()
    too_long = "x" * (STACK_NAME_MAX + 1)
    answer = expediter("doctor", "--stack", too_long)
    assert (answer.code, "at most 52" in answer.err) == (2, True)


def _advanced(**fields: Any) -> Any:
    category = {"Field": "eventCategory", "Equals": ["Management"]}
    others = [{"Field": name, **tests} for name, tests in fields.items()]
    return {"AdvancedEventSelectors": [{"FieldSelectors": [category, *others]}]}


@pytest.mark.parametrize(
    ("trails", "unrecorded"),
    [
        ({}, REPORTED),
        ({"switched-off": EVERYTHING["all"]}, REPORTED),
        ({"data": {"EventSelectors": [{"ReadWriteType": "All", "IncludeManagementEvents": False}]}}, REPORTED),
        ({"reads": {"EventSelectors": [{"ReadWriteType": "ReadOnly", "IncludeManagementEvents": True}]}}, REPORTED),
        (
            {"cheap": {"EventSelectors": [{"ExcludeManagementEventSources": ["kms.amazonaws.com"]}]}},
            {"kms.amazonaws.com"},
        ),
        ({"advanced": _advanced()}, set()),
        ({"reads": _advanced(readOnly={"Equals": ["true"]})}, REPORTED),
        ({"cheap": _advanced(eventSource={"NotEquals": ["kms.amazonaws.com"]})}, {"kms.amazonaws.com"}),
        ({"cheap": _advanced(eventSource={"NotEquals": ["kms.amazonaws.com"]}), **EVERYTHING}, set()),
    ],
    ids=[
        "none",
        "switched off",
        "data alone",
        "reads alone",
        "without KMS",
        "advanced",
        "advanced, reads alone",
        "advanced, without KMS",
        "one of two without KMS",
    ],
)
def test_an_account_without_a_trail_of_the_reported_calls_is_not_ready(
    account: Account, expediter: Expediter, trails: Mapping[str, Any], unrecorded: set[str]
) -> None:
    """Alarms about keys, tables, roles and factors would be silent; KMS's calls are often left out for their number."""
    account(trails=trails)
    answer = expediter("doctor", *FOR, "--json")
    assert (answer.code, answer.json["unrecorded"]) == (1 if unrecorded else 0, sorted(unrecorded))
    shown = expediter("doctor", *FOR)
    assert all(service in shown.err for service in unrecorded)
    assert ("would send no alarm" in shown.err) == bool(unrecorded)


def test_the_trail_is_asked_for_every_service_that_a_rule_reports() -> None:
    """A rule that is added with another service is found."""
    rules = re.findall(r"eventSource: \[([\w.-]+)\]", WATCHING.read_text())
    assert len(rules) == 5
    assert set(rules) == REPORTED
