"""Versions and aliases of machines that clients bring, as plain boto3 sees them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.embedded.test_local_step_functions import PASS, ROLE, client_of, create, ended, find, text_of
from workflows.embedded.local_step_functions import LocalStepFunctions


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStepFunctions]:
    with LocalStepFunctions.open(tmp_path_factory.mktemp("versions"), find=find) as opened:
        yield opened


@pytest.fixture(scope="module")
def sfn(service: LocalStepFunctions) -> Any:
    return client_of(service.url)


def output(of: str) -> dict[str, Any]:
    return {"A": PASS | {"Output": of}}


def two_versions(sfn: Any, name: str) -> tuple[str, str, str]:
    """Create a machine and publish two versions of it, which differ in their output."""
    machine = create(sfn, name, output("one"))
    first = sfn.publish_state_machine_version(stateMachineArn=machine)["stateMachineVersionArn"]
    updated = sfn.update_state_machine(stateMachineArn=machine, definition=text_of(output("two")), publish=True)
    return machine, first, updated["stateMachineVersionArn"]


def route(*versions: tuple[str, int]) -> list[dict[str, Any]]:
    return [{"stateMachineVersionArn": arn, "weight": weight} for arn, weight in versions]


def test_an_execution_runs_the_version_that_it_was_started_by(service: LocalStepFunctions, sfn: Any) -> None:
    """And is described and listed with it; the machine itself has changed since."""
    machine, first, second = two_versions(sfn, "Run")
    assert (first, second) == (f"{machine}:1", f"{machine}:2")
    arn = sfn.start_execution(stateMachineArn=first)["executionArn"]
    described = ended(service, sfn, arn)
    assert (described["output"], described["stateMachineArn"]) == ('"one"', machine)
    assert described["stateMachineVersionArn"] == first
    assert [each["executionArn"] for each in sfn.list_executions(stateMachineArn=first)["executions"]] == [arn]
    assert sfn.list_executions(stateMachineArn=second)["executions"] == []
    assert "one" in sfn.describe_state_machine(stateMachineArn=first)["definition"]
    with pytest.raises(sfn.exceptions.StateMachineDoesNotExist):
        sfn.start_execution(stateMachineArn=f"{machine}:3")


def test_a_revision_is_published_once(sfn: Any) -> None:
    """And only the revision that the caller means. Versions are listed newest first, in pages."""
    machine, first, second = two_versions(sfn, "Once")
    assert sfn.publish_state_machine_version(stateMachineArn=machine)["stateMachineVersionArn"] == second
    with pytest.raises(sfn.exceptions.ConflictException):
        sfn.publish_state_machine_version(stateMachineArn=machine, revisionId="other")
    pages = [sfn.list_state_machine_versions(stateMachineArn=machine, maxResults=1)]
    pages.append(
        sfn.list_state_machine_versions(stateMachineArn=machine, maxResults=1, nextToken=pages[0]["nextToken"])
    )
    listed = [each["stateMachineVersionArn"] for page in pages for each in page["stateMachineVersions"]]
    assert (listed, "nextToken" in pages[1]) == ([second, first], False)


def test_an_alias_routes_starts_by_weight(service: LocalStepFunctions, sfn: Any) -> None:
    """With both versions in use, each gets its share; an update changes later starts alone."""
    machine, first, second = two_versions(sfn, "Routed")
    alias = sfn.create_state_machine_alias(name="PROD", routingConfiguration=route((first, 50), (second, 50)))
    arn = alias["stateMachineAliasArn"]
    assert arn == f"{machine}:PROD"
    started = [sfn.start_execution(stateMachineArn=arn)["executionArn"] for _ in range(30)]
    ran = Counter(ended(service, sfn, execution)["output"] for execution in started)
    assert set(ran) == {'"one"', '"two"'}  # by chance not, once in a billion runs
    assert len(sfn.list_executions(stateMachineArn=arn)["executions"]) == 30
    sfn.update_state_machine_alias(stateMachineAliasArn=arn, routingConfiguration=route((second, 100)))
    described = ended(service, sfn, sfn.start_execution(stateMachineArn=arn)["executionArn"])
    assert (described["output"], described["stateMachineAliasArn"]) == ('"two"', arn)
    assert described["stateMachineVersionArn"] == second


def test_aliases_are_described_listed_and_deleted(sfn: Any) -> None:
    """A version that one leads to stays; a number is never used again."""
    machine, first, second = two_versions(sfn, "Aliases")
    arn = sfn.create_state_machine_alias(name="a", description="d", routingConfiguration=route((first, 100)))[
        "stateMachineAliasArn"
    ]
    described = sfn.describe_state_machine_alias(stateMachineAliasArn=arn)
    assert (described["name"], described["description"]) == ("a", "d")
    assert described["routingConfiguration"] == route((first, 100))
    by_version = [
        len(sfn.list_state_machine_aliases(stateMachineArn=of)["stateMachineAliases"])
        for of in (machine, first, second)
    ]
    assert by_version == [1, 1, 0]
    with pytest.raises(sfn.exceptions.ConflictException):
        sfn.delete_state_machine_version(stateMachineVersionArn=first)
    with pytest.raises(sfn.exceptions.ConflictException):
        sfn.create_state_machine_alias(name="a", routingConfiguration=route((second, 100)))
    sfn.delete_state_machine_alias(stateMachineAliasArn=arn)
    with pytest.raises(sfn.exceptions.ResourceNotFound):
        sfn.describe_state_machine_alias(stateMachineAliasArn=arn)
    for version in (first, second):
        sfn.delete_state_machine_version(stateMachineVersionArn=version)
    sfn.update_state_machine(stateMachineArn=machine, definition=text_of(output("three")))
    assert sfn.publish_state_machine_version(stateMachineArn=machine)["stateMachineVersionArn"] == f"{machine}:3"


@pytest.mark.parametrize(
    ("name", "number", "weight", "refusal"),
    [
        ("12", 1, 100, "InvalidName"),
        ("a b", 1, 100, "InvalidName"),
        ("ok", 1, 50, "ValidationException"),
        ("ok", 2, 100, "ResourceNotFound"),
    ],
)
def test_wrong_aliases_are_refused_by_aws_s_names(sfn: Any, name: str, number: int, weight: int, refusal: str) -> None:
    """Names are not numbers, weights are a hundred together, and versions exist."""
    machine = create(sfn, "Refused", output("x"))
    sfn.publish_state_machine_version(stateMachineArn=machine)
    with pytest.raises(sfn.exceptions.ClientError) as refused:
        sfn.create_state_machine_alias(name=name, routingConfiguration=route((f"{machine}:{number}", weight)))
    assert refused.value.response["Error"]["Code"] == refusal


def test_versions_and_aliases_outlive_the_service(tmp_path: Path) -> None:
    """A machine that is deleted takes them along."""
    with LocalStepFunctions.open(tmp_path, find=find) as opened:
        sfn = client_of(opened.url)
        machine, first, second = two_versions(sfn, "Kept")
        sfn.delete_state_machine_version(stateMachineVersionArn=second)
        sfn.create_state_machine_alias(name="live", routingConfiguration=route((first, 100)))
    with LocalStepFunctions.open(tmp_path, find=find) as opened:
        sfn = client_of(opened.url)
        arn = sfn.start_execution(stateMachineArn=f"{machine}:live")["executionArn"]
        assert json.loads(ended(opened, sfn, arn)["output"]) == "one"
        assert len(sfn.list_state_machine_versions(stateMachineArn=machine)["stateMachineVersions"]) == 1
        sfn.delete_state_machine(stateMachineArn=machine)
        sfn.create_state_machine(name="Kept", definition=text_of(output("x")), roleArn=ROLE)
        assert sfn.list_state_machine_aliases(stateMachineArn=machine)["stateMachineAliases"] == []
